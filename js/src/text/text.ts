/** The conversation as tokens that read as plain text, and how an active token colours the others. */
import type { State, Token } from "../kernel/protocol.ts";
import { element, visible } from "../page/dom.ts";
import { probability as shown } from "../page/numbers.ts";
import type { Peaks } from "./peaks.ts";
import { DOUBTFUL, probabilityOf } from "./tint.ts";
import { type Glyphs, type Run, typeset, type Word } from "./typeset.ts";
import { NONE, type Tokens } from "./units.ts";

/** Steps of the tint, so that a hover touches only the tokens whose tint really changes. */
const TINTS = 20;
const LATER = 128;

export class TextView {
  readonly node = element("div", "tam-text", { role: "group", "aria-label": "Prompt and answer" });
  readonly buttons: HTMLButtonElement[] = [];
  /** What shows its words otherwise than its tokens: each fills one button. */
  readonly #fills: ((unit: State["unit"]) => void)[] = [];
  /** What each token shows: its tint's level, and LATER where it comes after the active ones. */
  readonly #shown: Uint8Array;
  /** Tokens from here on come later than the active ones. */
  #later: number;
  #weight: ((token: number) => number) | null = null;
  #active: Tokens = NONE;
  #pinned: Tokens = NONE;
  #current: number;

  constructor(tokens: Token[], words: [number, number][], signal: AbortSignal) {
    for (const block of typeset(tokens, words)) {
      const paragraph = element("div", `tam-turn tam-${block.role}`, { dir: "auto" });
      for (const run of block.runs) this.#setRun(paragraph, run, tokens);
      this.node.append(paragraph);
    }
    this.#shown = new Uint8Array(tokens.length);
    this.#later = tokens.length;
    let frame = 0;
    const scrolled = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => this.#dress());
    };
    this.node.addEventListener("scroll", scrolled, { signal, passive: true });
    signal.addEventListener("abort", () => cancelAnimationFrame(frame));
    const answer = tokens.findIndex((token) => token.role === "answer");
    this.#current = Math.max(answer, 0);
    this.buttons[this.#current]?.setAttribute("tabindex", "0");
  }

  /** The one token that the Tab key reaches. */
  get current(): number {
    return this.#current;
  }

  set current(token: number) {
    this.buttons[this.#current]?.setAttribute("tabindex", "-1");
    this.#current = token;
    this.buttons[token]?.setAttribute("tabindex", "0");
  }

  /** Mark the words that have a place in a picture, as strongly as it answers to them; the Tab key reaches the first. */
  invite(peaks: Peaks): void {
    for (const [token, button] of this.buttons.entries()) {
      const share = peaks.share(token);
      if (share > 0) button.style.setProperty("--tam-place", `${Math.round(share * 100)}%`);
    }
    if (peaks.first !== null) this.current = peaks.first;
  }

  /** Show the characters of words whole, or what each token is by itself. */
  set unit(unit: State["unit"]) {
    for (const fill of this.#fills) fill(unit);
  }

  mark(active: Tokens, pinned: Tokens): void {
    this.#change(this.#active, active, (button, on) => button.classList.toggle("tam-active", on));
    this.#change(this.#pinned, pinned, (button, on) => button.setAttribute("aria-pressed", String(on)));
    this.#active = active;
    this.#pinned = pinned;
    this.node.classList.toggle("tam-resting", active.length === 0);
    this.#later = (active.at(-1) ?? this.buttons.length - 1) + 1;
    this.#dress();
  }

  /** Tint every token by a weight in [0, 1]; null takes all tints away. text.css has a colour for each kind. */
  tint(kind: State["tint"], weight: ((token: number) => number) | null): void {
    this.node.dataset.tint = kind;
    this.#weight = weight;
    this.#dress();
  }

  /** Give the tokens near to what is in view their tint and fade; the others get theirs when they are scrolled to. */
  #dress(): void {
    const [from, to] = this.#near();
    for (let i = from; i < to; i++) {
      const level = this.#weight ? Math.round(this.#weight(i) * TINTS) : 0;
      const shown = level | (i >= this.#later ? LATER : 0);
      const before = this.#shown[i] as number;
      if (before === shown) continue;
      this.#shown[i] = shown;
      const button = this.buttons[i];
      if ((before ^ shown) & LATER) button?.classList.toggle("tam-later", i >= this.#later);
      if ((before ^ shown) & ~LATER) button?.style.setProperty("--tam-weight", `${(level / TINTS) * 100}%`);
    }
  }

  /** The tokens in view, and as much again before and behind them. */
  #near(): [number, number] {
    const { clientHeight, scrollHeight } = this.node;
    const count = this.buttons.length;
    if (scrollHeight <= clientHeight) return [0, count];
    const { top, bottom } = this.node.getBoundingClientRect();
    return [this.#below(top - clientHeight), this.#below(bottom + clientHeight)];
  }

  /** How many tokens end above a height of the page. */
  #below(height: number): number {
    let low = 0;
    let high = this.buttons.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.buttons[middle] as HTMLElement).getBoundingClientRect().bottom < height) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The token under an event's target. */
  static token(target: EventTarget | null): number | null {
    const button = target instanceof Element ? target.closest<HTMLElement>(".tam-token") : null;
    return button ? Number(button.dataset.index) : null;
  }

  /** Touch only the tokens that are in one of two lists alone. */
  #change(before: Tokens, after: Tokens, set: (button: HTMLButtonElement, on: boolean) => void): void {
    if (before === after) return;
    for (const [tokens, others, on] of [
      [before, new Set(after), false],
      [after, new Set(before), true],
    ] as const) {
      for (const token of tokens) {
        const button = others.has(token) ? undefined : this.buttons[token];
        if (button) set(button, on);
      }
    }
  }

  /** Space stands beside the buttons, not in them: a mark then hugs its word, and lines begin flush. */
  #setRun(paragraph: HTMLElement, run: Run, tokens: Token[]): void {
    const node = element("span", "tam-run");
    let space = "";
    let loose = run.loose;
    for (const word of run.words) {
      const wrapper = element("span", "tam-word");
      node.append(wrapper);
      for (const glyphs of word) {
        const first = !node.querySelector(".tam-token");
        space += glyphs.lead;
        if (space) (first ? paragraph : wrapper).append(space);
        if (space && !first) loose = true;
        const button = this.#setToken(glyphs, word, tokens);
        this.buttons[glyphs.token] = button;
        wrapper.append(button);
        space = glyphs.trail;
      }
    }
    node.classList.toggle("tam-loose", loose);
    paragraph.append(node, space);
  }

  #setToken({ token, core, own }: Glyphs, word: Word, tokens: Token[]): HTMLButtonElement {
    const button = element("button", "tam-token", {
      type: "button",
      tabindex: -1,
      "data-index": token,
      "aria-pressed": "false",
    });
    const { text } = tokens[token] as Token;
    if ((probabilityOf(tokens[token] as Token) ?? 1) < DOUBTFUL) button.classList.add("tam-doubtful");
    const whole = word.map((one) => one.core).join("");
    // Nothing to see, but a token all the same: a faint sign marks the place, but not within a word that is seen.
    const fill = (shown: string, isBlank: boolean, name: string) => {
      button.textContent = shown;
      button.classList.toggle("tam-blank", isBlank);
      if (isBlank && shown === "") button.dataset.sign = visible(text);
      else delete button.dataset.sign;
      button.setAttribute("aria-label", tokenName(token, tokens, name));
    };
    const fillWhole = () => fill(core, whole.trim() === "", core === own ? text : core || whole);
    fillWhole();
    if (core !== own || (core === "" && whole.trim() !== "")) {
      this.#fills.push((unit) => (unit === "word" ? fillWhole() : fill(own, own.trim() === "", text)));
    }
    return button;
  }
}

/** Tokens' place in the conversation. Turns count from 1, and go without saying where there is only one. */
export function placeOf(which: Tokens, tokens: Token[]): string {
  const first = which[0] as number;
  const last = which.at(-1) as number;
  const { role, turn } = tokens[first] as Token;
  const isOne = (tokens.at(-1)?.turn ?? 0) === 0;
  const isRun = last - first + 1 === which.length; // what is pinned from Python need not stand together
  const numbers =
    first === last ? `token ${first}` : `tokens ${isRun ? `${first}–${last}` : which.join(", ")}`;
  return `${role} ${numbers}${isOne ? "" : `, turn ${turn + 1}`}`;
}

function tokenName(index: number, tokens: Token[], text: string): string {
  const held = probabilityOf(tokens[index] as Token);
  const sure = held === undefined ? "" : `, probability ${shown(held)}`;
  return `"${visible(text)}", ${placeOf([index], tokens)}${sure}`;
}
