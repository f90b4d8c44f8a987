/** From a small grid of levels to the pixels of an overlay. Pure arithmetic: no canvas, no DOM. */
import { UNSEEN } from "../kernel/protocol.ts";

export interface Grid {
  rows: number;
  columns: number;
  cells: Uint8Array;
}

/** Nearest cell: the map as it is. */
export function rasterGrid(
  grid: Grid,
  width: number,
  height: number,
  table: Uint32Array,
  out: Uint32Array,
): void {
  const columns = Uint16Array.from({ length: width }, (_, x) =>
    Math.floor(((x + 0.5) * grid.columns) / width),
  );
  for (let y = 0, pixel = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * grid.rows) / height) * grid.columns;
    for (let x = 0; x < width; x++) {
      out[pixel++] = table[grid.cells[row + (columns[x] as number)] as number] as number;
    }
  }
}

/**
 * Bilinear on the values, before they are coloured, with cell centres aligned and edges clamped (what OpenCV's INTER_LINEAR
 * and matplotlib do). An unseen cell gives no value to its neighbours.
 */
export function rasterSmooth(
  grid: Grid,
  width: number,
  height: number,
  table: Uint32Array,
  out: Uint32Array,
): void {
  if (grid.cells.includes(UNSEEN)) {
    rasterPartlySeen(grid, width, height, table, out);
    return;
  }
  const { rows, columns, cells } = grid;
  const across = steps(width, columns);
  const down = steps(height, rows);
  const line = new Float32Array(columns);
  for (let y = 0, pixel = 0; y < height; y++) {
    const upper = (down.first[y] as number) * columns;
    const lower = (down.second[y] as number) * columns;
    const t = down.weight[y] as number;
    for (let c = 0; c < columns; c++) {
      line[c] = (cells[upper + c] as number) * (1 - t) + (cells[lower + c] as number) * t;
    }
    for (let x = 0; x < width; x++) {
      const left = line[across.first[x] as number] as number;
      const right = line[across.second[x] as number] as number;
      out[pixel++] = table[(left + (right - left) * (across.weight[x] as number) + 0.5) | 0] as number;
    }
  }
}

function rasterPartlySeen(
  grid: Grid,
  width: number,
  height: number,
  table: Uint32Array,
  out: Uint32Array,
): void {
  const { rows, columns, cells } = grid;
  const across = steps(width, columns);
  const down = steps(height, rows);
  for (let y = 0, pixel = 0; y < height; y++) {
    const ty = down.weight[y] as number;
    for (let x = 0; x < width; x++) {
      const tx = across.weight[x] as number;
      let sum = 0;
      let seen = 0;
      let nearest = UNSEEN;
      let nearestWeight = -1;
      for (let corner = 0; corner < 4; corner++) {
        const row = (corner & 2 ? down.second[y] : down.first[y]) as number;
        const column = (corner & 1 ? across.second[x] : across.first[x]) as number;
        const weight = (corner & 2 ? ty : 1 - ty) * (corner & 1 ? tx : 1 - tx);
        const level = cells[row * columns + column] as number;
        if (weight > nearestWeight) {
          nearestWeight = weight;
          nearest = level;
        }
        if (level !== UNSEEN) {
          sum += weight * level;
          seen += weight;
        }
      }
      const level = nearest === UNSEEN ? UNSEEN : (sum / seen + 0.5) | 0;
      out[pixel++] = table[level] as number;
    }
  }
}

/** For every output pixel: the two cells whose centres it lies between, and how near it is to the second. */
function steps(pixels: number, cells: number) {
  const first = new Uint16Array(pixels);
  const second = new Uint16Array(pixels);
  const weight = new Float32Array(pixels);
  for (let i = 0; i < pixels; i++) {
    const at = Math.min(Math.max(((i + 0.5) * cells) / pixels - 0.5, 0), cells - 1);
    const low = Math.floor(at);
    first[i] = low;
    second[i] = Math.min(low + 1, cells - 1);
    weight[i] = at - low;
  }
  return { first, second, weight };
}
