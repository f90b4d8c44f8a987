/** Paints a map on all pictures: on those in view at once, on the others right after, a few at a time. */
import type { TokenMap } from "../kernel/tokenmap.ts";
import type { PictureView, Style } from "./picture.ts";

/** How long (ms) the pictures out of view may hold up one frame of the page. */
const BUDGET = 6;

export class Painter {
  readonly #views: readonly PictureView[];
  /** Where each picture's cells begin. */
  readonly #starts: number[] = [];
  readonly #hidden = new Set<PictureView>();
  #map: TokenMap | null = null;
  #style: Style | null = null;
  #later = 0;

  constructor(views: readonly PictureView[], signal: AbortSignal) {
    this.#views = views;
    let start = 0;
    for (const view of views) {
      this.#starts.push(start);
      start += view.cellCount;
    }
    signal.addEventListener("abort", () => cancelAnimationFrame(this.#later));
    if (views.length > 1) this.#watch(signal);
  }

  paint(map: TokenMap, style: Style): void {
    this.#map = map;
    this.#style = style;
    cancelAnimationFrame(this.#later);
    const waiting: number[] = [];
    for (const [i, view] of this.#views.entries()) {
      if (this.#hidden.has(view)) waiting.push(i);
      else this.#paint(i);
    }
    this.#postpone(waiting);
  }

  clear(): void {
    this.#map = null;
    cancelAnimationFrame(this.#later);
    for (const view of this.#views) view.clear();
  }

  #postpone(waiting: number[]): void {
    if (waiting.length === 0) return;
    this.#later = requestAnimationFrame(() => {
      const end = performance.now() + BUDGET;
      let painted = 0;
      do this.#paint(waiting[painted++] as number);
      while (painted < waiting.length && performance.now() < end);
      this.#postpone(waiting.slice(painted));
    });
  }

  #paint(i: number): void {
    const [map, style, view] = [this.#map, this.#style, this.#views[i]];
    if (!map || !style || !view) return;
    const start = this.#starts[i] as number;
    view.paint(map.tokens.join(" "), map.cells.subarray(start, start + view.cellCount), style);
  }

  #watch(signal: AbortSignal): void {
    if (!("IntersectionObserver" in globalThis)) return;
    const observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const view = this.#views.find((one) => one.node === target);
        if (!view) continue;
        if (isIntersecting) this.#hidden.delete(view);
        else this.#hidden.add(view);
      }
    });
    for (const view of this.#views) observer.observe(view.node);
    signal.addEventListener("abort", () => observer.disconnect());
  }
}
