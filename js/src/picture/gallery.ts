/** The pictures, and the frames of each video as a strip that scrolls sideways, with a scrubber under it. */
import type { Picture } from "../kernel/protocol.ts";
import { listen } from "../page/bind.ts";
import { element } from "../page/dom.ts";
import { seconds } from "../page/numbers.ts";
import { PictureView } from "./picture.ts";
import { ScrubberView } from "./scrubber.ts";

/** A video's frames. */
export interface Film {
  strip: HTMLElement;
  views: PictureView[];
  scrubber: ScrubberView;
}

export class GalleryView {
  readonly nodes: HTMLElement[] = [];
  /** One for each picture or frame, in the order of the cells. */
  readonly views: PictureView[];
  readonly films: Film[] = [];

  constructor(pictures: Picture[], signal: AbortSignal) {
    const count = new Set(pictures.map((picture) => picture.image)).size;
    this.views = pictures.map((picture) => new PictureView(picture, label(picture, count), signal));
    for (const views of byImage(this.views).values()) {
      const times = views.map((view) => view.picture.time);
      if (times.every((time) => time !== null)) this.#addFilm(views, times, signal);
      else this.nodes.push(...views.map((view) => view.node));
    }
  }

  #addFilm(views: PictureView[], times: number[], signal: AbortSignal): void {
    const frames = views.map((view, i) =>
      element(
        "div",
        "tam-frame",
        {},
        view.node,
        element("div", "tam-time", { "aria-hidden": "true" }, seconds(times[i] as number)),
      ),
    );
    const name = `Video, ${views.length} frames`;
    const strip = element("div", "tam-strip", { role: "group", tabindex: 0, "aria-label": name }, ...frames);
    listen(strip, "keydown", (event) => scroll(event, strip), signal);
    // Tab reaches one frame, the one looked at last; the arrow keys lead on to the others.
    const reach = (frame: number) => {
      for (const [i, view] of views.entries()) view.node.tabIndex = i === frame ? 0 : -1;
    };
    for (const [i, view] of views.entries()) listen(view.node, "focus", () => reach(i), signal);
    reach(0);
    const scrubber = new ScrubberView(strip, times, reach, signal);
    this.nodes.push(strip);
    if (views.length > 1) this.nodes.push(scrubber.node);
    this.films.push({ strip, views, scrubber });
  }
}

function byImage(views: PictureView[]): Map<number, PictureView[]> {
  const groups = new Map<number, PictureView[]>();
  for (const view of views) {
    const { image } = view.picture;
    groups.set(image, [...(groups.get(image) ?? []), view]);
  }
  return groups;
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
