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

describe("characters of several tokens", () => {
  /** "I 👍🏽 e\u0301" cut within both characters, as [text, whole]. */
  const pairs = [
    ["I", "I"],
    [" ", " "],
    ["\ufffd", ""],
    ["👍", ""],
    ["🏽", "👍🏽"],
    [" e", " "],
    ["\u0301s", "e\u0301s"],
  ] as const;
  const tokens = pairs.map(([text, whole]) => plain(text, { whole }));
  const words: [number, number][] = [
    [0, 1],
    [1, 5],
    [5, 7],
  ];

  it("are whole in Word view, at the last of their tokens, and the others take no room", () => {
    show({ tokens, words, unit: "word" });
    expect(page.texts(".tam-token")).toEqual(["I", "", "", "", "👍🏽", "", "e\u0301s"]);
    expect(page.one(".tam-answer").textContent).toBe("I 👍🏽 e\u0301s");
    expect(page.all(".tam-blank")).toEqual([]);
    expect(page.token(2).getAttribute("aria-label")).toBe('"👍🏽", answer token 2');
    page.hover(4);
    expect(page.one(".tam-name").textContent).toBe("👍🏽");
    page.hover(6);
    expect(page.one(".tam-name").textContent).toBe("e\u0301s");
  });

  it("are told apart in Token view, with marks for what is no character by itself", () => {
    show({ tokens, words, unit: "word" });
    page.button("Token").click();
    expect(page.texts(".tam-token")).toEqual(["I", "", "\ufffd", "👍", "🏽", "e", "\u0301s"]);
    expect(page.all(".tam-blank").map((one) => one.dataset.sign)).toEqual(["␣"]);
    expect(page.token(2).getAttribute("aria-label")).toBe('"\ufffd", answer token 2');
    page.hover(2);
    expect(page.one(".tam-name").textContent).toBe("\ufffd");
    page.button("Word").click();
    expect(page.texts(".tam-token")).toEqual(["I", "", "", "", "👍🏽", "", "e\u0301s"]);
    expect(page.all(".tam-blank")).toEqual([]);
  });

  it("keep a token without text in its word, and a sign only where it has nothing beside it", () => {
    const lone = [plain("\ufffd", { whole: "" }), plain("cat"), plain("\ufffd", { whole: "" })];
    show({
      tokens: lone,
      words: [
        [0, 2],
        [2, 3],
      ],
      unit: "word",
    });
    expect(page.texts(".tam-token")).toEqual(["", "cat", ""]);
    expect(page.all(".tam-blank").map((one) => one.dataset.index)).toEqual(["2"]);
  });
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
