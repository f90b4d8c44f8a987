/** The line around what lies above a threshold: around cells, or around the values between them. Pure but for `stroke`. */
import { type Field, surface } from "./surface.ts";

/** Parts of a cell's side: the surface's contour is curved, and each part is drawn straight. */
const PARTS = 4;

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

/** Marching squares on the surface that raster.ts paints; where it ends, at the grid's edge too, the line ends it. */
function aroundValues(field: Field, threshold: number): number[] {
  const line: number[] = [];
  const [width, height] = [field.columns * PARTS, field.rows * PARTS];
  const values = surface(field, width, height);
  const at = (x: number, y: number) =>
    x < 0 || y < 0 || x >= width || y >= height ? Number.NaN : (values[y * width + x] as number);
  for (let y = -1; y < height; y++) {
    for (let x = -1; x < width; x++) {
      const corners: Corners = [at(x, y), at(x + 1, y), at(x, y + 1), at(x + 1, y + 1)];
      const above = corners.filter((value) => value > threshold).length;
      if (above > 0 && above < 4) march(x, y, corners, threshold, line);
    }
  }
  return line;
}

/** Values of the left top, right top, left bottom and right bottom corner. */
type Corners = [number, number, number, number];

/** Add the line through one square between the middles of four parts. */
function march(column: number, row: number, [a, b, c, d]: Corners, threshold: number, line: number[]): void {
  const crosses = (one: number, other: number) => one > threshold !== other > threshold;
  const share = (one: number, other: number) => {
    const at = (threshold - one) / (other - one);
    return Number.isNaN(at) ? 0.5 : at; // where seen ends, it ends half-way: on the cell's side
  };
  const points: [number, number][] = [];
  if (crosses(a, b)) points.push([share(a, b), 0]);
  if (crosses(b, d)) points.push([1, share(b, d)]);
  if (crosses(d, c)) points.push([share(c, d), 1]);
  if (crosses(c, a)) points.push([0, share(a, c)]);
  // A saddle: what lies in the middle joins two of its corners.
  if (points.length === 4 && a > threshold !== (a + b + c + d) / 4 > threshold) {
    points.unshift(points.pop() as [number, number]);
  }
  for (const [x, y] of points) line.push((column + 0.5 + x) / PARTS, (row + 0.5 + y) / PARTS);
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
