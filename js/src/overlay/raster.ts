/** From a small grid of levels to the pixels of an overlay. Pure arithmetic: no canvas, no DOM. */
import { UNSEEN } from "../kernel/protocol.ts";

export interface Grid {
  rows: number;
  columns: number;
  cells: Uint8Array;
}

/** Fill `out`, row by row, with each pixel's level as the table colours it. */
export type Raster = (
  grid: Grid,
  width: number,
  height: number,
  table: Uint32Array,
  out: Uint32Array,
) => void;

/** Nearest cell: the map as it is. */
export const rasterGrid: Raster = (grid, width, height, table, out) => {
  const columns = Uint16Array.from({ length: width }, (_, x) =>
    Math.floor(((x + 0.5) * grid.columns) / width),
  );
  for (let y = 0, pixel = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * grid.rows) / height) * grid.columns;
    for (let x = 0; x < width; x++) {
      out[pixel++] = table[grid.cells[row + (columns[x] as number)] as number] as number;
    }
  }
};

/**
 * Bilinear on the values, before they are coloured, with cell centres aligned and edges clamped (what OpenCV's INTER_LINEAR
 * and matplotlib do). An unseen cell gives no value to its neighbours.
 */
export const rasterSmooth: Raster = (grid, width, height, table, out) => {
  const blend = grid.cells.includes(UNSEEN) ? blendSeen : blendAll;
  blend(grid, steps(width, grid.columns), steps(height, grid.rows), table, out);
};

type Blend = (grid: Grid, across: Steps, down: Steps, table: Uint32Array, out: Uint32Array) => void;

const blendAll: Blend = ({ columns, cells }, across, down, table, out) => {
  const [width, height] = [across.weight.length, down.weight.length];
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
};

const blendSeen: Blend = ({ columns, cells }, across, down, table, out) => {
  const [width, height] = [across.weight.length, down.weight.length];
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
};

/** For every output pixel: the two cells whose centres it lies between, and how near it is to the second. */
interface Steps {
  first: Uint16Array;
  second: Uint16Array;
  weight: Float32Array;
}

function steps(pixels: number, cells: number): Steps {
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
