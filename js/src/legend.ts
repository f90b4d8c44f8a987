/** The scale under the picture: which colour is 0, which the token's peak. */
import { gradient } from "./colormap.ts";
import { element } from "./dom.ts";

export class LegendView {
  readonly #ramp = element("span", "tam-ramp");
  readonly #peak = element("span", "tam-peak");
  readonly node = element(
    "div",
    "tam-legend",
    { title: "Stretched for each token: from 0 to the token's peak on the joint scale of picture and text" },
    "0",
    this.#ramp,
    this.#peak,
  );

  constructor() {
    this.peak(null);
  }

  colour(colormap: Uint8Array): void {
    this.#ramp.style.backgroundImage = gradient(colormap);
  }

  peak(value: number | null): void {
    this.node.classList.toggle("tam-idle", value === null);
    this.#peak.textContent = value === null ? "peak" : decimals(value);
  }
}

/** Two decimals; a weak map gets as many as it needs. */
export function decimals(value: number): string {
  return value === 0 || value >= 0.095 ? value.toFixed(2) : value.toPrecision(1);
}
