import { describe, expect, it } from "vitest";
import { UNSEEN } from "../../src/kernel/protocol.ts";
import { type Grid, type Raster, rasterGrid, rasterSmooth } from "../../src/overlay/raster.ts";
import { noise, smooth } from "../support/grids.ts";

/** A table that shows the level itself. */
const LEVELS = Uint32Array.from({ length: 256 }, (_, level) => level);

function run(raster: Raster, grid: Grid, width: number, height: number): number[] {
  const out = new Uint32Array(width * height);
  raster(grid, width, height, LEVELS, out);
  return [...out];
}

function random(rows: number, columns: number): Grid {
  return { rows, columns, cells: Uint8Array.from(noise(rows * columns, 7)) };
}

describe("rasterSmooth", () => {
  it.each([
    [16, 16, 100, 100],
    [3, 7, 50, 31],
    [1, 9, 45, 20],
    [9, 1, 20, 45],
    [14, 14, 7, 9],
  ])(
    "is a cubic convolution with clamped edges, between its neighbours, %i × %i cells on %i × %i pixels",
    (rows, columns, width, height) => {
      const grid = random(rows, columns);
      const got = run(rasterSmooth, grid, width, height);
      for (let i = 0; i < got.length; i++) {
        const x = ((i % width) + 0.5) * (columns / width);
        const y = (Math.floor(i / width) + 0.5) * (rows / height);
        const want = smooth(grid, grid.cells, x, y);
        expect(Math.abs((got[i] as number) - want)).toBeLessThanOrEqual(0.5 + 1e-3);
      }
    },
  );

  it("gives the cells themselves at their own resolution", () => {
    const grid = random(5, 6);
    expect(run(rasterSmooth, grid, 6, 5)).toEqual([...grid.cells]);
  });

  it("makes a lone peak round, and nothing else of it", () => {
    const cells = new Uint8Array(81);
    cells[40] = 254;
    const got = run(rasterSmooth, { rows: 9, columns: 9, cells }, 270, 270);
    const at = (x: number, y: number) => got[Math.round(134.5 + y) * 270 + Math.round(134.5 + x)] as number;
    // Between the side and the diagonal, at half a cell, a bilinear surface differs by 21 levels.
    for (const radius of [5, 10, 15]) {
      const diagonal = radius * Math.SQRT1_2;
      expect(Math.abs(at(radius, 0) - at(diagonal, diagonal))).toBeLessThan(12);
    }
    expect(Math.max(...got)).toBe(254);
    const isFar = (i: number) =>
      Math.max(Math.abs((i % 270) - 134.5), Math.abs(Math.floor(i / 270) - 134.5)) > 31;
    expect(got.filter((level, i) => level > 0 && isFar(i))).toEqual([]);
  });

  it("keeps unseen cells out of their neighbours", () => {
    const grid = { rows: 1, columns: 2, cells: Uint8Array.of(100, UNSEEN) };
    expect(run(rasterSmooth, grid, 8, 1)).toEqual([100, 100, 100, 100, UNSEEN, UNSEEN, UNSEEN, UNSEEN]);
  });

  it("treats seen cells alike whether or not another cell is unseen", () => {
    const grid = random(6, 6);
    const partly = { ...grid, cells: Uint8Array.from(grid.cells) };
    partly.cells[0] = UNSEEN;
    const [whole, part] = [run(rasterSmooth, grid, 60, 60), run(rasterSmooth, partly, 60, 60)];
    const far = whole.map((_, i) => i).filter((i) => i % 60 > 20 && i / 60 > 20);
    for (const i of far) expect(Math.abs((part[i] as number) - (whole[i] as number))).toBeLessThanOrEqual(1);
  });
});

describe("rasterGrid", () => {
  it("shows each cell as a block", () => {
    const grid = { rows: 2, columns: 2, cells: Uint8Array.of(1, 2, 3, UNSEEN) };
    expect(run(rasterGrid, grid, 4, 4)).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 255, 255, 3, 3, 255, 255]);
  });
});
