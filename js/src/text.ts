/** The conversation as tokens that read as plain text, and how an active token colours the others. */
import { element, visible } from "./dom.ts";
import type { Token } from "./protocol.ts";
import { type Glyphs, type Run, typeset } from "./typeset.ts";

/** Steps of the tint, so that a hover touches only the tokens whose tint really changes. */
const TINTS = 20;

export class TextView {
  readonly node = element("div", "tam-text", { role: "group", "aria-label": "Prompt and answer" });
  readonly buttons: HTMLButtonElement[] = [];
  readonly #tints: Uint8Array;
  /** Tokens from here on come later than the active one. */
  #later: number;
  #active: number | null = null;
  #pinned: number | null = null;
  #current: number;

  constructor(tokens: Token[], words: [number, number][]) {
    for (const block of typeset(tokens, words)) {
      const paragraph = element("div", `tam-turn tam-${block.role}`, { dir: "auto" });
      for (const run of block.runs) this.#setRun(paragraph, run, tokens);
      this.node.append(paragraph);
    }
    this.#tints = new Uint8Array(tokens.length);
    this.#later = tokens.length;
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

  mark(active: number | null, pinned: number | null): void {
    this.#at(this.#active)?.classList.remove("tam-active");
    this.#at(active)?.classList.add("tam-active");
    if (pinned !== this.#pinned) {
      for (const [token, state] of [
        [this.#pinned, "false"],
        [pinned, "true"],
      ] as const) {
        this.#at(token)?.setAttribute("aria-pressed", state);
      }
    }
    const later = active === null ? this.buttons.length : active + 1;
    for (let i = Math.min(later, this.#later); i < Math.max(later, this.#later); i++) {
      this.buttons[i]?.classList.toggle("tam-later", i >= later);
    }
    this.#active = active;
    this.#pinned = pinned;
    this.#later = later;
  }

  /** Tint the earlier tokens by their relevance, value / 255 · peak on the joint scale; null takes all tints away. */
  tint(relevance: Uint8Array | null, peak = 0): void {
    for (let i = 0; i < this.buttons.length; i++) {
      // The square root keeps a weak relevance visible beside a strong one.
      const level = Math.round(Math.sqrt(((relevance?.[i] ?? 0) / 255) * peak) * TINTS);
      if (this.#tints[i] === level) continue;
      this.#tints[i] = level;
      this.buttons[i]?.style.setProperty("--tam-weight", `${(level / TINTS) * 100}%`);
    }
  }

  /** The token under an event's target. */
  static token(target: EventTarget | null): number | null {
    const button = target instanceof Element ? target.closest<HTMLElement>(".tam-token") : null;
    return button ? Number(button.dataset.index) : null;
  }

  #at(token: number | null): HTMLButtonElement | undefined {
    return token === null ? undefined : this.buttons[token];
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
        const button = this.#setToken(glyphs, tokens);
        this.buttons[glyphs.token] = button;
        wrapper.append(button);
        space = glyphs.trail;
      }
    }
    node.classList.toggle("tam-loose", loose);
    paragraph.append(node, space);
  }

  #setToken(glyphs: Glyphs, tokens: Token[]): HTMLButtonElement {
    const button = element("button", "tam-token", {
      type: "button",
      tabindex: -1,
      "data-index": glyphs.token,
      "aria-pressed": "false",
      "aria-label": tokenName(glyphs.token, tokens),
    });
    button.textContent = glyphs.core;
    if (glyphs.core.trim() === "") {
      // Nothing to see, but a token all the same: a faint sign marks the place.
      button.classList.add("tam-blank");
      if (glyphs.core === "") button.dataset.sign = visible(glyphs.trail);
    }
    return button;
  }
}

/** A token's place in the conversation. Turns count from 1, and go without saying where there is only one. */
export function placeOf(index: number, tokens: Token[]): string {
  const { role, turn } = tokens[index] as Token;
  const isOne = (tokens.at(-1)?.turn ?? 0) === 0;
  return `${role} token ${index}${isOne ? "" : `, turn ${turn + 1}`}`;
}

function tokenName(index: number, tokens: Token[]): string {
  const token = tokens[index] as Token;
  const chosen = token.candidates.find((candidate) => candidate.chosen);
  const probability = chosen ? `, probability ${chosen.probability.toFixed(2)}` : "";
  return `"${visible(token.text)}", ${placeOf(index, tokens)}${probability}`;
}
