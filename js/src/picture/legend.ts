/** The scale under the picture: which colour is which value. */
import { element } from "../page/dom.ts";
import { decimals, signed } from "../page/numbers.ts";

export interface Scale {
  /** Value of the colour map's end. */
  peak: number;
  diverging: boolean;
  unit: "" | "logits";
  /** Of each map, or of the whole answer. */
  of: "token" | "answer";
}

const TITLES = {
  token: "Each map has its own scale: from 0 to its peak on the joint scale of picture and text",
  answer:
    "All maps have one scale: from 0 to the answer's greatest value, on the joint scale of picture and text",
};

export class LegendView {
  readonly #ramp = element("span", "tam-ramp");
  readonly #low = element("span", "", {}, "0");
  readonly #peak = element("span", "tam-peak");
  readonly node = element("div", "tam-legend", {}, this.#low, this.#ramp, this.#peak);

  constructor() {
    this.show(null);
  }

  /** Show what the values look like: a gradient of CSS. */
  colour(gradient: string): void {
    this.#ramp.style.backgroundImage = gradient;
  }

  show(scale: Scale | null): void {
    this.node.classList.toggle("tam-idle", scale === null);
    this.node.title = TITLES[scale?.of ?? "token"];
    this.#low.textContent = scale?.diverging ? signed(-scale.peak) : "0";
    const peak = scale?.diverging ? signed(scale.peak) : decimals(scale?.peak ?? 0);
    this.#peak.textContent = scale ? `${peak} ${scale.unit}`.trim() : "peak";
  }

  /** Where the contour runs, as shares of the ramp. */
  ticks(shares: number[]): void {
    this.#ramp.replaceChildren(
      ...shares.map((share) => {
        const tick = element("i", "tam-tick");
        tick.style.left = `${share * 100}%`;
        return tick;
      }),
    );
  }
}
