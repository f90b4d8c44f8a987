/** Several pictures, and videos: each with a canvas of its own. */
import { describe, expect, it } from "vitest";
import { frame, picture } from "../support/fakes.ts";
import { aroundEach, model, page, pixels, show } from "../support/page.ts";

describe("other pictures", () => {
  aroundEach();

  it("shows each frame of a video with its time and a canvas of its own", () => {
    show({ pictures: [frame(0), frame(1), frame(2), picture({ image: 1 })] });
    const places = page.canvases.map(({ dataset }) => [dataset.image, dataset.frame]);
    expect(places).toEqual([
      ["0", "0"],
      ["0", "1"],
      ["0", "2"],
      ["1", undefined],
    ]);
    expect(page.texts(".tam-time")).toEqual(["0.0 s", "0.5 s", "1.0 s"]);
    const strip = page.one(".tam-strip");
    expect(strip.tabIndex).toBe(0);
    expect(strip.getAttribute("aria-label")).toBe("Video, 3 frames");
    expect(strip.querySelectorAll("canvas").length).toBe(3);
    const names = page.all<HTMLImageElement>("img").map((image) => image.alt);
    expect(names).toEqual([
      "Frame at 0.0 s, video 1 of 2",
      "Frame at 0.5 s, video 1 of 2",
      "Frame at 1.0 s, video 1 of 2",
      "Picture 2 of 2",
    ]);
  });

  it("paints every frame with its own cells, and names the one with the peak", () => {
    show({ pictures: [frame(0), frame(1)] });
    page.hover(4);
    model.answer(model.requests[0], [127, 0, 0, 0, 0, 0, 0, 254]);
    const [first, second] = page.canvases.map(pixels);
    expect(first?.[3]).toBe(64); // half of the peak, opacity 0.5
    expect(first?.at(-1)).toBe(0);
    expect(second?.[3]).toBe(0);
    expect(second?.at(-1)).toBe(128);
    expect(page.canvases.map(({ dataset }) => dataset.token)).toEqual(["4", "4"]);
    expect(page.one(".tam-where").textContent).toMatch(/^At 0\.5 s, lower right · /);
    expect(page.one(".tam-where").title).toBe("Peak 0.50 at 0.5 s, row 2, column 2");
  });

  it("keeps what scrolls a strip from the notebook, and nothing else", () => {
    show({ pictures: [frame(0), frame(1)] });
    const heard: string[] = [];
    const listen = (event: KeyboardEvent) => heard.push(event.key);
    document.body.addEventListener("keydown", listen);
    page.one(".tam-strip").focus();
    const prevented = ["ArrowRight", "ArrowLeft", "Home", "End", "Escape", "j"].filter((key) =>
      page.key(key),
    );
    expect(prevented).toEqual(["ArrowRight", "ArrowLeft", "Home", "End"]);
    expect(heard).toEqual(["Escape", "j"]);
    document.body.removeEventListener("keydown", listen);
  });

  it("lays the canvas over the box, and veils what the box leaves", () => {
    const inside = picture({ image: 1, box: [0.125, -0.25, 0.75, 1.5] });
    show({ pictures: [picture(), inside], opacity: 0.8 });
    const places = page.canvases.map(({ style }) => [style.left, style.top, style.width, style.height]);
    expect(places).toEqual([
      ["0%", "0%", "100%", "100%"],
      ["12.5%", "-25%", "75%", "150%"],
    ]);
    expect(page.canvases.map((one) => one.classList.contains("tam-part"))).toEqual([false, true]);
    expect(page.one(".tam-stage").style.getPropertyValue("--tam-veil")).toBe("rgb(128 128 128 / 0.4)");
  });

  it("tells a picture that comes later from one without activation", () => {
    show({ pictures: [picture(), picture({ image: 1 })] });
    const unseen = [255, 255, 255, 255];
    page.hover(4);
    model.answer(model.requests[0], [0, 0, 0, 0, ...unseen], 0);
    expect(page.one(".tam-note").textContent).toBe("No image activation");
    expect(pixels(page.canvases[1] as HTMLCanvasElement).slice(0, 4)).toEqual([128, 128, 128, 64]);
    page.hover(3);
    model.answer(model.requests[1], [...unseen, ...unseen], 0);
    expect(page.one(".tam-note").textContent).toBe("Not seen yet: the pictures come later");
    expect(page.one(".tam-where").textContent).toBe("Not seen yet: the pictures come later");
    expect(page.one(".tam-peak").textContent).toBe("peak");
  });
});
