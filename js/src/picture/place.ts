/** Places on a picture: from the pointer to cells, from cells to boxes, and their names. Pure. */
import type { Picture, Region } from "../kernel/protocol.ts";

export type Box = Region["box"];

/** Rows and columns [first, last], counted from 0. */
export interface Cells {
  rows: [number, number];
  columns: [number, number];
}

/** The cell under a point, both as fractions of the picture; null beside the grid. */
export function cellAt(picture: Picture, x: number, y: number): [number, number] | null {
  const [left, top, width, height] = picture.box;
  const [rows, columns] = picture.grid;
  const row = Math.floor(((y - top) / height) * rows);
  const column = Math.floor(((x - left) / width) * columns);
  return row >= 0 && row < rows && column >= 0 && column < columns ? [row, column] : null;
}

/** The cells that a box touches; of a point the one that holds it. Null where it lies beside the grid. */
export function cellsOf(picture: Picture, box: Box): Cells | null {
  const [left, top, width, height] = picture.box;
  const rows = span((box[1] - top) / height, (box[3] - top) / height, picture.grid[0]);
  const columns = span((box[0] - left) / width, (box[2] - left) / width, picture.grid[1]);
  return rows && columns ? { rows, columns } : null;
}

function span(start: number, end: number, count: number): [number, number] | null {
  // A box that ends on a cell's edge does not touch the next; dividing must not say it does.
  const first = Math.floor(start * count + 1e-9);
  const last = Math.max(first, Math.ceil(end * count - 1e-9) - 1);
  return last >= 0 && first < count ? [Math.max(first, 0), Math.min(last, count - 1)] : null;
}

/** The box around cells, no larger than the picture. */
export function boxOf(picture: Picture, { rows, columns }: Cells): Box {
  const [left, top, width, height] = picture.box;
  const x = (column: number) => within(left + (column / picture.grid[1]) * width);
  const y = (row: number) => within(top + (row / picture.grid[0]) * height);
  return [x(columns[0]), y(rows[0]), x(columns[1] + 1), y(rows[1] + 1)];
}

/** The part of a box, given by two corners, that a picture and its grid share; null for none. */
export function clip(picture: Picture, x0: number, y0: number, x1: number, y1: number): Box | null {
  const [left, top, width, height] = picture.box;
  const box: Box = [
    Math.max(Math.min(x0, x1), left, 0),
    Math.max(Math.min(y0, y1), top, 0),
    Math.min(Math.max(x0, x1), left + width, 1),
    Math.min(Math.max(y0, y1), top + height, 1),
  ];
  return box[0] < box[2] && box[1] < box[3] ? box : null;
}

/** Counted from 1. */
export function nameOf({ rows, columns }: Cells): string {
  return `${name("row", rows)}, ${name("column", columns)}`;
}

function name(what: string, [first, last]: [number, number]): string {
  return first === last ? `${what} ${first + 1}` : `${what}s ${first + 1}–${last + 1}`;
}

function within(share: number): number {
  return Math.min(Math.max(share, 0), 1);
}
