/** How strongly a picture answers to each word of the text, where all maps are at hand. */
import type { Model } from "../kernel/protocol.ts";
import type { Tokens, Units } from "./units.ts";

export class Peaks {
  /** Each token's: its word's greatest peak. Empty where the maps are the kernel's. */
  readonly #ofToken: number[] = [];
  readonly #most: number;
  /** The first tokens of the last answer's words, by their peaks, the greatest first. */
  readonly #ranked: number[];

  constructor(model: Model, units: Units) {
    const peaks = model.get("maps")?.peaks ?? [];
    for (let token = 0; token < peaks.length; token++) {
      this.#ofToken.push(Math.max(...units.word(token).map((one) => peaks[one] as number)));
    }
    this.#most = this.#ofToken.reduce((most, peak) => Math.max(most, peak), 0);
    this.#ranked = units
      .words(units.lastAnswer)
      .map((word) => word[0] as number)
      .filter((token) => this.share(token) > 0)
      .sort((one, other) => this.share(other) - this.share(one));
  }

  /** A token's share of the greatest peak that there is. */
  share(token: number): number {
    return this.#most > 0 ? (this.#ofToken[token] ?? 0) / this.#most : 0;
  }

  /** The place of a word among the words of the last answer that have one, and how many these are; null for others. */
  rank(word: Tokens): [rank: number, count: number] | null {
    const at = this.#ranked.indexOf(word[0] as number);
    return at >= 0 ? [at + 1, this.#ranked.length] : null;
  }

  /** The first word of the last answer that has a place in a picture; null where none is known to have one. */
  get first(): number | null {
    return this.#ranked.length > 0 ? Math.min(...this.#ranked) : null;
  }
}
