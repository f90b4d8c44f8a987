/** Pictures and videos with their overlays, the scale, the settings, and a note where there is something to say. */
import { overlayTable, veil } from "./colormap.ts";
import { element } from "./dom.ts";
import { GalleryView } from "./gallery.ts";
import { LegendView } from "./legend.ts";
import type { OverlayState, PictureView } from "./picture.ts";
import type { Model, Picture } from "./protocol.ts";
import { bytes, type TokenMap } from "./tokenmap.ts";
import { ToolbarView } from "./toolbar.ts";
import { isUnseen, nothing, where } from "./where.ts";

export type NoteKind = "loading" | "busy" | "error" | "lost" | "none";

const SETTINGS = ["opacity", "colormap", "colormaps", "smooth"] as const;

export class StageView {
  readonly node: HTMLElement;
  /** Cells of all pictures together. */
  readonly cellCount: number;
  readonly #model: Model;
  readonly #pictures: Picture[];
  readonly #views: PictureView[];
  readonly #legend = new LegendView();
  readonly #toolbar: ToolbarView;
  readonly #note = element("div", "tam-note", { "aria-hidden": "true" });
  #shown: TokenMap | null = null;
  #table: Uint32Array = new Uint32Array(256);

  constructor(model: Model, signal: AbortSignal) {
    this.#model = model;
    this.#pictures = model.get("pictures");
    const gallery = new GalleryView(this.#pictures, signal);
    this.#views = gallery.views;
    this.cellCount = this.#views.reduce((sum, view) => sum + view.cellCount, 0);
    this.#toolbar = new ToolbarView(model, signal);
    this.node = element(
      "div",
      "tam-stage",
      {},
      element("div", "tam-pictures", {}, ...gallery.nodes, this.#note),
      this.#legend.node,
      this.#toolbar.node,
    );
    this.#listen(signal);
    this.#readSettings();
  }

  paint(map: TokenMap): void {
    this.#shown = map;
    this.#repaint();
    this.#legend.peak(isUnseen(map) ? null : map.peak);
    if (map.peak > 0) this.hideNote();
    else this.note("none", nothing(map, this.#pictures));
  }

  /** Take the overlay away. */
  clear(): void {
    this.#shown = null;
    for (const view of this.#views) view.clear();
    this.#legend.peak(null);
  }

  set state(state: OverlayState) {
    for (const view of this.#views) view.state = state;
  }

  note(kind: NoteKind, text: string): void {
    this.#note.dataset.kind = kind;
    this.#note.textContent = text;
  }

  /** The note keeps its words while it fades. */
  hideNote(): void {
    this.#note.dataset.kind = "";
  }

  /** Where a map peaks, in words. */
  where(map: TokenMap): string {
    return where(map, this.#pictures);
  }

  #repaint(): void {
    const map = this.#shown;
    if (!map) return;
    const smooth = this.#model.get("smooth");
    let start = 0;
    for (const view of this.#views) {
      const end = start + view.cellCount;
      view.paint(map.token, map.cells.subarray(start, end), this.#table, smooth);
      start = end;
    }
  }

  #readSettings(): void {
    this.#toolbar.read();
    const table = this.#model.get("colormaps")[this.#model.get("colormap")];
    if (!table) return; // the table of a new colour map is on its way
    const colormap = bytes(table);
    const opacity = this.#model.get("opacity");
    this.#table = overlayTable(colormap, opacity);
    this.node.style.setProperty("--tam-veil", veil(opacity));
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
    for (const view of this.#views) resized.observe(view.node);
    signal.addEventListener("abort", () => {
      for (const name of SETTINGS) this.#model.off(`change:${name}`, settings);
      cancelAnimationFrame(frame);
      resized.disconnect();
    });
  }
}
