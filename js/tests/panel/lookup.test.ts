import { afterEach, describe, expect, it, vi } from "vitest";
import { element } from "../../src/page/dom.ts";
import { heat, LookupView, rank } from "../../src/panel/lookup.ts";
import { state } from "../support/fakes.ts";

const { tokens, words } = state();
/** Of "Describe", " it", ".", "A", " red", " tri", "angle", ".". */
const SCORES = Float32Array.of(Number.NaN, 0.1, Number.NaN, 0, 0.4, 0.2, 0.6, 0);

describe("rank", () => {
  it("puts the word with the strongest token first, and leaves out what does not respond", () => {
    const ranked = rank(words, SCORES);
    expect(ranked.map((one) => one.tokens)).toEqual([[5, 6], [4], [1]]);
    expect(ranked[0]?.score).toBeCloseTo(0.6);
  });

  it("keeps the first of many, and the text's order among equals", () => {
    const many = Array.from({ length: 12 }, (_, i) => [i, i + 1] as const);
    const ranked = rank(many, new Float32Array(12).fill(0.5));
    expect(ranked.map((one) => one.tokens[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

describe("heat", () => {
  it("tints each token beside the strongest, and goes without a trace", () => {
    const buttons = Array.from({ length: 8 }, () => element("button"));
    const text = element("div", "tam-text", {}, ...buttons);
    heat(buttons, SCORES);
    const shares = () => buttons.map((one) => one.style.getPropertyValue("--tam-heat"));
    expect(shares()).toEqual(["0%", "15%", "0%", "0%", "65%", "35%", "100%", "0%"]);
    expect(text.className).toContain("tam-asked-of");
    heat(buttons, null);
    expect(new Set(shares())).toEqual(new Set(["0%"]));
    expect(text.className).toBe("tam-text");
  });
});

describe("LookupView", () => {
  const life = new AbortController();
  afterEach(() => vi.restoreAllMocks());

  it("lists words with their scores, and hands over what is looked at", () => {
    const picker = { look: vi.fn(), pick: vi.fn(), close: vi.fn() };
    const view = new LookupView(tokens, words, picker, life.signal);
    expect(view.node.dataset.open).toBeUndefined();
    expect(view.show("Row 1, column 2", SCORES)).toBe("Row 1, column 2: triangle 0.60, red 0.40, it 0.10");
    const rows = [...view.node.querySelectorAll("li:not(.tam-none) button")] as HTMLElement[];
    expect(rows.map((row) => row.textContent)).toEqual(["triangle0.60", "red0.40", "it0.10"]);
    rows[0]?.dispatchEvent(new Event("pointerenter"));
    expect(picker.look).toHaveBeenLastCalledWith([5, 6]);
    rows[1]?.click();
    expect(picker.pick).toHaveBeenCalledWith([4]);
    view.node.querySelector<HTMLElement>(".tam-close")?.click();
    expect(picker.close).toHaveBeenCalledOnce();
  });

  it("says why it is empty", () => {
    const view = new LookupView(tokens, words, { look() {}, pick() {}, close() {} }, life.signal);
    const hint = () => view.node.querySelector(".tam-hint")?.textContent;
    view.show("Row 1, column 1", null, "Asking…");
    expect(hint()).toBe("Asking…");
    view.show("Row 1, column 1", new Float32Array(8));
    expect(hint()).toBe("No word responds to this place.");
    view.show("Row 1, column 1", SCORES);
    expect(hint()).toBe("");
  });
});
