import { describe, expect, it } from "vitest";
import { boxOf, cellAt, cellsOf, clip, nameOf } from "../../src/picture/place.ts";
import { picture } from "../support/fakes.ts";

const whole = picture({ grid: [4, 8] });
/** The grid covers the middle half of the width, and reaches beyond the picture's height. */
const part = picture({ grid: [4, 8], box: [0.25, -0.5, 0.5, 2] });

describe("cells", () => {
  it("are found under a point", () => {
    expect(cellAt(whole, 0, 0)).toEqual([0, 0]);
    expect(cellAt(whole, 0.999, 0.6)).toEqual([2, 7]);
    expect(cellAt(part, 0.26, 0.5)).toEqual([2, 0]);
    expect(cellAt(part, 0.2, 0.5)).toBeNull();
  });

  it("are those that a box touches, and of a point the one that holds it", () => {
    expect(cellsOf(whole, [0.2, 0.3, 0.2, 0.3])).toEqual({ rows: [1, 1], columns: [1, 1] });
    expect(cellsOf(whole, [0.2, 0.3, 0.5, 0.8])).toEqual({ rows: [1, 3], columns: [1, 3] });
    expect(cellsOf(part, [0, 0, 0.2, 1])).toBeNull();
    expect(nameOf({ rows: [1, 3], columns: [1, 1] })).toBe("rows 2–4, column 2");
  });

  it("have the box that they came from", () => {
    for (const [rows, columns] of [
      [
        [0, 0],
        [7, 7],
      ],
      [
        [1, 2],
        [3, 6],
      ],
    ] as [[number, number], [number, number]][]) {
      expect(cellsOf(whole, boxOf(whole, { rows, columns }))).toEqual({ rows, columns });
    }
    expect(boxOf(part, { rows: [0, 3], columns: [0, 7] })).toEqual([0.25, 0, 0.75, 1]);
  });
});

describe("clip", () => {
  it("turns corners into a box on the picture and its grid", () => {
    expect(clip(whole, 0.8, 0.9, 0.1, -0.3)).toEqual([0.1, 0, 0.8, 0.9]);
    expect(clip(part, 0, 0.25, 1, 0.5)).toEqual([0.25, 0.25, 0.75, 0.5]);
    expect(clip(part, 0, 0, 0.2, 1)).toBeNull();
  });
});
