/** What the model might have said: looked at, picked, and set against what it said. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { DIVERGING } from "../../src/kernel/protocol.ts";
import { buffer, embedded } from "../support/fakes.ts";
import { aroundEach, model, page, pixels, show } from "../support/page.ts";

aroundEach(() => ({ unit: "word", maps: embedded() }));

describe("candidates", () => {
  const rows = () => page.all<HTMLButtonElement>(".tam-detail .tam-candidate");
  const over = (row: number) => rows()[row]?.dispatchEvent(new Event("pointerover", { bubbles: true }));
  const off = () => page.one(".tam-candidates").dispatchEvent(new Event("pointerleave"));
  const reds = Array.from({ length: 256 }, (_, i) => [i, 0, 0]).flat();
  const signs = Array.from({ length: 256 }, (_, i) => (i < 127 ? [0, 0, 255] : [255, 0, 0])).flat();

  beforeEach(() => {
    show({ maps: null, colormaps: { reds: buffer(reds), [DIVERGING]: buffer(signs) } });
    page.click(4);
    model.answer(model.requests[0], [254, 0, 0, 0]);
  });

  it("show their own map while they are looked at", () => {
    const own = pixels(page.canvas);
    over(1);
    expect(model.requests[1]).toMatchObject({ tokens: [4], candidate: 1 });
    model.answer(model.requests[1], [0, 0, 0, 254]);
    expect(page.shown).toBe("4 ready");
    expect(pixels(page.canvas)).not.toEqual(own);
    vi.advanceTimersByTime(1000);
    expect(page.live.textContent).toMatch(/^<i>x<\/i> in place of red: Lower right · /);
    over(0); // what it did say
    expect(pixels(page.canvas)).toEqual(own);
    off();
    expect(pixels(page.canvas)).toEqual(own);
    expect(model.requests.length).toBe(2);
  });

  it("stay when they are clicked, until they or Esc are pressed again, or another word is looked at", () => {
    rows()[1]?.click();
    model.answer(model.requests[1], [0, 0, 0, 254]);
    expect(rows()[1]?.getAttribute("aria-pressed")).toBe("true");
    expect(page.key("Escape")).toBe(true);
    expect(rows()[1]?.getAttribute("aria-pressed")).toBe("false");
    expect(page.token(4).getAttribute("aria-pressed")).toBe("true");
    rows()[1]?.click();
    page.hover(3);
    page.leave();
    expect(rows()[1]?.getAttribute("aria-pressed")).toBe("false");
  });

  it("are set against what was said, in two colours", () => {
    page.button("Difference").click();
    // The strongest of the others, until one is looked at.
    expect(model.requests[1]).toMatchObject({ tokens: [4], candidate: 1 });
    model.answer(model.requests[1], [0, 0, 0, 254], 0.25);
    const shown = pixels(page.canvas);
    expect(shown.slice(0, 3)).toEqual([255, 0, 0]);
    expect(shown.slice(-4, -1)).toEqual([0, 0, 255]);
    expect(shown.at(3)).toBe(128);
    expect(shown.at(-1)).toBeGreaterThan(50);
    expect(shown.at(-1)).toBeLessThan(80);
    vi.advanceTimersByTime(1000);
    expect(page.live.textContent).toMatch(/^red rather than <i>x<\/i>: /);
    page.button("Difference").click();
    expect(pixels(page.canvas).at(-1)).toBe(0);
  });

  it("of a word are those of its first token, which is said", () => {
    page.click(6);
    expect(page.one(".tam-caption").textContent).toBe("For its first token");
    over(1);
    expect(model.requests.at(-1)).toMatchObject({ tokens: [5, 6] }); // one question at a time
    model.answer(model.requests.at(-1), [0, 254, 0, 0]);
    expect(model.requests.at(-1)).toMatchObject({ tokens: [5], candidate: 1 });
    page.click(4);
    expect(page.one(".tam-caption").textContent).toBe("Candidates");
  });

  it("are walked by arrow keys, which the notebook does not get", () => {
    rows()[0]?.focus();
    expect(page.key("ArrowDown")).toBe(true);
    expect(document.activeElement).toBe(rows()[1]);
    page.key("ArrowDown");
    expect(document.activeElement).toBe(rows()[1]);
    page.key("ArrowUp");
    expect(document.activeElement).toBe(rows()[0]);
  });

  it("are none for the prompt and for several words", () => {
    const none = () => page.one(".tam-alternatives").classList.contains("tam-none");
    expect(none()).toBe(false);
    page.hover(0);
    expect(none()).toBe(true);
    page.click(4);
    page.click(7, { shiftKey: true });
    expect(none()).toBe(true);
  });
});
