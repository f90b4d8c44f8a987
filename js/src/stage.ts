/** Pictures and videos with their overlays, the scale, the settings, and a note where there is something to say. */

import { DIVERGING, type Method, type Model, PEAK_LEVEL, type Picture, UNSEEN } from "./kernel/protocol.ts";
import { bytes, type TokenMap } from "./kernel/tokenmap.ts";
import { gradient, overlayTable, spotlightRamp, veil } from "./overlay/colormap.ts";
import { otsu } from "./overlay/otsu.ts";
import { follow, listen } from "./page/bind.ts";
import { element } from "./page/dom.ts";
import { percent } from "./page/numbers.ts";
import { Asking, type Source, type Text } from "./panel/asking.ts";
import { Cursor } from "./picture/cursor.ts";
import { GalleryView } from "./picture/gallery.ts";
import { Gestures } from "./picture/gestures.ts";
import { LegendView } from "./picture/legend.ts";
import { Painter } from "./picture/painter.ts";
import type { OverlayState, PictureView, Style } from "./picture/picture.ts";
import { type Box, type Cells, nameOf } from "./picture/place.ts";
import { ReadoutView } from "./picture/readout.ts";
import { frameShares } from "./picture/scrubber.ts";
import { inFigures, isUnseen, nothing, several, shareAbove, where } from "./picture/where.ts";
import { FOLDED } from "./settings/settings.ts";
import { type Actions, ToolbarView } from "./settings/toolbar.ts";

export type NoteKind = "loading" | "busy" | "error" | "lost" | "none";

/** A change of the method's settings (causal_inference, kernel_size, part) asks for another map: the view hears it too. */
const SETTINGS = ["paint", "colormaps", ...FOLDED] as const;
const SCALED_BY = ["scale", "causal_inference", "kernel_size"] as const;

export class StageView {
  readonly node: HTMLElement;
  /** Cells of all pictures together. */
  readonly cellCount: number;
  readonly #asking: Asking;
  readonly #model: Model;
  readonly #signal: AbortSignal;
  readonly #pictures: Picture[];
  readonly #gallery: GalleryView;
  readonly #painter: Painter;
  readonly #legend = new LegendView();
  readonly #readout = new ReadoutView();
  readonly #toolbar: ToolbarView;
  readonly #note = element("div", "tam-note", { "aria-hidden": "true" });
  readonly #live = element("div", "tam-live", { role: "status" });
  #source: Source | null = null;
  #shown: TokenMap | null = null;
  /** Which part of the method it is. */
  #part: Method["part"] = "map";
  /** The greatest value of the answer's maps, where all are shown on one scale and it is known. */
  #top: number | null = null;
  /** Where the pointer or the cursor is. */
  #at: [PictureView, [number, number]] | null = null;

  constructor(model: Model, actions: Actions, signal: AbortSignal) {
    this.#model = model;
    this.#signal = signal;
    this.#pictures = model.get("pictures");
    this.#gallery = new GalleryView(this.#pictures, signal);
    const { views } = this.#gallery;
    this.cellCount = views.reduce((sum, view) => sum + view.cellCount, 0);
    this.#painter = new Painter(views, signal);
    this.#toolbar = new ToolbarView(model, actions, signal);
    this.#asking = new Asking(model, views, (text) => this.#speak(text), signal);
    const hearer = {
      point: (view: PictureView, cell: [number, number] | null) => this.#point(view, cell),
      ask: (view: PictureView, box: Box) => this.#asking.ask(view, box),
      reach: (view: PictureView, cells: Cells) => this.#reach(view, cells),
    };
    for (const view of views) new Gestures(view, hearer, signal);
    new Cursor(views, hearer, signal);
    this.node = element(
      "div",
      "tam-stage",
      {},
      element("div", "tam-pictures", {}, ...this.#gallery.nodes, this.#note),
      this.#legend.node,
      this.#readout.node,
      this.#toolbar.node,
      this.#live,
    );
    this.#listen(signal);
    this.#readSettings();
  }

  /** The words that respond to what is asked of a picture; it lies where the view puts it. */
  get lookup(): HTMLElement {
    return this.#asking.lookup.node;
  }

  /** Where scores and the answer's scale come from, and what the text does with them. */
  connect(source: Source, text: Text): void {
    this.#source = source;
    this.#measure();
    this.#asking.connect(source, text);
    // Esc anywhere in the widget, when nothing else is left to let go of.
    this.node
      .closest(".tam-widget")
      ?.addEventListener("keydown", (event) => this.#escape(event as KeyboardEvent), {
        signal: this.#signal,
      });
  }

  /** Ask nothing of the pictures any more; false where nothing was asked. */
  release(): boolean {
    return this.#asking.clear();
  }

  set isWhole(isWhole: boolean) {
    this.#toolbar.isWhole = isWhole;
  }

  paint(map: TokenMap): void {
    this.#shown = map;
    this.#part = this.#model.get("part") ?? "map";
    this.#repaint();
    if (map.peak > 0) this.hideNote();
    else this.note("none", nothing(map, this.#pictures));
  }

  /** Take the overlay away. */
  clear(): void {
    this.#shown = null;
    this.#painter.clear();
    this.#legend.show(null);
    this.#legend.ticks([]);
    this.#colourLegend(false);
    for (const { scrubber } of this.#gallery.films) scrubber.show([], 0);
    this.#read();
  }

  set state(state: OverlayState) {
    for (const view of this.#gallery.views) view.state = state;
  }

  note(kind: NoteKind, text: string): void {
    this.#note.dataset.kind = kind;
    this.#note.textContent = text;
  }

  /** The note keeps its words while it fades. */
  hideNote(): void {
    this.#note.dataset.kind = "";
  }

  /** Where a map peaks, in words, and how much of it lies inside its contour; and the same in figures. */
  where(map: TokenMap): [words: string, figures: string] {
    const words = where(map, this.#pictures);
    if (map.peak <= 0 || map.diverging) return [words, inFigures(map, this.#pictures)];
    const inside = percent(shareAbove(map, this.#level(map)));
    return [`${words} · ${inside} inside the contour`, inFigures(map, this.#pictures)];
  }

  #repaint(): void {
    const map = this.#shown;
    if (!map) return;
    const diverging = map.diverging === true;
    const colormap = this.#colourLegend(diverging);
    if (!colormap) return; // the table of a new colour map is on its way
    const onOne = this.#model.get("scale") === "answer" && this.#part === "map" && this.#top;
    const peak = onOne || map.peak;
    const gain = peak > 0 ? map.peak / peak : 1;
    const threshold = this.#threshold(map);
    const style: Style = {
      table: overlayTable(colormap, this.#model.get("opacity"), {
        gain,
        diverging,
        solid: this.#model.get("display") === "side",
        paint: this.#isSpotlight(diverging) && peak > 0 ? "spotlight" : "heat",
      }),
      smooth: this.#model.get("smooth"),
      contour: threshold,
      diverging,
    };
    this.#painter.paint(map, style);
    const unit = this.#part === "map" ? "" : "logits";
    this.#legend.show(isUnseen(map) ? null : { peak, diverging, unit, of: onOne ? "answer" : "token" });
    this.#tick(threshold, gain, diverging);
    this.#scrub(map, gain);
    this.#read();
  }

  /** The level above which the contour encloses; of a difference, counted from its middle. */
  #threshold(map: TokenMap): number | null {
    return this.#model.get("contour") && map.peak > 0 ? this.#level(map) : null;
  }

  #level(map: TokenMap): number {
    const middle = map.diverging ? PEAK_LEVEL / 2 : 0;
    const share = this.#model.get("threshold") ?? null;
    if (share !== null) return share * (PEAK_LEVEL - middle);
    const seen = map.cells.filter((level) => level !== UNSEEN);
    // A level is above the next lower one where it is nearer to its own.
    return otsu(map.diverging ? seen.map((level) => Math.abs(level - middle)) : seen) + 0.5;
  }

  #tick(threshold: number | null, gain: number, diverging: boolean): void {
    if (threshold === null) {
      this.#legend.ticks([]);
      return;
    }
    const share = threshold / (diverging ? PEAK_LEVEL / 2 : PEAK_LEVEL);
    this.#toolbar.settings.threshold = share;
    const at = share * gain;
    this.#legend.ticks(diverging ? [(1 - at) / 2, (1 + at) / 2] : [at]);
  }

  #scrub(map: TokenMap, gain: number): void {
    for (const { views, scrubber } of this.#gallery.films) {
      const start = this.#startOf(views[0] as PictureView);
      const end = start + views.length * (views[0] as PictureView).cellCount;
      const shares = frameShares(map.cells.subarray(start, end), views.length, map.diverging);
      const peaks = shares.map((share) => share * map.peak);
      scrubber.show(peaks, map.peak / gain);
    }
  }

  /** The colours of what is shown; undefined while they are on their way. */
  #colourLegend(diverging: boolean): Uint8Array | undefined {
    const table = this.#model.get("colormaps")[diverging ? DIVERGING : this.#model.get("colormap")];
    const colormap = table && bytes(table);
    if (this.#isSpotlight(diverging)) this.#legend.colour(spotlightRamp(this.#model.get("opacity")));
    else if (colormap) this.#legend.colour(gradient(colormap));
    return colormap;
  }

  /** A difference has two sides, and beside the picture the map stands alone: both take colours. */
  #isSpotlight(diverging: boolean): boolean {
    return this.#model.get("paint") === "spotlight" && !diverging && this.#model.get("display") !== "side";
  }

  #startOf(view: PictureView): number {
    const { views } = this.#gallery;
    return views.slice(0, views.indexOf(view)).reduce((sum, one) => sum + one.cellCount, 0);
  }

  #point(view: PictureView, cell: [number, number] | null): void {
    this.#at = cell && [view, cell];
    this.#read();
  }

  /** Read the value where the pointer is. */
  #read(): void {
    if (!this.#at) {
      this.#readout.clear();
      return;
    }
    const [view, [row, column]] = this.#at;
    const index = this.#startOf(view) + row * view.picture.grid[1] + column;
    this.#readout.show(this.#shown, index, view.picture, [row, column], several(this.#pictures));
  }

  /** Say where the keyboard's cursor is: of one cell with its value. */
  #reach(_view: PictureView, cells: Cells): void {
    const isOne = cells.rows[0] === cells.rows[1] && cells.columns[0] === cells.columns[1];
    this.#speak(isOne ? (this.#readout.node.textContent ?? "") : nameOf(cells));
  }

  #speak(text: string): void {
    this.#live.textContent = text;
  }

  /** Learn the scale that the answer's maps share, where it is asked for. */
  #measure(): void {
    this.#top = null;
    if (this.#model.get("scale") !== "answer") return;
    this.#source?.scale((peak) => {
      this.#top = peak;
      this.#repaint();
    });
  }

  #readSettings(): void {
    this.#toolbar.read();
    const opacity = this.#model.get("opacity");
    this.node.style.setProperty("--tam-veil", veil(opacity));
    const beside = this.#model.get("display") === "side";
    this.node.classList.toggle("tam-wide", beside);
    for (const view of this.#gallery.views) view.beside = beside;
    if (this.#shown) this.#repaint();
    else this.#colourLegend(false);
  }

  #listen(signal: AbortSignal): void {
    follow(this.#model, SCALED_BY, () => this.#measure(), signal);
    follow(this.#model, SETTINGS, () => this.#readSettings(), signal);
    listen(this.node, "keydown", (event) => this.#key(event), signal);
    let frame = 0;
    const resized = new ResizeObserver(() => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => this.#repaint());
    });
    for (const view of this.#gallery.views) resized.observe(view.node);
    signal.addEventListener("abort", () => {
      cancelAnimationFrame(frame);
      resized.disconnect();
    });
  }

  /** Esc takes back what was asked. What moves a slider or a list must not become the notebook's command. */
  #key(event: KeyboardEvent): void {
    if (event.key === "Escape") this.#escape(event);
    else if (!event.ctrlKey && !event.metaKey && (event.target as Element).matches("input, select"))
      event.stopPropagation();
  }

  #escape(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.defaultPrevented || !this.release()) return;
    event.preventDefault();
    event.stopPropagation();
  }
}
