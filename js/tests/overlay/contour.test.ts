import { describe, expect, it } from "vitest";
import { outline } from "../../src/overlay/contour.ts";
import type { Field } from "../../src/overlay/surface.ts";
import { noise, smooth } from "../support/grids.ts";

function field(rows: number, columns: number, values: number[]): Field {
  return { rows, columns, values: Float32Array.from(values) };
}

/** Segments as [x0, y0, x1, y1]. */
function segments(line: number[]): number[][] {
  return Array.from({ length: line.length / 4 }, (_, i) => line.slice(4 * i, 4 * i + 4));
}

function random(rows: number, columns: number, unseen = 0): Field {
  const values = noise(rows * columns, 5);
  return field(rows, columns, values.fill(Number.NaN, 0, unseen));
}

/** Every point where pieces meet has an even number of ends: no line ends anywhere. */
function isClosed(line: number[]): boolean {
  const ends = new Map<string, number>();
  for (const [x0, y0, x1, y1] of segments(line) as [number, number, number, number][]) {
    if (Math.hypot(x1 - x0, y1 - y0) < 1e-9) continue;
    for (const [x, y] of [
      [x0, y0],
      [x1, y1],
    ] as const) {
      const key = `${x.toFixed(4)} ${y.toFixed(4)}`;
      ends.set(key, (ends.get(key) ?? 0) + 1);
    }
  }
  return [...ends.values()].every((count) => count % 2 === 0);
}

describe("around cells", () => {
  it("runs along the sides of the cells above the threshold", () => {
    const line = segments(outline(field(2, 3, [0, 9, 0, 0, 0, 0]), 5, false));
    expect(line).toEqual(
      expect.arrayContaining([
        [1, 0, 2, 0],
        [1, 0, 1, 1],
        [2, 0, 2, 1],
        [1, 1, 2, 1],
      ]),
    );
    expect(line).toHaveLength(4);
  });

  it("has no line between two such cells, nor around what is as high as the threshold", () => {
    expect(segments(outline(field(1, 3, [9, 9, 5]), 5, false))).toHaveLength(6);
  });

  it("is closed, with unseen cells outside", () => {
    expect(isClosed(outline(random(7, 9, 12), 128, false))).toBe(true);
  });
});

describe("around values", () => {
  it("lies on the threshold of the painted surface, or on the grid's edge", () => {
    const one = random(6, 8);
    const line = segments(outline(one, 128, true));
    expect(line.length).toBeGreaterThan(100);
    for (const [x0, y0] of line as [number, number][]) {
      const isEdge = x0 === 0 || y0 === 0 || x0 === 8 || y0 === 6;
      const value = smooth(one, one.values, x0, y0); // as raster.ts paints it
      if (isEdge) expect(value).toBeGreaterThan(128 - 1e-3);
      // Straight between the parts of a cell: a few levels of 255 beside the curve.
      else expect(Math.abs(value - 128)).toBeLessThan(4);
    }
  });

  it("is closed, at the edge of the grid and of what is seen too", () => {
    expect(isClosed(outline(random(6, 8), 128, true))).toBe(true);
    expect(isClosed(outline(random(6, 8, 11), 128, true))).toBe(true);
  });

  it("runs half-way between a seen and an unseen cell", () => {
    const line = segments(outline(field(1, 2, [9, Number.NaN]), 5, true));
    const xs = line.flatMap(([x0, , x1]) => [x0, x1]);
    expect(Math.max(...(xs as number[]))).toBe(1);
  });

  it("is not there where nothing lies above", () => {
    expect(outline(field(2, 2, [1, 1, 1, 1]), 1, true)).toEqual([]);
  });
});
