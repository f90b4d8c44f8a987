/** What goes to the clipboard. */
import { describe, expect, it, vi } from "vitest";
import { markdown } from "../../src/text/copying.ts";
import { embedded } from "../support/fakes.ts";
import { aroundEach, page, show } from "../support/page.ts";

aroundEach(() => ({ unit: "word", maps: embedded() }));

/** What is copied from now on. */
function clipboard(): string[] {
  const copied: string[] = [];
  const writeText = (text: string) => Promise.resolve(void copied.push(text));
  vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText } });
  return copied;
}

function press(change: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent("keydown", {
    key: "c",
    ctrlKey: true,
    bubbles: true,
    cancelable: true,
    ...change,
  });
  page.token(4).dispatchEvent(event);
  return event;
}

describe("Ctrl-C", () => {
  it("copies the answer, or the words that are pinned", () => {
    show();
    const copied = clipboard();
    expect(press().defaultPrevented).toBe(true);
    page.click(5);
    press();
    expect(copied[0]).toMatch(/^A red triangle/);
    expect(copied[1]).toBe("triangle");
  });

  it("leaves other keys, and what the browser has selected, alone", () => {
    show();
    const copied = clipboard();
    press({ ctrlKey: false });
    press({ shiftKey: true });
    vi.spyOn(document, "getSelection").mockReturnValue({ isCollapsed: false } as Selection);
    expect(press().defaultPrevented).toBe(false);
    expect(copied).toEqual([]);
  });
});

describe("Markdown", () => {
  it("has the answer and where its words are", () => {
    show();
    const copied = clipboard();
    page.button("Copy as Markdown").click();
    const [text] = copied as [string];
    expect(text).toMatch(/^> A red triangle/);
    expect(text).toContain("- **red**: Upper left · 100 % inside the contour");
    expect(text.endsWith("\n")).toBe(true);
  });

  it("shows what was said, whatever it is", () => {
    expect(markdown("<b>*x*</b>\n# [a](b)", [["`x`|", "Top"]])).toBe(
      "> \\<b\\>\\*x\\*\\</b\\>\n> \\# \\[a\\](b)\n\n- **\\`x\\`\\|**: Top\n",
    );
    expect(markdown("", [])).toBe(">\n");
  });
});
