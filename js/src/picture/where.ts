/** Where a map peaks, or why it does not, in words. */
import { PEAK_LEVEL, type Picture, UNSEEN } from "../kernel/protocol.ts";
import type { TokenMap } from "../kernel/tokenmap.ts";
import { shareOf } from "../overlay/colormap.ts";
import { decimals, seconds, signed } from "../page/numbers.ts";

/** Whether the token came before all pictures. */
export function isUnseen(map: TokenMap): boolean {
  return map.cells.every((level) => level === UNSEEN);
}

/** Why there is no peak. */
export function nothing(map: TokenMap, pictures: Picture[]): string {
  if (!isUnseen(map)) return map.diverging ? "No difference" : "No image activation";
  if (several(pictures)) return "Not seen yet: the pictures come later";
  return `Not seen yet: this ${kind(pictures[0])} comes later`;
}

/** The cell where a map peaks; where a difference is greatest. Rows and columns count from 1. */
export function where(map: TokenMap, pictures: Picture[]): string {
  if (map.peak <= 0) return nothing(map, pictures);
  let cell = peakCell(map);
  const share = shareOf(map.cells[cell] as number, map.diverging);
  for (const picture of pictures) {
    const [rows, columns] = picture.grid;
    if (cell < rows * columns) {
      const place = placeName(picture, [Math.floor(cell / columns), cell % columns], several(pictures));
      const value = map.diverging ? signed(share * map.peak) : decimals(map.peak);
      return `${map.diverging ? "Greatest difference" : "Peak"} ${value} at ${place}`;
    }
    cell -= rows * columns;
  }
  return "";
}

/** A cell's place. */
export function placeName(
  picture: Picture,
  [row, column]: [number, number],
  isOneOfSeveral: boolean,
): string {
  const time = picture.time === null ? "" : `${seconds(picture.time)}, `;
  const which = isOneOfSeveral ? ` of ${kind(picture)} ${picture.image + 1}` : "";
  return `${time}row ${row + 1}, column ${column + 1}${which}`;
}

export function several(pictures: Picture[]): boolean {
  return pictures.some((picture) => picture.image > 0);
}

/** Plain loops: a video has a quarter of a million cells, and a hover waits for this. */
function peakCell({ cells, diverging }: TokenMap): number {
  if (!diverging) return cells.indexOf(PEAK_LEVEL);
  let most = -1;
  let found = 0;
  for (let i = 0; i < cells.length; i++) {
    const level = cells[i] as number;
    const share = level === UNSEEN ? -1 : Math.abs(shareOf(level, true));
    if (share > most) {
      most = share;
      found = i;
    }
  }
  return found;
}

function kind(picture: Picture | undefined): string {
  return picture?.frame == null ? "picture" : "video";
}
