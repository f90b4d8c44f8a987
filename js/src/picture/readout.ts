/** The value under the pointer, in one line that never changes its height. */
import type { Picture } from "../kernel/protocol.ts";
import { UNSEEN } from "../kernel/protocol.ts";
import type { TokenMap } from "../kernel/tokenmap.ts";
import { shareOf } from "../overlay/colormap.ts";
import { element } from "../page/dom.ts";
import { decimals, signed } from "../page/numbers.ts";
import { placeName } from "./where.ts";

const IDLE = "Click or draw a box: which words?";

export class ReadoutView {
  readonly node = element("div", "tam-readout", {}, IDLE);

  /** `index` is the cell's among all of the map's cells. */
  show(
    map: TokenMap | null,
    index: number,
    picture: Picture,
    cell: [number, number],
    several: boolean,
  ): void {
    const place = placeName(picture, cell, several);
    this.node.replaceChildren(
      map ? element("b", "", {}, read(map, index)) : "",
      map ? ` at ${place}` : place,
    );
  }

  clear(): void {
    this.node.textContent = IDLE;
  }
}

function read(map: TokenMap, index: number): string {
  const level = map.cells[index] as number;
  if (level === UNSEEN) return "not seen";
  const value = shareOf(level, map.diverging) * map.peak;
  return map.diverging ? signed(value) : decimals(value);
}
