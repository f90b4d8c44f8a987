import { beforeEach, describe, expect, it, vi } from "vitest";
import widget from "../src/index.ts";
import { PATIENCE } from "../src/kernel/line.ts";
import { FADE } from "../src/picture/picture.ts";
import { embedded, FakeModel, state, stubBrowser, TEXTS } from "./support/fakes.ts";
import { aroundEach, model, Page, page, pixels, show } from "./support/page.ts";

const LEFT = [0, 254, 0, 254];

describe("a view", () => {
  aroundEach(() => ({ maps: embedded() }));
  beforeEach(() => show());

  it("reads as plain text", () => {
    expect(page.one(".tam-prompt").textContent).toBe("Describe it.");
    expect(page.one(".tam-answer").textContent).toBe("A red triangle.");
    expect(page.all(".tam-token").length).toBe(TEXTS.length);
    expect(page.token(5).parentElement).toBe(page.token(6).parentElement);
  });

  it("paints the map of the hovered token at once when it has it", () => {
    page.hover(4);
    expect(page.shown).toBe("4 ready");
    expect(model.requests).toEqual([]);
    const shown = pixels(page.canvas);
    expect(shown.slice(0, 4)).toEqual([255, 0, 0, 128]); // token 4 peaks in cell 0, the upper left; opacity 0.5
    expect(shown.at(-1)).toBe(0);
  });

  it("clears when the pointer leaves, pixels and all", () => {
    page.hover(4);
    page.leave();
    expect(page.shown).toBe(" empty");
    vi.advanceTimersByTime(FADE);
    expect(pixels(page.canvas)).toEqual([]);
    expect(page.host.querySelector(".tam-active, .tam-later")).toBeNull();
  });

  it("does not blink between two words", () => {
    page.hover(4);
    page.one(".tam-text").dispatchEvent(new Event("pointerover", { bubbles: true }));
    vi.advanceTimersByTime(30);
    page.hover(5);
    vi.advanceTimersByTime(500);
    expect(page.shown).toBe("5 ready");
  });

  it("keeps a pinned token, previews others over it, and comes back to it", () => {
    page.token(4).click();
    page.leave();
    expect(page.shown).toBe("4 ready");
    expect(page.token(4).getAttribute("aria-pressed")).toBe("true");
    page.hover(6);
    expect(page.shown).toBe("6 ready");
    page.leave();
    expect(page.shown).toBe("4 ready");
  });

  it("unpins by a second click and by Esc", () => {
    page.token(4).click();
    page.token(4).click();
    expect(page.token(4).getAttribute("aria-pressed")).toBe("false");
    page.token(4).click();
    page.leave();
    expect(page.key("Escape")).toBe(true);
    expect(page.shown).toMatch(/^(4 ready| empty)$/);
    expect(page.token(4).getAttribute("aria-pressed")).toBe("false");
  });

  it("leaves Esc to the notebook when there is nothing to let go of", () => {
    expect(page.key("Escape")).toBe(false);
  });

  it("walks by arrow keys, with one token in the tab order", () => {
    page.token(3).focus();
    page.key("ArrowRight");
    expect(document.activeElement).toBe(page.token(4));
    expect(page.shown).toBe("4 ready");
    page.key("ArrowLeft");
    page.key("Home");
    expect(document.activeElement).toBe(page.token(0));
    page.key("ArrowLeft");
    expect(document.activeElement).toBe(page.token(0));
    page.key("End");
    expect(document.activeElement).toBe(page.token(7));
    expect(page.all('.tam-token[tabindex="0"]')).toEqual([page.token(7)]);
  });

  it("begins its tab order at the answer", () => {
    expect(page.all('.tam-token[tabindex="0"]')).toEqual([page.token(3)]);
  });

  it("names each token for a screen reader", () => {
    expect(page.token(4).getAttribute("aria-label")).toBe('"red", answer token 4, probability 0.96');
    expect(page.token(0).getAttribute("aria-label")).toBe('"Describe", prompt token 0');
  });

  it("says where the map peaks, once the pointer rests", () => {
    page.hover(6);
    expect(page.live.textContent).toBe("");
    vi.advanceTimersByTime(1000);
    expect(page.live.textContent).toBe("angle: Lower left · 100 % inside the contour");
  });

  it("tints earlier tokens by relevance and fades later ones", () => {
    page.hover(4);
    expect(page.all(".tam-later")).toEqual([page.token(5), page.token(6), page.token(7)]);
    const weight = (index: number) => page.token(index).style.getPropertyValue("--tam-weight");
    expect(weight(0)).toBe("15%"); // relevances 6 7 8 9 of 255; the square root, in steps of 5 %
    expect(weight(3)).toBe("20%");
    page.hover(1);
    expect(weight(3)).toBe("0%");
    expect(page.all(".tam-later").length).toBe(6);
  });

  it("shows the candidates with two significant digits, as text and not as markup", () => {
    page.hover(4);
    expect(page.texts(".tam-detail .tam-candidate")).toEqual(["red0.96", "<i>x</i>0.020"]);
    expect(page.host.querySelector("i")).toBeNull();
    expect(page.one(".tam-place").textContent).toBe("answer token 4");
  });

  it("keeps the panel's rows when nothing is shown", () => {
    const rows = () => page.all(".tam-detail .tam-candidate").length;
    const before = rows();
    page.hover(0);
    expect(rows()).toBe(before);
    expect(page.one(".tam-hint").textContent).toBe("Given in the prompt, not chosen by the model.");
  });

  it("says so when a token has no image activation", () => {
    page.hover(7);
    expect(page.one(".tam-note").textContent).toBe("No image activation");
    expect(page.one(".tam-peak").textContent).toBe("0.00");
  });

  it("shows the scale", () => {
    expect(page.one(".tam-peak").textContent).toBe("peak");
    page.hover(4);
    expect(page.one(".tam-peak").textContent).toBe("0.25");
  });

  it("follows the settings, from the toolbar and from Python", () => {
    page.hover(4);
    const slider = page.one<HTMLInputElement>(".tam-opacity");
    slider.value = "100";
    slider.dispatchEvent(new Event("input"));
    expect(model.state.opacity).toBe(1);
    expect(model.saved).toBe(1);
    expect(pixels(page.canvas).slice(0, 4)).toEqual([255, 0, 0, 255]);
    model.set("colormap", "blues");
    expect(pixels(page.canvas).slice(0, 4)).toEqual([0, 0, 255, 255]);
    expect(page.one<HTMLSelectElement>(".tam-colormap").value).toBe("blues");
    const hard = pixels(page.canvas);
    model.set("smooth", true);
    expect(pixels(page.canvas)).not.toEqual(hard);
  });

  it("offers a colour map that Python added", () => {
    const added = { ...model.state.colormaps, hot: new Uint8Array(768).buffer };
    model.set("colormaps", added);
    model.set("colormap", "hot");
    expect(page.one<HTMLSelectElement>(".tam-colormap").value).toBe("hot");
  });

  it("agrees with another view of the same widget, and outlives it", () => {
    const other = new Page(model);
    page.token(4).click();
    expect([page.shown, other.shown]).toEqual(["4 ready", "4 ready"]);
    expect(other.token(4).getAttribute("aria-pressed")).toBe("true");
    other.hover(6);
    expect([page.shown, other.shown]).toEqual(["6 ready", "6 ready"]);
    other.leave();
    expect([page.shown, other.shown]).toEqual(["4 ready", "4 ready"]);
    model.set("opacity", 0.2);
    expect(other.one<HTMLInputElement>(".tam-opacity").value).toBe("20");
    other.cleanup();
    page.leave();
    expect(page.shown).toBe("4 ready");
  });

  it("leaves nothing behind", () => {
    page.hover(4);
    page.cleanup();
    expect(page.host.childElementCount).toBe(0);
    expect(model.listening).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  describe("without embedded maps", () => {
    beforeEach(() => {
      page.cleanup();
      show({ maps: null });
    });

    it("loads, then paints", () => {
      page.hover(4);
      expect(page.shown).toBe(" loading");
      model.answer(model.requests[0], LEFT);
      expect(page.shown).toBe("4 ready");
    });

    it("keeps the last map for a moment, so that quick answers do not flicker", () => {
      page.hover(4);
      model.answer(model.requests[0], LEFT);
      page.hover(5);
      expect(page.shown).toBe("4 loading");
      vi.advanceTimersByTime(200);
      expect(page.shown).toBe(" loading");
    });

    it("does not paint an answer that nobody waits for", () => {
      page.hover(4);
      page.leave();
      model.answer(model.requests[0], LEFT);
      expect(page.shown).toBe(" empty");
    });

    it("says that the kernel is busy, and paints when it answers", () => {
      page.hover(4);
      vi.advanceTimersByTime(PATIENCE);
      expect(page.shown).toBe(" busy");
      expect(page.one(".tam-note").textContent).toBe("Kernel busy, waiting…");
      model.answer(model.requests[0], LEFT);
      expect(page.shown).toBe("4 ready");
      expect(page.one(".tam-note").dataset.kind).toBe("");
    });

    it("shows an error in place, as text", () => {
      page.hover(4);
      model.fail(model.requests[0], "ValueError", "no <b>map</b>");
      expect(page.shown).toBe(" error");
      expect(page.one(".tam-note").textContent).toBe("ValueError: no <b>map</b>");
      expect(page.host.querySelector("b")).toBeNull();
      page.leave();
      expect(page.shown).toBe(" empty");
    });

    it("explains itself on a page that never had a kernel", () => {
      page.cleanup();
      const host = document.createElement("div");
      host.className = "jupyter-widgets-disconnected";
      document.body.append(host);
      show({ maps: null }, host);
      page.hover(4);
      expect(page.one(".tam-note").textContent).toBe(
        "There is no kernel behind this page; run the notebook to explore further.",
      );
      expect(model.requests).toEqual([]);
    });

    it("explains itself when the kernel was restarted, and still shows what it has", () => {
      page.hover(4);
      model.answer(model.requests[0], LEFT);
      page.host.classList.add("jupyter-widgets-disconnected");
      model.trigger("comm_live_update");
      page.hover(5);
      expect(page.shown).toBe(" error");
      expect(page.one(".tam-note").textContent).toBe(
        "The kernel was restarted; run the cell again to explore further.",
      );
      page.hover(4);
      expect(page.shown).toBe("4 ready");
    });
  });
});

it("works with a host that gives no signal", () => {
  stubBrowser();
  const model = new FakeModel(state());
  const el = document.createElement("div");
  const cleanup = widget.render({ model, el } as unknown as Parameters<typeof widget.render>[0]);
  expect(el.childElementCount).toBe(1);
  cleanup();
  expect(el.childElementCount).toBe(0);
});
