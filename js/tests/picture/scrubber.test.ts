import { describe, expect, it, vi } from "vitest";
import { element } from "../../src/page/dom.ts";
import { frameShares, ScrubberView } from "../../src/picture/scrubber.ts";

describe("frameShares", () => {
  it("is each frame's greatest share of the peak; what was not seen has none", () => {
    const levels = Uint8Array.of(0, 127, 254, 10, 255, 255);
    expect(frameShares(levels, 3)).toEqual([0.5, 1, 0]);
  });

  it("is the greatest distance from nothing where maps differ", () => {
    const levels = Uint8Array.of(127, 127, 0, 130, 127, 254);
    expect(frameShares(levels, 3, true)).toEqual([0, 1, 1]);
  });
});

describe("ScrubberView", () => {
  function scrubber() {
    const strip = element("div", "", {}, ...Array.from({ length: 4 }, () => element("div")));
    const reached = vi.fn();
    const view = new ScrubberView(strip, [0, 0.5, 1, 1.5], reached, new AbortController().signal);
    return { view, reached, bars: [...view.node.children] as HTMLElement[] };
  }

  it("has a bar for each frame, as high as its peak on the scale, and marks the highest", () => {
    const { view, bars } = scrubber();
    view.show([0.1, 0.4, 0, 0.2], 0.8);
    expect(bars.map((bar) => Number(bar.style.getPropertyValue("--tam-share")))).toEqual([
      0.125, 0.5, 0, 0.25,
    ]);
    expect(bars.map((bar) => bar.classList.contains("tam-peaking"))).toEqual([false, true, false, false]);
    view.show([], 0);
    expect(bars.some((bar) => bar.classList.contains("tam-peaking"))).toBe(false);
  });

  it("goes where the keys lead, and tells a screen reader where it is", () => {
    const { view, reached } = scrubber();
    view.show([0.1, 0.4, 0, 0.2], 0.8);
    const press = (key: string) => view.node.dispatchEvent(new KeyboardEvent("keydown", { key }));
    for (const [key, frame] of [
      ["ArrowRight", 1],
      ["End", 3],
      ["ArrowRight", 3],
      ["Enter", 1],
      ["Home", 0],
    ] as const) {
      press(key);
      expect(reached).toHaveBeenLastCalledWith(frame);
    }
    press("End");
    expect(view.node.getAttribute("aria-valuenow")).toBe("4");
    expect(view.node.getAttribute("aria-valuetext")).toBe("1.5 s, peak 0.20");
  });
});
