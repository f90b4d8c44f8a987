/** The other direction, from embedded maps: how strongly each token responds to a part of a picture. */
import { type EmbeddedMaps, PEAK_LEVEL, type Picture, type Region, UNSEEN } from "./protocol.ts";
import { bytes } from "./tokenmap.ts";

/**
 * The mean of each token's map over a region, each cell by how much of it the region holds, as `tam_widget/explanation/region.py` does
 * it; NaN where the token has seen none of it. null where the region holds nothing of the picture's grid.
 */
export function responses(maps: EmbeddedMaps, pictures: Picture[], region: Region): Float32Array | null {
  let start = 0;
  let found: Picture | undefined;
  let cellCount = 0;
  for (const picture of pictures) {
    if (picture.image === region.image && picture.frame === region.frame) {
      found = picture;
      start = cellCount;
    }
    cellCount += picture.grid[0] * picture.grid[1];
  }
  const weights = found && weigh(found, region.box);
  if (!weights?.length) return null;
  const cells = bytes(maps.cells);
  return Float32Array.from(maps.peaks, (peak, token) => {
    let sum = 0;
    let seen = 0;
    for (const [cell, weight] of weights) {
      const level = cells[token * cellCount + start + cell] as number;
      if (level === UNSEEN) continue;
      sum += level * weight;
      seen += weight;
    }
    return seen > 0 ? ((sum / seen) * peak) / PEAK_LEVEL : Number.NaN;
  });
}

/** The cells that a box holds some of, with how much of each. */
function weigh({ grid: [rows, columns], box: [x, y, width, height] }: Picture, box: Region["box"]) {
  const across = shares((box[0] - x) / width, (box[2] - x) / width, columns);
  const down = shares((box[1] - y) / height, (box[3] - y) / height, rows);
  return down.flatMap(([row, high]) =>
    across.map(([column, wide]) => [row * columns + column, high * wide] as const),
  );
}

/** How much of each of some equal cells between 0 and 1 an interval holds; of a point, its cell alone. */
function shares(low: number, high: number, count: number): [cell: number, share: number][] {
  const found: [number, number][] = [];
  const from = low * count;
  const to = high * count;
  for (let cell = Math.max(Math.floor(from), 0); cell < count && cell <= to; cell++) {
    const share = from === to ? 1 : Math.min(cell + 1, to) - Math.max(cell, from);
    if (share > 0) found.push([cell, share]);
  }
  return found;
}
