/** Values on a grid, and what lies between them. */

/** Levels up to 254 without a pattern, always the same for a seed. */
export function noise(count: number, seed: number): number[] {
  let last = seed;
  return Array.from({ length: count }, () => {
    last = (last * 1103515245 + 12345) % 2 ** 31;
    return last % 255;
  });
}

/** The smooth surface through the middles of cells, by definition, at a point in cells. */
export function smooth(
  { rows, columns }: { rows: number; columns: number },
  values: ArrayLike<number>,
  x: number,
  y: number,
): number {
  const at = (row: number, column: number) =>
    values[
      Math.min(Math.max(row, 0), rows - 1) * columns + Math.min(Math.max(column, 0), columns - 1)
    ] as number;
  const clamped = (place: number, cells: number) => Math.min(Math.max(place - 0.5, 0), cells - 1);
  const [v, u] = [clamped(y, rows), clamped(x, columns)];
  const [r, c] = [Math.floor(v), Math.floor(u)];
  let sum = 0;
  for (let row = r - 1; row <= r + 2; row++) {
    for (let column = c - 1; column <= c + 2; column++) {
      sum += keys(v - row) * keys(u - column) * at(row, column);
    }
  }
  const around = [at(r, c), at(r, c + 1), at(r + 1, c), at(r + 1, c + 1)];
  return Math.min(Math.max(sum, Math.min(...around)), Math.max(...around));
}

/** Keys' kernel of cubic convolution with a = -1/2, as he writes it. */
function keys(distance: number): number {
  const s = Math.abs(distance);
  if (s < 1) return 1.5 * s ** 3 - 2.5 * s ** 2 + 1;
  return s < 2 ? -0.5 * s ** 3 + 2.5 * s ** 2 - 4 * s + 2 : 0;
}
