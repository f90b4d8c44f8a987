/** The smooth surface through a small grid's values. Pure arithmetic: no canvas, no DOM. */

export interface Field {
  rows: number;
  columns: number;
  /** NaN where nothing was seen. */
  values: Float32Array;
}

/** How far beyond the cells that a pixel lies between the surface reaches: so many rings of unseen cells are filled. */
const REACH = 2;

/**
 * Cubic convolution (Keys, 1981: a = -1/2) with cell centres aligned and edges clamped, held between the least and the
 * greatest of the four values that a pixel lies between: a cell's centre has the cell's own value, a lone peak is round, and
 * nothing rises or dips that no cell does. An unseen cell gives no value to its neighbours; its own pixels are NaN.
 * `tam_widget.figures.blend` has the same rules: change them together.
 */
export function surface(field: Field, width: number, height: number): Float32Array {
  const { rows, columns } = field;
  const isWhole = !field.values.some(Number.isNaN);
  const values = isWhole ? field.values : filled(field);
  const [across, down] = [taps(width, columns), taps(height, rows)];
  const out = new Float32Array(width * height);
  const [line, low, high] = [0, 1, 2].map(() => new Float32Array(columns)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  for (let y = 0, pixel = 0; y < height; y++) {
    const [a, b, c, d] = [0, 1, 2, 3].map((tap) => (down.at[4 * y + tap] as number) * columns) as Four;
    const [s, t, u, v] = [0, 1, 2, 3].map((tap) => down.weight[4 * y + tap] as number) as Four;
    for (let column = 0; column < columns; column++) {
      const [upper, lower] = [values[b + column] as number, values[c + column] as number];
      line[column] =
        s * (values[a + column] as number) + t * upper + u * lower + v * (values[d + column] as number);
      low[column] = Math.min(upper, lower);
      high[column] = Math.max(upper, lower);
    }
    for (let x = 0, tap = 0; x < width; x++, tap += 4) {
      const [left, right] = [across.at[tap + 1] as number, across.at[tap + 2] as number];
      const value =
        (across.weight[tap] as number) * (line[across.at[tap] as number] as number) +
        (across.weight[tap + 1] as number) * (line[left] as number) +
        (across.weight[tap + 2] as number) * (line[right] as number) +
        (across.weight[tap + 3] as number) * (line[across.at[tap + 3] as number] as number);
      const least = Math.min(low[left] as number, low[right] as number);
      const most = Math.max(high[left] as number, high[right] as number);
      out[pixel++] = value < least ? least : value > most ? most : value;
    }
  }
  if (!isWhole) takeOut(field, out, width, height);
  return out;
}

type Four = [number, number, number, number];

/** For every pixel of a line: the four cells whose values it takes, and how much of each. */
interface Taps {
  at: Uint16Array;
  weight: Float32Array;
}

function taps(pixels: number, cells: number): Taps {
  const at = new Uint16Array(4 * pixels);
  const weight = new Float32Array(4 * pixels);
  for (let i = 0; i < pixels; i++) {
    const place = Math.min(Math.max(((i + 0.5) * cells) / pixels - 0.5, 0), cells - 1);
    const first = Math.floor(place);
    for (let tap = 0; tap < 4; tap++) {
      at[4 * i + tap] = Math.min(Math.max(first + tap - 1, 0), cells - 1);
      weight[4 * i + tap] = keys(Math.abs(place - first - tap + 1));
    }
  }
  return { at, weight };
}

function keys(distance: number): number {
  if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
  return ((2.5 - 0.5 * distance) * distance - 4) * distance + 2;
}

/** Give unseen cells beside seen ones the mean of their seen neighbours, ring by ring; the others 0. */
function filled({ rows, columns, values }: Field): Float32Array {
  let known = values;
  for (let ring = 0; ring < REACH; ring++) {
    const next = known.slice();
    for (let cell = 0; cell < next.length; cell++) {
      if (!Number.isNaN(known[cell])) continue;
      const [row, column] = [Math.floor(cell / columns), cell % columns];
      let sum = 0;
      let count = 0;
      for (let y = Math.max(row - 1, 0); y <= Math.min(row + 1, rows - 1); y++) {
        for (let x = Math.max(column - 1, 0); x <= Math.min(column + 1, columns - 1); x++) {
          const value = known[y * columns + x] as number;
          if (Number.isNaN(value)) continue;
          sum += value;
          count++;
        }
      }
      if (count > 0) next[cell] = sum / count;
    }
    known = next;
  }
  return known.map((value) => (Number.isNaN(value) ? 0 : value));
}

/** Make NaN of the pixels that lie in unseen cells. */
function takeOut({ rows, columns, values }: Field, out: Float32Array, width: number, height: number): void {
  for (let y = 0, pixel = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * rows) / height) * columns;
    for (let x = 0; x < width; x++, pixel++) {
      if (Number.isNaN(values[row + Math.floor(((x + 0.5) * columns) / width)])) out[pixel] = Number.NaN;
    }
  }
}
