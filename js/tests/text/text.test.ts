/** What the text shows of tokens, whatever they are. */
import { describe, expect, it } from "vitest";
import { conversation, plain } from "../support/fakes.ts";
import { aroundEach, page, show } from "../support/page.ts";

aroundEach();

it("reads a conversation turn by turn, and says which turn a token is of", () => {
  show({ tokens: conversation([["Go"], ["A"]], [["And", "?"], ["B"]]), words: [] });
  expect(page.texts(".tam-turn")).toEqual(["Go", "A", "And?", "B"]);
  page.hover(4);
  expect(page.one(".tam-place").textContent).toBe("answer token 4, turn 2");
  expect(page.token(1).getAttribute("aria-label")).toMatch(/answer token 1, turn 1$/);
});

describe("odd text", () => {
  it("is kept character by character, with something to hover for each token", () => {
    const texts = ["A", "\n\n", "  ", "<b>", " 圆", "。", " \u05d0", "👩‍👩‍👧", "", "\ufffd", ".\n"];
    show({ tokens: texts.map((text) => plain(text)), words: [] });
    expect(page.one(".tam-answer").textContent).toBe(texts.join(""));
    expect(page.all(".tam-token").length).toBe(texts.length);
    const signs = page.all(".tam-blank").map((one) => one.dataset.sign ?? one.textContent);
    expect(signs).toEqual(["↵↵", "  ", "∅"]);
  });
});
