/** The pictures with their overlays, the scale, the settings, and a note where there is something to say. */
import { overlayTable } from "./colormap.ts";
import { element } from "./dom.ts";
import { decimals, LegendView } from "./legend.ts";
import { type OverlayState, PictureView } from "./picture.ts";
import { type Model, PEAK_LEVEL, type Picture } from "./protocol.ts";
import { bytes, type TokenMap } from "./tokenmap.ts";
import { ToolbarView } from "./toolbar.ts";

export type NoteKind = "loading" | "busy" | "error" | "lost" | "none";

const SETTINGS = ["opacity", "colormap", "colormaps", "smooth"] as const;

export class StageView {
  readonly node: HTMLElement;
  /** Cells of all pictures together. */
  readonly cellCount: number;
  readonly #model: Model;
  readonly #grids: Picture["grid"][];
  readonly #pictures: PictureView[];
  readonly #legend = new LegendView();
  readonly #toolbar: ToolbarView;
  readonly #note = element("div", "tam-note", { "aria-hidden": "true" });
  #shown: TokenMap | null = null;
  #table: Uint32Array = new Uint32Array(256);

  constructor(model: Model, signal: AbortSignal) {
    this.#model = model;
    const pictures = model.get("pictures");
    this.#grids = pictures.map((picture) => picture.grid);
    this.#pictures = pictures.map((picture, i) => new PictureView(picture, i, pictures.length, signal));
    this.cellCount = this.#pictures.reduce((sum, picture) => sum + picture.cellCount, 0);
    this.#toolbar = new ToolbarView(model, signal);
    this.node = element(
      "div",
      "tam-stage",
      {},
      element("div", "tam-pictures", {}, ...this.#pictures.map((picture) => picture.node), this.#note),
      this.#legend.node,
      this.#toolbar.node,
    );
    this.#listen(signal);
    this.#readSettings();
  }

  paint(map: TokenMap): void {
    this.#shown = map;
    this.#repaint();
    this.#legend.peak(map.peak);
    if (map.peak > 0) this.hideNote();
    else this.note("none", "No image activation");
  }

  /** Take the overlay away. */
  clear(): void {
    this.#shown = null;
    for (const picture of this.#pictures) picture.clear();
    this.#legend.peak(null);
  }

  set state(state: OverlayState) {
    for (const picture of this.#pictures) picture.state = state;
  }

  note(kind: NoteKind, text: string): void {
    this.#note.dataset.kind = kind;
    this.#note.textContent = text;
  }

  /** The note keeps its words while it fades. */
  hideNote(): void {
    this.#note.dataset.kind = "";
  }

  /** Where a map peaks, in words. Rows and columns count from 1. */
  where(map: TokenMap): string {
    if (map.peak <= 0) return "No image activation";
    let cell = map.cells.indexOf(PEAK_LEVEL);
    for (const [i, [rows, columns]] of this.#grids.entries()) {
      if (cell < rows * columns) {
        const which = this.#grids.length > 1 ? ` of picture ${i + 1}` : "";
        const row = Math.floor(cell / columns) + 1;
        return `Peak ${decimals(map.peak)} at row ${row}, column ${(cell % columns) + 1}${which}`;
      }
      cell -= rows * columns;
    }
    return "";
  }

  #repaint(): void {
    const map = this.#shown;
    if (!map) return;
    const smooth = this.#model.get("smooth");
    let start = 0;
    for (const picture of this.#pictures) {
      const end = start + picture.cellCount;
      picture.paint(map.token, map.cells.subarray(start, end), this.#table, smooth);
      start = end;
    }
  }

  #readSettings(): void {
    this.#toolbar.read();
    const table = this.#model.get("colormaps")[this.#model.get("colormap")];
    if (!table) return; // the table of a new colour map is on its way
    const colormap = bytes(table);
    this.#table = overlayTable(colormap, this.#model.get("opacity"));
    this.#legend.colour(colormap);
    this.#repaint();
  }

  #listen(signal: AbortSignal): void {
    const settings = () => this.#readSettings();
    for (const name of SETTINGS) this.#model.on(`change:${name}`, settings);
    let frame = 0;
    const resized = new ResizeObserver(() => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => this.#repaint());
    });
    for (const picture of this.#pictures) resized.observe(picture.node);
    signal.addEventListener("abort", () => {
      for (const name of SETTINGS) this.#model.off(`change:${name}`, settings);
      cancelAnimationFrame(frame);
      resized.disconnect();
    });
  }
}
