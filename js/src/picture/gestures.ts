/** What the pointer does on a picture: points at a place, asks for it by a click, draws a box around a part. */
import { listen } from "../page/bind.ts";
import type { PictureView } from "./picture.ts";
import { type Box, cellAt, clip } from "./place.ts";

/** So far (pixels) a pointer may slip while it clicks. */
const SLIP = 4;

export interface Hearer {
  /** The pointer is over a cell, or over none. */
  point(view: PictureView, cell: [number, number] | null): void;
  ask(view: PictureView, box: Box): void;
}

interface Press {
  pane: HTMLElement;
  x: number;
  y: number;
  moved: boolean;
}

export class Gestures {
  readonly #view: PictureView;
  readonly #hearer: Hearer;
  #press: Press | null = null;

  constructor(view: PictureView, hearer: Hearer, signal: AbortSignal) {
    this.#view = view;
    this.#hearer = hearer;
    const { node } = view;
    listen(node, "pointerdown", (event) => this.#down(event), signal);
    listen(node, "pointermove", (event) => this.#move(event), signal);
    listen(node, "pointerup", (event) => this.#up(event), signal);
    listen(node, "pointercancel", () => this.#end(), signal);
    listen(node, "pointerleave", () => hearer.point(view, null), signal);
  }

  #down(event: PointerEvent): void {
    const pane = paneOf(event);
    if (!pane || event.button !== 0 || !event.isPrimary) return;
    this.#press = { pane, x: event.clientX, y: event.clientY, moved: false };
    pane.setPointerCapture(event.pointerId);
  }

  #move(event: PointerEvent): void {
    const press = this.#press;
    if (press) {
      press.moved ||= Math.hypot(event.clientX - press.x, event.clientY - press.y) > SLIP;
      if (press.moved) this.#view.mark("drawn", this.#drawn(press, event));
    }
    const pane = paneOf(event);
    if (pane)
      this.#hearer.point(this.#view, cellAt(this.#view.picture, ...at(pane, event.clientX, event.clientY)));
  }

  #up(event: PointerEvent): void {
    const press = this.#press;
    this.#end();
    if (!press) return;
    // Safari gives it no focus; Esc and the arrow keys need it.
    this.#view.node.focus({ preventScroll: true });
    const [x, y] = at(press.pane, event.clientX, event.clientY);
    const box = press.moved ? this.#drawn(press, event) : cellAt(this.#view.picture, x, y) && [x, y, x, y];
    if (box) this.#hearer.ask(this.#view, box as Box);
  }

  #end(): void {
    this.#press = null;
    this.#view.mark("drawn", null);
  }

  #drawn({ pane, x, y }: Press, event: PointerEvent): Box | null {
    return clip(this.#view.picture, ...at(pane, x, y), ...at(pane, event.clientX, event.clientY));
  }
}

function paneOf(event: PointerEvent): HTMLElement | null {
  return event.target instanceof Element ? event.target.closest<HTMLElement>(".tam-pane") : null;
}

/** A point of the page as fractions of the picture. */
function at(pane: HTMLElement, x: number, y: number): [number, number] {
  const { left, top, width, height } = pane.getBoundingClientRect();
  return [(x - left) / width, (y - top) / height];
}
