import { describe, expect, it } from "vitest";
import type { TokenMap } from "../../src/kernel/tokenmap.ts";
import { inFigures, isUnseen, shareAbove, where } from "../../src/picture/where.ts";
import { frame, picture } from "../support/fakes.ts";

function map(cells: number[], peak = 0.43): TokenMap {
  return {
    tokens: [0],
    candidate: null,
    peak,
    cells: Uint8Array.from(cells),
    relevance: new Uint8Array(),
    relevancePeak: 0,
  };
}

const FLAT = [0, 0, 0, 0];
const HIGH = [0, 9, 254, 0];
const UNSEEN = [255, 255, 255, 255];

describe("where a map peaks", () => {
  it("is a part of the picture, and in figures a row and a column, counted from 1", () => {
    expect(where(map(HIGH), [picture()])).toBe("Lower left");
    expect(inFigures(map(HIGH), [picture()])).toBe("Peak 0.43 at row 2, column 1");
    const at = (cell: number) => map(Array.from({ length: 9 }, (_, i) => (i === cell ? 254 : 0)));
    const parts = Array.from({ length: 9 }, (_, cell) => where(at(cell), [picture({ grid: [3, 3] })]));
    expect(parts.join(", ")).toBe(
      "Upper left, Top, Upper right, Left, Centre, Right, Lower left, Bottom, Lower right",
    );
  });

  it("is a part of the picture, not of what the model saw of it", () => {
    const right = picture({ box: [0.7, 0, 0.3, 1] });
    expect(where(map(HIGH), [right])).toBe("Lower right");
  });

  it("names the picture where there are several", () => {
    const pictures = [picture(), picture({ image: 1 })];
    expect(where(map([...FLAT, ...HIGH]), pictures)).toBe("Lower left of picture 2");
    expect(inFigures(map([...FLAT, ...HIGH]), pictures)).toBe("Peak 0.43 at row 2, column 1 of picture 2");
  });

  it("names a frame by its time", () => {
    expect(where(map([...FLAT, ...HIGH]), [frame(0), frame(3)])).toBe("At 1.5 s, lower left");
    const pictures = [picture(), frame(0, { image: 1 }), frame(1, { image: 1 })];
    expect(where(map([...FLAT, ...FLAT, ...HIGH]), pictures)).toBe("At 0.5 s, lower left of video 2");
    expect(inFigures(map([...FLAT, ...FLAT, ...HIGH]), pictures)).toBe(
      "Peak 0.43 at 0.5 s, row 2, column 1 of video 2",
    );
  });

  it("is where a difference is greatest, on either side", () => {
    const apart = (cells: number[]): TokenMap => ({ ...map(cells), diverging: true });
    expect(where(apart([127, 200, 0, 255]), [picture()])).toBe("Greatest difference −0.43, lower left");
    expect(inFigures(apart([254, 100, 127, 127]), [picture()])).toBe(
      "Greatest difference +0.43 at row 1, column 1",
    );
    expect(where({ ...apart([127, 127, 127, 127]), peak: 0 }, [picture()])).toBe("No difference");
  });

  it("holds a share of the activation above a level", () => {
    expect(shareAbove(map([255, 60, 40, 100]), 50)).toBe(0.8);
    expect(shareAbove(map([255, 0, 0, 0]), 0)).toBe(0);
  });

  it("is nowhere without activation, or before the picture", () => {
    expect(where(map(FLAT, 0), [picture()])).toBe("No image activation");
    expect(where(map(UNSEEN, 0), [picture()])).toBe("Not seen yet: this picture comes later");
    expect(where(map([...UNSEEN, ...UNSEEN], 0), [frame(0), frame(1)])).toBe(
      "Not seen yet: this video comes later",
    );
    expect(isUnseen(map([...UNSEEN, ...FLAT], 0))).toBe(false);
  });
});
