/** esbuild collects the rooms' style sheets in widget.css. */
declare module "*.css";
