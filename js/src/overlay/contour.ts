/** The line around what lies above a threshold: around cells, or around the values between them. Pure but for `stroke`. */

/** Parts of a cell's side: a bilinear surface's contour is curved, and each part is drawn straight. */
const PARTS = 4;

export interface Field {
  rows: number;
  columns: number;
  /** NaN where nothing was seen: never above. */
  values: Float32Array;
}

/** Pieces of the line, x0, y0, x1, y1 each, in cells from the grid's corner. The grid's edge closes it. */
export function outline(field: Field, threshold: number, smooth: boolean): number[] {
  return smooth ? aroundValues(field, threshold) : aroundCells(field, threshold);
}

function aroundCells({ rows, columns, values }: Field, threshold: number): number[] {
  const line: number[] = [];
  const isAbove = (row: number, column: number) =>
    row >= 0 &&
    row < rows &&
    column >= 0 &&
    column < columns &&
    (values[row * columns + column] as number) > threshold;
  for (let row = 0; row <= rows; row++) {
    for (let column = 0; column <= columns; column++) {
      const here = isAbove(row, column);
      if (here !== isAbove(row - 1, column)) line.push(column, row, column + 1, row);
      if (here !== isAbove(row, column - 1)) line.push(column, row, column, row + 1);
    }
  }
  return line;
}

/** Marching squares between the cells' centres, on the same values that raster.ts paints. */
function aroundValues({ rows, columns, values }: Field, threshold: number): number[] {
  const line: number[] = [];
  // Two rings more on each side: the clamped edge, and outside it nothing.
  const at = (row: number, column: number) =>
    row < -1 || row > rows || column < -1 || column > columns
      ? Number.NaN
      : (values[clamp(row, rows - 1) * columns + clamp(column, columns - 1)] as number);
  for (let row = -2; row <= rows; row++) {
    for (let column = -2; column <= columns; column++) {
      const corners: Corners = [
        at(row, column),
        at(row, column + 1),
        at(row + 1, column),
        at(row + 1, column + 1),
      ];
      const above = corners.filter((value) => value > threshold).length;
      if (above === 0 || above === 4) continue;
      const square: Square = [
        clamp(column + 0.5, columns),
        clamp(row + 0.5, rows),
        clamp(column + 1.5, columns),
        clamp(row + 1.5, rows),
      ];
      const parts = corners.some(Number.isNaN) ? 1 : PARTS;
      for (let i = 0; i < parts * parts; i++) march(part(square, corners, i, parts), threshold, line);
    }
  }
  return line;
}

/** Values of the left top, right top, left bottom and right bottom corner. */
type Corners = [number, number, number, number];
/** Left, top, right, bottom. */
type Square = [number, number, number, number];

function part([left, top, right, bottom]: Square, corners: Corners, i: number, parts: number) {
  if (parts === 1) return { square: [left, top, right, bottom] as Square, corners };
  const [u, v, step] = [(i % parts) / parts, Math.floor(i / parts) / parts, 1 / parts];
  const [a, b, c, d] = corners;
  const value = (s: number, t: number) => (a * (1 - s) + b * s) * (1 - t) + (c * (1 - s) + d * s) * t;
  const x = (s: number) => left + (right - left) * s;
  const y = (t: number) => top + (bottom - top) * t;
  return {
    square: [x(u), y(v), x(u + step), y(v + step)] as Square,
    corners: [value(u, v), value(u + step, v), value(u, v + step), value(u + step, v + step)] as Corners,
  };
}

function march({ square, corners }: { square: Square; corners: Corners }, threshold: number, line: number[]) {
  const [left, top, right, bottom] = square;
  const [a, b, c, d] = corners;
  const crosses = (one: number, other: number) => one > threshold !== other > threshold;
  const share = (one: number, other: number) => {
    const at = (threshold - one) / (other - one);
    return Number.isNaN(at) ? 0.5 : at; // where seen ends, it ends half-way
  };
  const x = (one: number, other: number) => left + (right - left) * share(one, other);
  const y = (one: number, other: number) => top + (bottom - top) * share(one, other);
  const points: [number, number][] = [];
  if (crosses(a, b)) points.push([x(a, b), top]);
  if (crosses(b, d)) points.push([right, y(b, d)]);
  if (crosses(d, c)) points.push([x(c, d), bottom]);
  if (crosses(c, a)) points.push([left, y(a, c)]);
  // A saddle: what lies in the middle joins two of its corners.
  if (points.length === 4 && a > threshold !== (a + b + c + d) / 4 > threshold) {
    points.unshift(points.pop() as [number, number]);
  }
  for (let i = 0; i + 1 < points.length; i += 2) {
    line.push(...(points[i] as [number, number]), ...(points[i + 1] as [number, number]));
  }
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}

/** Draw the line over a canvas: light on dark, so that it is seen on any ground. `unit` is a CSS pixel. */
export function stroke(
  context: CanvasRenderingContext2D,
  line: number[],
  { rows, columns }: Field,
  unit: number,
): void {
  // A cell's side lies between two pixels, and is drawn as crisp as they are.
  const put = (at: number, size: number) => (Number.isInteger(at) ? Math.round(at * size) : at * size);
  const [across, down] = [context.canvas.width / columns, context.canvas.height / rows];
  context.beginPath();
  for (let i = 0; i < line.length; i += 4) {
    context.moveTo(put(line[i] as number, across), put(line[i + 1] as number, down));
    context.lineTo(put(line[i + 2] as number, across), put(line[i + 3] as number, down));
  }
  context.lineCap = "round";
  for (const [colour, width] of [
    ["#000", 3.5],
    ["#fff", 1.5],
  ] as const) {
    context.strokeStyle = colour;
    context.lineWidth = Math.round(width * unit);
    context.stroke();
  }
}
