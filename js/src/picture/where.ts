/** Where a map peaks, in words and in figures, or why it does not. */
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

/** The part of the picture where a map peaks; where a difference is greatest. */
export function where(map: TokenMap, pictures: Picture[]): string {
  const peak = find(map, pictures);
  if (!peak) return nothing(map, pictures);
  const [picture, cell, level] = peak;
  const part = partOf(picture, cell);
  const time = picture.time === null ? "" : `at ${seconds(picture.time)}, `;
  const which = several(pictures) ? ` of ${kind(picture)} ${picture.image + 1}` : "";
  const value = map.diverging ? `greatest difference ${signed(shareOf(level, true) * map.peak)}, ` : "";
  const text = `${value}${time}${part}${which}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The same in figures: the value, and the cell. Rows and columns count from 1. */
export function inFigures(map: TokenMap, pictures: Picture[]): string {
  const peak = find(map, pictures);
  if (!peak) return "";
  const [picture, cell, level] = peak;
  const value = map.diverging ? signed(shareOf(level, true) * map.peak) : decimals(map.peak);
  const place = placeName(picture, cell, several(pictures));
  return `${map.diverging ? "Greatest difference" : "Peak"} ${value} at ${place}`;
}

/** How much of the activation lies in cells above a level. */
export function shareAbove({ cells }: TokenMap, threshold: number): number {
  let all = 0;
  let above = 0;
  for (let i = 0; i < cells.length; i++) {
    const level = cells[i] as number;
    if (level === UNSEEN) continue;
    all += level;
    if (level > threshold) above += level;
  }
  return all > 0 ? above / all : 0;
}

const PARTS = [
  ["upper left", "top", "upper right"],
  ["left", "centre", "right"],
  ["lower left", "bottom", "lower right"],
] as const;

/** The ninth of the picture that the middle of a cell lies in. */
function partOf({ box, grid }: Picture, [row, column]: [number, number]): string {
  const third = (at: number) => Math.min(Math.max(Math.floor(at * 3), 0), 2) as 0 | 1 | 2;
  const down = box[1] + ((row + 0.5) / grid[0]) * box[3];
  const across = box[0] + ((column + 0.5) / grid[1]) * box[2];
  return PARTS[third(down)][third(across)];
}

function find(map: TokenMap, pictures: Picture[]): [Picture, [number, number], number] | null {
  if (map.peak <= 0) return null;
  let cell = peakCell(map);
  const level = map.cells[cell] as number;
  for (const picture of pictures) {
    const [rows, columns] = picture.grid;
    if (cell < rows * columns) return [picture, [Math.floor(cell / columns), cell % columns], level];
    cell -= rows * columns;
  }
  return null;
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
