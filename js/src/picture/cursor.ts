/** Walking over the cells of the pictures by keyboard. With Shift a box grows from where it began; Enter asks for it. */
import { listen } from "../page/bind.ts";
import type { Hearer } from "./gestures.ts";
import type { PictureView } from "./picture.ts";
import { type Box, boxOf, type Cells } from "./place.ts";

type Cell = [number, number];

export interface Walker extends Hearer {
  /** The cursor is on these cells. */
  reach(view: PictureView, cells: Cells): void;
}

const STEPS: Record<string, Cell> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

export class Cursor {
  readonly #views: readonly PictureView[];
  readonly #hearer: Walker;
  /** Where the box began, and where it ends. */
  readonly #ends = new Map<PictureView, [Cell, Cell]>();

  constructor(views: readonly PictureView[], hearer: Walker, signal: AbortSignal) {
    this.#views = views;
    this.#hearer = hearer;
    for (const view of views) {
      listen(view.node, "keydown", (event) => this.#key(view, event), signal);
      listen(view.node, "blur", () => this.#leave(view), signal);
    }
  }

  #key(view: PictureView, event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEPS[event.key];
    const asks = event.key === "Enter" || event.key === " ";
    if (!step && (!asks || event.shiftKey)) return;
    event.preventDefault();
    event.stopPropagation(); // neither the notebook nor the strip may take it
    if (step) this.#step(view, step, event.shiftKey);
    else this.#hearer.ask(view, this.#asked(view));
  }

  #step(view: PictureView, [down, across]: Cell, grows: boolean): void {
    const [rows, columns] = view.picture.grid;
    const known = this.#ends.get(view);
    const [start, [row, column]] = known ?? [null, middle(view)];
    let end: Cell = known ? [row + down, column + across] : [row, column];
    const beside = this.#views[this.#views.indexOf(view) + across];
    if (!grows && (end[1] < 0 || end[1] >= columns) && beside?.picture.image === view.picture.image) {
      // On to the next frame of the video.
      this.#ends.set(
        beside,
        [end, end].map(([r]) => [r, across > 0 ? 0 : beside.picture.grid[1] - 1]) as [Cell, Cell],
      );
      beside.node.focus();
      this.#show(beside);
      return;
    }
    end = [clamp(end[0], rows), clamp(end[1], columns)];
    this.#ends.set(view, [grows && start ? start : end, end]);
    this.#show(view);
  }

  #show(view: PictureView): void {
    const cells = this.#cells(view);
    view.mark("cursor", boxOf(view.picture, cells));
    this.#hearer.point(view, (this.#ends.get(view) as [Cell, Cell])[1]);
    this.#hearer.reach(view, cells);
  }

  /** One cell is asked for as a point, as by a click. */
  #asked(view: PictureView): Box {
    const { rows, columns } = this.#cells(view);
    const box = boxOf(view.picture, { rows, columns });
    if (rows[0] !== rows[1] || columns[0] !== columns[1]) return box;
    const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
    return [x, y, x, y];
  }

  #cells(view: PictureView): Cells {
    const [start, end] = this.#ends.get(view) ?? [middle(view), middle(view)];
    return {
      rows: [Math.min(start[0], end[0]), Math.max(start[0], end[0])],
      columns: [Math.min(start[1], end[1]), Math.max(start[1], end[1])],
    };
  }

  #leave(view: PictureView): void {
    if (!this.#ends.delete(view)) return;
    view.mark("cursor", null);
    this.#hearer.point(view, null);
  }
}

function middle(view: PictureView): Cell {
  const [rows, columns] = view.picture.grid;
  return [Math.floor((rows - 1) / 2), Math.floor((columns - 1) / 2)];
}

function clamp(value: number, count: number): number {
  return Math.min(Math.max(value, 0), count - 1);
}
