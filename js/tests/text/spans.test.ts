/** Several words at once: drawn, extended by the keyboard, or the whole answer. */
import { beforeEach, describe, expect, it } from "vitest";
import { embedded } from "../support/fakes.ts";
import { aroundEach, model, page, show } from "../support/page.ts";

aroundEach(() => ({ unit: "word", maps: embedded() }));

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
