/** What a person does to the words of the text, and what comes of it. */
import { describe, expect, it } from "vitest";
import { embedded } from "../support/fakes.ts";
import { aroundEach, model, page, pixels, show } from "../support/page.ts";

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
    expect(page.one(".tam-where").title).toMatch(/^Peak 0\.1[23] /); // the mean of 0.25 and 0
    page.button("Max").click();
    expect(model.state.combine).toBe("max");
    expect(page.one(".tam-where").title).toMatch(/^Peak 0\.25 /);
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
