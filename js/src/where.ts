/** Where a map peaks, or why it does not, in words. */
import { decimals } from "./legend.ts";
import { PEAK_LEVEL, type Picture, UNSEEN } from "./protocol.ts";
import type { TokenMap } from "./tokenmap.ts";

/** A frame's time as a person reads it; figures do the same (`tam_widget/figure_style.py`). */
export function seconds(time: number): string {
  return `${time.toFixed(2).replace(/0$/, "")} s`;
}

/** Whether the token came before all pictures. */
export function isUnseen(map: TokenMap): boolean {
  return map.cells.every((level) => level === UNSEEN);
}

/** Why there is no peak. */
export function nothing(map: TokenMap, pictures: Picture[]): string {
  if (!isUnseen(map)) return "No image activation";
  if (several(pictures)) return "Not seen yet: the pictures come later";
  return `Not seen yet: this ${kind(pictures[0])} comes later`;
}

/** The cell where a map peaks. Rows and columns count from 1. */
export function where(map: TokenMap, pictures: Picture[]): string {
  if (map.peak <= 0) return nothing(map, pictures);
  let cell = map.cells.indexOf(PEAK_LEVEL);
  for (const picture of pictures) {
    const [rows, columns] = picture.grid;
    if (cell < rows * columns) {
      const time = picture.time === null ? "" : `${seconds(picture.time)}, `;
      const place = `row ${Math.floor(cell / columns) + 1}, column ${(cell % columns) + 1}`;
      const which = several(pictures) ? ` of ${kind(picture)} ${picture.image + 1}` : "";
      return `Peak ${decimals(map.peak)} at ${time}${place}${which}`;
    }
    cell -= rows * columns;
  }
  return "";
}

function several(pictures: Picture[]): boolean {
  return pictures.some((picture) => picture.image > 0);
}

function kind(picture: Picture | undefined): string {
  return picture?.frame == null ? "picture" : "video";
}
