import { describe, expect, it } from "vitest";
import { UNSEEN } from "../../src/kernel/protocol.ts";
import { gradient, overlayTable, spotlightRamp } from "../../src/overlay/colormap.ts";

const ramp = Uint8Array.from({ length: 768 }, (_, i) => (i % 3 === 0 ? Math.floor(i / 3) : i % 3));

/** The bytes that the canvas gets for a level. */
function rgba(table: Uint32Array, level: number): number[] {
  return [...new Uint8Array(table.buffer, level * 4, 4)];
}

describe("overlayTable", () => {
  it("leaves the picture untouched where the map is 0", () => {
    expect(rgba(overlayTable(ramp, 1), 0)[3]).toBe(0);
  });

  it("shows the peak in the map's last colour, at the full opacity", () => {
    expect(rgba(overlayTable(ramp, 1), 254)).toEqual([255, 1, 2, 255]);
    expect(rgba(overlayTable(ramp, 0.5), 254)).toEqual([255, 1, 2, 128]);
  });

  it("is as opaque as opacity × value", () => {
    const table = overlayTable(ramp, 0.8);
    for (let level = 0; level <= 254; level++) {
      expect(Math.abs((rgba(table, level)[3] as number) - (level / 254) * 0.8 * 255)).toBeLessThanOrEqual(
        0.5,
      );
    }
  });

  it("takes a smaller part of a scale that others share", () => {
    const table = overlayTable(ramp, 1, { gain: 0.5 });
    expect(rgba(table, 254)).toEqual([128, 1, 2, 128]);
    expect(rgba(overlayTable(ramp, 1, { gain: 3 }), 254)).toEqual([255, 1, 2, 255]);
  });

  it("runs from one end to the other for differences, and leaves the middle untouched", () => {
    const table = overlayTable(ramp, 0.5, { diverging: true });
    expect(rgba(table, 0)).toEqual([0, 1, 2, 128]);
    expect(rgba(table, 254)).toEqual([255, 1, 2, 128]);
    expect(rgba(table, 127)[3]).toBe(0);
  });

  it("covers the picture evenly beside it", () => {
    const table = overlayTable(ramp, 0.6, { solid: true });
    expect([0, 100, 254].map((level) => rgba(table, level)[3])).toEqual([153, 153, 153]);
  });

  it("as a spotlight leaves the picture untouched from half of the peak on, and darkens the rest", () => {
    const table = overlayTable(ramp, 0.6, { paint: "spotlight" });
    expect(rgba(table, 0)).toEqual([16, 17, 20, 153]);
    expect(Math.abs((rgba(table, 64)[3] as number) - 76)).toBeLessThanOrEqual(1);
    expect([127, 200, 254].map((level) => rgba(table, level)[3])).toEqual([0, 0, 0]);
    expect(rgba(overlayTable(ramp, 0.6, { paint: "spotlight", gain: 0.25 }), 254)[3]).toBe(77);
  });

  it("veils unseen cells in grey", () => {
    const [red, green, blue, alpha] = rgba(overlayTable(ramp, 0.6), UNSEEN);
    expect([red, green, blue]).toEqual([128, 128, 128]);
    expect(alpha).toBeGreaterThan(0);
  });
});

it("the spotlight's ramp runs from dark grey to grey", () => {
  expect(spotlightRamp(0.5)).toBe("linear-gradient(to right, rgb(120 120.5 122), rgb(224 224 224) 50%)");
});

it("gradient runs from the first entry to the last", () => {
  const css = gradient(ramp);
  expect(css).toMatch(/^linear-gradient\(to right, rgb\(0 1 2\), .*rgb\(255 1 2\)\)$/);
});
