/** From a small grid of levels to the pixels of an overlay. Pure arithmetic: no canvas, no DOM. */
import { UNSEEN } from "../kernel/protocol.ts";
import { surface } from "./surface.ts";

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

/** The surface through the cells' values (surface.ts), coloured afterwards. */
export const rasterSmooth: Raster = ({ rows, columns, cells }, width, height, table, out) => {
  const levels = surface({ rows, columns, values: known(cells) }, width, height);
  for (let pixel = 0; pixel < levels.length; pixel++) {
    const level = levels[pixel] as number;
    out[pixel] = table[Number.isNaN(level) ? UNSEEN : (level + 0.5) | 0] as number;
  }
};

/** Levels as numbers, NaN where nothing was seen. */
export function known(cells: Uint8Array): Float32Array {
  return Float32Array.from(cells, (level) => (level === UNSEEN ? Number.NaN : level));
}
