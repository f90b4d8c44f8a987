/** A word that other texts may have too: its text, and which of its occurrences it is. */
import type { State } from "../kernel/protocol.ts";
import { NONE, type Tokens, type Units } from "./units.ts";

export type Focus = State["focus"];

export class Vocabulary {
  readonly #units: Units;
  /** The first tokens of every occurrence. */
  readonly #places = new Map<string, number[]>();
  readonly #names = new Map<number, Focus>();

  constructor(units: Units) {
    this.#units = units;
    for (const [text, first] of units.texts()) {
      if (text === "") continue;
      const places = this.#places.get(text) ?? [];
      this.#names.set(first, [text, places.length]);
      this.#places.set(text, places);
      places.push(first);
    }
  }

  /** The word that tokens lie in; [] where they are of several or none. */
  name(tokens: Tokens): Focus {
    if (!this.#units.areOneWord(tokens)) return [];
    return this.#names.get(this.#units.word(tokens[0] as number)[0] as number) ?? [];
  }

  /** The tokens of that word here: of the same occurrence, or else the last; none where the text has no such word. */
  find([text, occurrence]: Focus): Tokens {
    const places = text === undefined ? undefined : this.#places.get(text);
    const first = places?.[occurrence ?? 0] ?? places?.at(-1);
    return first === undefined ? NONE : this.#units.word(first);
  }
}
