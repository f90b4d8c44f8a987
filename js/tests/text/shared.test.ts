/** Who follows whom: Python, other views, and widgets side by side. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { State } from "../../src/kernel/protocol.ts";
import { embedded, FakeModel, state, token } from "../support/fakes.ts";
import { aroundEach, model, Page, page, show } from "../support/page.ts";

const FRAME = 17; // ms until the next animation frame

aroundEach(() => ({ unit: "word", maps: embedded() }));

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
