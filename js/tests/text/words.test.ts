/** What a person does to the text, and what comes of it: words, spans, candidates, tints, and who follows whom. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { DIVERGING, type State } from "../../src/kernel/protocol.ts";
import { buffer, embedded, FakeModel, state, token } from "../support/fakes.ts";
import { aroundEach, model, Page, page, pixels, show } from "../support/page.ts";

const FRAME = 17; // ms until the next animation frame

aroundEach(() => ({ unit: "word", maps: embedded() }));

describe("words", () => {
  it("are picked whole, wherever the pointer is on them", () => {
    show();
    page.hover(6);
    expect(page.shown).toBe("5 6 ready");
    expect(page.texts(".tam-active")).toEqual(["tri", "angle"]);
    expect(page.texts(".tam-later")).toEqual(["."]);
    expect(page.one(".tam-name").textContent).toBe("triangle");
    expect(page.one(".tam-place").textContent).toBe("answer tokens 5–6");
    page.hover(5);
    expect(page.shown).toBe("5 6 ready");
    const alpha = pixels(page.canvas).filter((_, i) => i % 4 === 3);
    expect(Math.max(...alpha)).toBe(128);
  });

  it("are read as one by their mean or their maximum", () => {
    show();
    page.hover(5);
    expect(page.one(".tam-where").textContent).toMatch(/^Peak 0\.1[23] /); // the mean of 0.25 and 0
    page.button("Max").click();
    expect(model.state.combine).toBe("max");
    expect(page.one(".tam-where").textContent).toMatch(/^Peak 0\.25 /);
  });

  it("give way to tokens and come back", () => {
    show();
    page.button("Token").click();
    expect(model.state.unit).toBe("token");
    page.hover(6);
    expect(page.shown).toBe("6 ready");
    page.button("Word").click();
    page.hover(4);
    page.hover(6);
    expect(page.shown).toBe("5 6 ready");
  });

  it("are asked of the kernel in one question", () => {
    show({ maps: null });
    page.hover(5);
    expect(model.requests).toMatchObject([{ tokens: [5, 6], combine: "mean", candidate: null }]);
    model.answer(model.requests[0], [0, 254, 0, 0]);
    expect(page.shown).toBe("5 6 ready");
  });

  it("are pinned by a click between their tokens, and unpinned by the next", () => {
    show();
    const click = () => {
      page.pointer("pointerdown", 5, { buttons: 1 });
      page.pointer("pointerup", 6);
      const word = page.token(5).parentElement as HTMLElement;
      word.dispatchEvent(new MouseEvent("click", { bubbles: true, detail: 1 }));
    };
    click();
    expect(page.texts('.tam-token[aria-pressed="true"]')).toEqual(["tri", "angle"]);
    click();
    expect(page.texts('.tam-token[aria-pressed="true"]')).toEqual([]);
  });

  it("are walked by arrow keys", () => {
    show();
    page.token(4).focus();
    page.key("ArrowRight");
    expect(page.shown).toBe("5 6 ready");
    expect(document.activeElement).toBe(page.token(5));
    page.key("ArrowRight");
    expect(page.shown).toBe("7 ready");
    page.key("ArrowLeft");
    expect(page.shown).toBe("5 6 ready");
  });

  it("keep their preview while the keyboard is elsewhere in the widget, and lose it outside", () => {
    show();
    page.token(4).focus();
    page.key("ArrowRight");
    page.button("Mean").focus();
    expect(page.shown).toBe("5 6 ready");
    (document.activeElement as HTMLElement).blur();
    expect(page.shown).toBe(" empty");
  });

  it("are asked for anew when the method changes", () => {
    show();
    page.click(5);
    model.set("kernel_size", 1);
    expect(model.requests).toMatchObject([{ tokens: [5, 6], method: { kernel_size: 1 } }]);
    model.answer(model.requests[0], [0, 0, 0, 254]);
    expect(page.shown).toBe("5 6 ready");
  });
});

describe("spans", () => {
  beforeEach(() => show());

  it("are drawn, shown while they grow, and pinned when the pointer is lifted", () => {
    page.hover(3);
    page.pointer("pointerdown", 3, { buttons: 1 });
    page.pointer("pointerover", 6, { buttons: 1 });
    expect(page.shown).toBe("3 4 5 6 ready");
    page.pointer("pointerover", 4, { buttons: 1 });
    expect(page.shown).toBe("3 4 ready");
    page.pointer("pointerup", 4);
    page.one(".tam-text").dispatchEvent(new MouseEvent("click", { bubbles: true, detail: 1 }));
    page.leave();
    expect(page.shown).toBe("3 4 ready");
    expect(page.texts('.tam-token[aria-pressed="true"]')).toEqual(["A", "red"]);
    expect(page.one(".tam-hint").textContent).toBe("Several words, read as one.");
    expect(page.one(".tam-name").textContent).toBe("A red");
  });

  it("are drawn backwards too, and are no click when they end where they began", () => {
    page.drag(6, 4);
    expect(page.shown).toBe("4 5 6 ready");
    page.pointer("pointerdown", 3, { buttons: 1 });
    page.pointer("pointerover", 6, { buttons: 1 });
    page.pointer("pointerover", 3, { buttons: 1 });
    page.pointer("pointerup", 3);
    page.click(3);
    expect(page.shown).toBe("3 ready");
    expect(model.state.pinned).toEqual([3]);
  });

  it("are not drawn by a finger, nor by a pointer that was lifted elsewhere", () => {
    const touch = new MouseEvent("pointerdown", { bubbles: true });
    Object.defineProperty(touch, "pointerType", { value: "touch" });
    page.token(3).dispatchEvent(touch);
    page.pointer("pointerover", 5, { buttons: 1 });
    expect(page.shown).toBe("5 6 ready");
    page.pointer("pointerdown", 3, { buttons: 1 });
    page.pointer("pointerover", 4);
    expect(page.shown).toBe("4 ready");
  });

  it("are extended by a click with shift, from where the last one was", () => {
    page.click(4);
    page.click(7, { shiftKey: true });
    expect(page.shown).toBe("4 5 6 7 ready");
    page.click(3, { shiftKey: true });
    expect(page.shown).toBe("3 4 ready");
    page.key("Escape");
    page.leave();
    expect(page.shown).toBe(" empty");
  });

  it("are extended by arrow keys with shift, and pinned by Enter", () => {
    page.token(4).focus();
    page.key("ArrowRight", { shiftKey: true });
    expect(page.shown).toBe("4 5 6 ready");
    page.key("ArrowRight", { shiftKey: true });
    expect(page.shown).toBe("4 5 6 7 ready");
    page.key("ArrowLeft", { shiftKey: true });
    expect(page.shown).toBe("4 5 6 ready");
    page.token(5).click(); // as Enter does
    expect(model.state.pinned).toEqual([4, 5, 6]);
    page.key("ArrowRight");
    expect(page.shown).toBe("7 ready");
  });

  it("can be the whole answer", () => {
    const button = page.button("Whole answer");
    button.click();
    expect(page.shown).toBe("3 4 5 6 7 ready");
    expect(button.getAttribute("aria-pressed")).toBe("true");
    expect(page.one(".tam-place").textContent).toBe("answer tokens 3–7");
    button.click();
    expect(page.shown).toBe(" empty");
    expect(button.getAttribute("aria-pressed")).toBe("false");
  });
});

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
    expect(page.live.textContent).toMatch(/^<i>x<\/i> in place of red: Peak 0\.50/);
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

describe("who follows whom", () => {
  beforeEach(() => show());

  it("tells what is looked at and pinned, once a frame", () => {
    page.hover(3);
    page.hover(4);
    page.hover(6);
    expect(model.saved).toBe(0);
    vi.advanceTimersByTime(FRAME);
    expect(model.saved).toBe(1);
    expect(model.state).toMatchObject({ selected: [5, 6], pinned: [], focus: ["triangle", 0] });
    page.click(6);
    page.leave();
    expect(model.state).toMatchObject({ selected: [5, 6], pinned: [5, 6], focus: ["triangle", 0] });
    page.key("Escape");
    vi.advanceTimersByTime(FRAME);
    expect(model.state).toMatchObject({ selected: [], pinned: [], focus: [] });
  });

  it("follows a pin from Python, and says what is shown now", () => {
    model.set("pinned", [4, 7]);
    expect(page.shown).toBe("4 7 ready");
    expect(page.texts('.tam-token[aria-pressed="true"]')).toEqual(["red", "."]);
    expect(page.one(".tam-name").textContent).toBe("red … .");
    vi.advanceTimersByTime(FRAME);
    expect(model.state.selected).toEqual([4, 7]);
    model.set("pinned", []);
    expect(page.shown).toBe(" empty");
    vi.advanceTimersByTime(FRAME);
    expect(model.state.selected).toEqual([]);
  });

  it("shows what Python selects, until the pointer comes", () => {
    model.set("selected", [4]);
    expect(page.shown).toBe("4 ready");
    expect(model.state.focus).toEqual([]);
    page.hover(3);
    page.leave();
    expect(page.shown).toBe(" empty");
    expect(model.state.selected).toEqual([]);
  });

  it("begins with what the state says", () => {
    page.cleanup();
    show({ pinned: [4], selected: [5, 6] });
    expect(page.shown).toBe("5 6 ready");
    page.hover(3);
    page.leave();
    expect(page.shown).toBe("4 ready");
  });

  it("looks at the word that is looked at elsewhere, and says nothing of it", () => {
    model.set("focus", ["triangle", 3]);
    expect(page.shown).toBe("5 6 ready");
    vi.advanceTimersByTime(FRAME);
    expect(model.state).toMatchObject({ focus: ["triangle", 3], selected: [5, 6], pinned: [] });
    model.set("focus", ["kite", 0]);
    expect(page.shown).toBe(" empty");
    model.set("focus", []);
    expect(page.shown).toBe(" empty");
  });

  it("comes back to its pin when nobody looks at anything any more", () => {
    page.click(4);
    page.leave();
    model.set("focus", ["triangle", 0]);
    expect(page.shown).toBe("5 6 ready");
    model.set("focus", []);
    expect(page.shown).toBe("4 ready");
    vi.advanceTimersByTime(FRAME);
    expect(model.state.selected).toEqual([4]);
  });

  it("links widgets in both directions without an echo", () => {
    const texts = ["Red", " tri", "angle", " and", " a", " red", "."];
    const tokens = texts.map((text, i) => token(text, 3 + i));
    const words: State["words"] = [
      [0, 1],
      [1, 3],
      [3, 4],
      [4, 5],
      [5, 6],
      [6, 7],
    ];
    const other = new FakeModel(state({ unit: "word", tokens, words }));
    const there = new Page(other);
    // As jslink does it.
    model.on("change:focus", () => other.set("focus", model.state.focus));
    other.on("change:focus", () => model.set("focus", other.state.focus));
    page.hover(6);
    expect(other.requests).toMatchObject([{ tokens: [1, 2] }]);
    other.answer(other.requests[0], [254, 0, 0, 0]);
    expect(there.shown).toBe("1 2 ready");
    page.leave();
    expect([page.shown, there.shown]).toEqual([" empty", " empty"]);
    there.hover(5); // the second "red" there; here is only one
    expect(page.shown).toBe("4 ready");
    vi.advanceTimersByTime(FRAME * 5);
    expect(there.texts(".tam-active")).toEqual(["red"]);
    expect(there.token(5).classList.contains("tam-active")).toBe(true);
    expect(other.state.focus).toEqual(["red", 1]);
    const saved = [model.saved, other.saved];
    vi.advanceTimersByTime(FRAME * 5);
    expect([model.saved, other.saved]).toEqual(saved);
    there.cleanup();
  });

  it("agrees with another view of the same widget, in every order of pins and pointers", () => {
    const other = new Page(model);
    const both = (shown: string) => {
      vi.advanceTimersByTime(FRAME * 3);
      expect([page.shown, other.shown]).toEqual([shown, shown]);
    };
    model.set("unit", "token");
    page.hover(6);
    both("6 ready");
    page.click(6);
    both("6 ready");
    page.hover(3);
    page.hover(6);
    page.click(6); // unpinned, and still under the pointer
    both("6 ready");
    page.leave();
    both(" empty");
    other.hover(4);
    other.click(4);
    page.click(4);
    both(" empty");
    other.cleanup();
  });
});

it("stands under its title, if it has one", () => {
  show({ title: "Model A" });
  const title = page.one(".tam-title");
  expect([title.textContent, title.hidden]).toEqual(["Model A", false]);
  model.set("title", "");
  expect(title.hidden).toBe(true);
});
