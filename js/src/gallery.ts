/** The pictures, and the frames of each video as a strip that scrolls sideways. */
import { element } from "./dom.ts";
import { PictureView } from "./picture.ts";
import type { Picture } from "./protocol.ts";
import { seconds } from "./where.ts";

export class GalleryView {
  readonly nodes: HTMLElement[] = [];
  /** One for each picture or frame, in the order of the cells. */
  readonly views: PictureView[];

  constructor(pictures: Picture[], signal: AbortSignal) {
    const count = new Set(pictures.map((picture) => picture.image)).size;
    const strips = new Map<number, HTMLElement>();
    this.views = pictures.map((picture) => {
      const view = new PictureView(picture, label(picture, count), signal);
      if (picture.time === null) {
        this.nodes.push(view.node);
        return view;
      }
      let strip = strips.get(picture.image);
      if (!strip) {
        strip = this.#addStrip(signal);
        strips.set(picture.image, strip);
      }
      const time = element("div", "tam-time", { "aria-hidden": "true" }, seconds(picture.time));
      strip.append(element("div", "tam-frame", {}, view.node, time));
      return view;
    });
    for (const strip of strips.values()) {
      strip.setAttribute("aria-label", `Video, ${strip.childElementCount} frames`);
    }
  }

  #addStrip(signal: AbortSignal): HTMLElement {
    const strip = element("div", "tam-strip", { role: "group", tabindex: 0 });
    strip.addEventListener("keydown", (event) => scroll(event, strip), { signal });
    this.nodes.push(strip);
    return strip;
  }
}

/** One frame for an arrow key; the notebook must not take it for a command. */
function scroll(event: KeyboardEvent, strip: HTMLElement): void {
  const all = strip.scrollWidth;
  const one = all / strip.childElementCount;
  const way = { ArrowLeft: -one, ArrowRight: one, Home: -all, End: all }[event.key];
  if (way === undefined || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation();
  strip.scrollLeft += way; // CSS snaps it to the frame
}

/** What a screen reader calls a picture. */
function label(picture: Picture, count: number): string {
  const which = `${picture.image + 1} of ${count}`;
  if (picture.time === null) return count > 1 ? `Picture ${which}` : "The picture";
  const frame = `Frame at ${seconds(picture.time)}`;
  return count > 1 ? `${frame}, video ${which}` : frame;
}
