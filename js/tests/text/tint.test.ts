/** How the text is tinted, and by what. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { embedded, state } from "../support/fakes.ts";
import { aroundEach, model, page, show } from "../support/page.ts";

aroundEach(() => ({ unit: "word", maps: embedded() }));

describe("the tint", () => {
  const weight = (index: number) =>
    Number.parseFloat(page.token(index).style.getPropertyValue("--tam-weight") || "0");
  const probabilities = [0.99, 0.6, 0.3, 0.05, 1];

  beforeEach(() => {
    const tokens = state().tokens.map((one, i) => ({
      ...one,
      candidates:
        i < 3 ? [] : [{ text: one.text, probability: probabilities[i - 3] ?? 1, rank: 1, chosen: true }],
    }));
    show({ tokens });
  });

  it("shows what the model was unsure of, also while nothing is looked at", () => {
    page.button("Probability").click();
    expect(model.state.tint).toBe("probability");
    const weights = [0, 1, 2, 3, 4, 5, 6, 7].map(weight);
    expect(weights.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(weights[7]).toBe(0);
    expect(weights[4]).toBeGreaterThan(20);
    expect(weights[5]).toBeGreaterThan(55);
    expect(weights[6]).toBeGreaterThan(90);
    expect(page.texts(".tam-doubtful")).toEqual(["tri", "angle"]);
    expect(page.one(".tam-text").dataset.tint).toBe("probability");
    expect(page.one(".tam-key").textContent).toBe("suredoubtful");
    page.hover(4);
    expect([0, 1, 2, 3, 4, 5, 6, 7].map(weight)).toEqual(weights);
  });

  it("goes back to the relevance of earlier words", () => {
    model.set("tint", "probability");
    model.set("tint", "relevance");
    expect(weight(6)).toBe(0);
    page.hover(4);
    expect(weight(3)).toBe(20);
    expect(page.one(".tam-key").textContent).toBe("unrelatedrelated");
  });

  it("writes only what changes", () => {
    page.hover(4);
    const written = vi.spyOn(CSSStyleDeclaration.prototype, "setProperty");
    page.hover(4);
    page.token(4).dispatchEvent(new Event("pointerover", { bubbles: true }));
    expect(written).not.toHaveBeenCalled();
  });
});
