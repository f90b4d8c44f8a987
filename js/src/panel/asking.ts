/** The part of a picture that is asked about: a trait, drawn on its picture, with the words that respond to it. */
import type { Model, Region } from "../kernel/protocol.ts";
import { follow, save } from "../page/bind.ts";
import { seconds } from "../page/numbers.ts";
import type { PictureView } from "../picture/picture.ts";
import { type Box, boxOf, cellsOf, nameOf } from "../picture/place.ts";
import { heat, LookupView } from "./lookup.ts";

/** Settings that change the answer. */
const METHOD = ["causal_inference", "kernel_size"] as const;

/** Where scores come from; a MapClient. */
export interface Source {
  scores(region: null): void;
  scores(region: Region, then: (scores: Float32Array | null) => void): void;
  scale(then: (peak: number | null) => void): void;
}

/** What the widget's text does for the picture. */
export interface Text {
  /** One for each token. */
  buttons: readonly HTMLElement[];
  look(tokens: number[] | null): void;
  pick(tokens: number[]): void;
}

export class Asking {
  readonly lookup: LookupView;
  readonly #model: Model;
  readonly #views: readonly PictureView[];
  readonly #speak: (text: string) => void;
  #source: Source | null = null;
  #text: Text | null = null;
  #shown = "null";

  constructor(
    model: Model,
    views: readonly PictureView[],
    speak: (text: string) => void,
    signal: AbortSignal,
  ) {
    this.#model = model;
    this.#views = views;
    this.#speak = speak;
    const picker = {
      look: (tokens: number[] | null) => this.#text?.look(tokens),
      pick: (tokens: number[]) => this.#text?.pick(tokens),
      close: () => this.clear(),
    };
    this.lookup = new LookupView(model.get("tokens"), model.get("words"), picker, signal);
    follow(model, ["region"], () => this.#show(), signal);
    follow(model, METHOD, () => this.#show(true), signal);
  }

  connect(source: Source, text: Text): void {
    this.#source = source;
    this.#text = text;
    this.#show();
  }

  /** A box, or a point; inside what is asked about already a point takes it back. */
  ask(view: PictureView, box: Box): void {
    const now = this.#model.get("region");
    const isPoint = box[0] === box[2] && box[1] === box[3];
    const asked = now && this.#viewOf(now) === view && around(view, now.box);
    if (isPoint && asked && within(asked, box)) {
      this.clear();
      return;
    }
    const { image, frame } = view.picture;
    this.#save({ image, frame, box });
  }

  /** False where nothing was asked. */
  clear(): boolean {
    const region = this.#model.get("region");
    if (!region) return false;
    this.#text?.look(null);
    // The list goes, and would take the focus along.
    if (this.lookup.node.contains(document.activeElement))
      this.#viewOf(region)?.node.focus({ preventScroll: true });
    this.#save(null);
    return true;
  }

  #save(region: Region | null): void {
    save(this.#model, "region", region);
  }

  #viewOf({ image, frame }: Region): PictureView | undefined {
    return this.#views.find(({ picture }) => picture.image === image && picture.frame === frame);
  }

  #show(isRenewed = false): void {
    const region = this.#model.get("region") ?? null;
    const key = JSON.stringify(region);
    // The kernel sends back what it was sent.
    if (!this.#source || !this.#text || (key === this.#shown && !isRenewed)) return;
    this.#shown = key;
    const { buttons } = this.#text;
    const view = region && this.#viewOf(region);
    for (const one of this.#views) one.mark("asked", one === view && region ? around(one, region.box) : null);
    if (!region || !view) {
      this.#source.scores(null);
      this.lookup.hide();
      heat(buttons, null);
      return;
    }
    const name = this.#nameOf(view, region);
    if (!isRenewed) {
      heat(buttons, null);
      this.lookup.show(name, null, "Asking…");
    }
    this.#source.scores(region, (scores) => {
      heat(buttons, scores);
      this.#speak(this.lookup.show(name, scores, "There is no answer: no kernel runs behind this page."));
    });
  }

  #nameOf(view: PictureView, { box }: Region): string {
    const cells = cellsOf(view.picture, box);
    const place = cells ? nameOf(cells) : "beside the map";
    const { time, image } = view.picture;
    const which = this.#views.some((one) => one.picture.image > 0) ? `${image + 1}: ` : "";
    const name = `${which}${time === null ? "" : `${seconds(time)}, `}${place}`;
    return name.charAt(0).toUpperCase() + name.slice(1);
  }
}

/** A point's cell; a box as it is. */
function around(view: PictureView, box: Box): Box {
  if (box[0] < box[2] && box[1] < box[3]) return box;
  const cells = cellsOf(view.picture, box);
  return cells ? boxOf(view.picture, cells) : box;
}

function within(outer: Box, [x, y]: Box): boolean {
  return x >= outer[0] && x < outer[2] && y >= outer[1] && y < outer[3];
}
