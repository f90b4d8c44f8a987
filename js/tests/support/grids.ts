/** Values on a grid, and what lies between them. */

/** Levels up to 254 without a pattern, always the same for a seed. */
export function noise(count: number, seed: number): number[] {
  let last = seed;
  return Array.from({ length: count }, () => {
    last = (last * 1103515245 + 12345) % 2 ** 31;
    return last % 255;
  });
}

/** The bilinear surface through the middles of cells, by definition, at a point in cells. */
export function bilinear(
  { rows, columns }: { rows: number; columns: number },
  values: ArrayLike<number>,
  x: number,
  y: number,
): number {
  const at = (row: number, column: number) =>
    values[
      Math.min(Math.max(row, 0), rows - 1) * columns + Math.min(Math.max(column, 0), columns - 1)
    ] as number;
  const [v, u] = [y - 0.5, x - 0.5];
  const [r, c] = [Math.floor(v), Math.floor(u)];
  const [t, s] = [v - r, u - c];
  return (
    (at(r, c) * (1 - s) + at(r, c + 1) * s) * (1 - t) + (at(r + 1, c) * (1 - s) + at(r + 1, c + 1) * s) * t
  );
}
