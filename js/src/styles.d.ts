/** esbuild collects the imported style sheets in widget.css. */
declare module "*.css";
