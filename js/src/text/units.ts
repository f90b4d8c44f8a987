/** What the pointer and the arrow keys pick: words, or single tokens. */
import type { State, Token } from "../kernel/protocol.ts";
import { everyWord } from "./typeset.ts";

/** Tokens, in order. */
export type Tokens = readonly number[];

export const NONE: Tokens = [];

export class Units {
  unit: State["unit"] = "word";
  readonly #words: [number, number][];
  readonly #wordOf: number[] = [];
  readonly #tokens: Token[];

  constructor(tokens: Token[], words: [number, number][]) {
    this.#tokens = tokens;
    this.#words = [...everyWord(tokens, words)];
    for (const [word, [first, end]] of this.#words.entries()) {
      for (let token = first; token < end; token++) this.#wordOf[token] = word;
    }
  }

  /** Whether all of them lie in one word. */
  areOneWord(tokens: Tokens): boolean {
    return tokens.length > 0 && this.#wordOf[tokens[0] as number] === this.#wordOf[tokens.at(-1) as number];
  }

  /** The tokens of a token's word, in either mode. */
  word(token: number): Tokens {
    const [first, end] = this.#words[this.#wordOf[token] as number] as [number, number];
    return range(first, end - 1);
  }

  of(token: number): Tokens {
    return this.unit === "word" ? this.word(token) : [token];
  }

  /** Everything from one token's unit to another's, in whichever order they stand. */
  between(one: number, other: number): Tokens {
    const first = this.of(Math.min(one, other))[0] as number;
    return range(first, this.of(Math.max(one, other)).at(-1) as number);
  }

  /** The first token of the next unit, or of the one before; at either end, of the same. */
  step(token: number, by: 1 | -1): number {
    const unit = this.of(token);
    const next = by > 0 ? (unit.at(-1) as number) + 1 : (unit[0] as number) - 1;
    return this.of(next in this.#tokens ? next : token)[0] as number;
  }

  /** All tokens of the last answer; none where nothing was said. */
  get lastAnswer(): Tokens {
    const turn = this.#tokens.at(-1)?.turn;
    return this.#tokens.flatMap((token, i) => (token.role === "answer" && token.turn === turn ? [i] : []));
  }

  /** The words that some tokens make up, those of signs alone left out. */
  words(tokens: Tokens): Tokens[] {
    const words = tokens.map((token) => this.word(token)).filter((word, i) => word[0] === tokens[i]);
    return words.filter((word) =>
      word.some((token) => /[\p{L}\p{N}]/u.test(this.#tokens[token]?.whole ?? "")),
    );
  }

  /** Each word's text, as it is told apart from others, with its first token. */
  *texts(): Generator<[text: string, first: number]> {
    for (const [first, end] of this.#words) {
      const text = this.#tokens.slice(first, end).map((one, i) => (i ? one.lead : "") + one.whole);
      yield [text.join("").trim().toLowerCase(), first];
    }
  }
}

/** Both ends included. */
function range(first: number, last: number): Tokens {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
