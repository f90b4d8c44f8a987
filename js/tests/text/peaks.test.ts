import { describe, expect, it } from "vitest";
import { embedded } from "../support/fakes.ts";
import { aroundEach, model, page, show } from "../support/page.ts";

const peaks = [0, 0, 0.5, 0, 0.25, 0.1, 0.4, 0];

aroundEach(() => ({ unit: "word", maps: { ...embedded(), peaks } }));

describe("at rest", () => {
  it("words that have a place in the picture are marked, as strongly as it answers to them", () => {
    show();
    const place = (token: number) => page.token(token).style.getPropertyValue("--tam-place");
    expect([0, 2, 4, 5, 6, 7].map(place)).toEqual(["", "100%", "50%", "80%", "80%", ""]);
    expect(page.one(".tam-text").classList.contains("tam-resting")).toBe(true);
    page.hover(4);
    expect(page.one(".tam-text").classList.contains("tam-resting")).toBe(false);
  });

  it("the Tab key reaches the first word of the answer that has one", () => {
    show();
    expect(page.all('.tam-token[tabindex="0"]')).toEqual([page.token(4)]);
  });

  it("says what a word's rank is among those of the answer", () => {
    show();
    page.hover(4);
    expect(page.one(".tam-where").textContent).toMatch(/ · 2nd of 2 words$/);
    page.hover(2); // a word of the prompt
    expect(page.one(".tam-where").textContent).not.toContain("words");
  });

  it("says what can be done, until somebody has looked at a word", () => {
    show();
    expect(page.one(".tam-hint").textContent).toContain("Hover a word");
    page.hover(4);
    page.leave();
    expect(page.one(".tam-hint").textContent).toBe("");
    expect(model.state.hints).toBe(false);
    show({ hints: false });
    expect(page.one(".tam-hint").textContent).toBe("");
  });
});
