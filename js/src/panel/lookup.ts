/** The other direction: the words that respond to a part of a picture, ranked, and as tints on the text. */
import type { Token } from "../kernel/protocol.ts";
import { listen } from "../page/bind.ts";
import { element, visible } from "../page/dom.ts";
import { decimals } from "../page/numbers.ts";

/** What responds with less than this share of the strongest does not respond. */
const LEAST = 0.01;
/** Words in the list. */
const MOST = 8;
/** Steps of the tint, so that a new region touches only the tokens whose tint really changes. */
const TINTS = 20;

export interface Ranked {
  tokens: number[];
  score: number;
}

/** The words that respond most, each as strongly as its strongest token; those that do not respond are left out. */
export function rank(
  words: readonly (readonly [number, number])[],
  scores: Float32Array,
  most = MOST,
): Ranked[] {
  const all = words
    .map(([first, end]) => ({
      tokens: Array.from({ length: end - first }, (_, i) => first + i),
      // NaN is what saw nothing; it is never the greatest.
      score: scores.subarray(first, end).reduce((best, score) => (score > best ? score : best), 0),
    }))
    .filter(({ score }) => score > 0)
    .sort((one, other) => other.score - one.score);
  return all.slice(0, most).filter(({ score }) => score >= LEAST * (all[0] as Ranked).score);
}

/** Tint tokens by how strongly they respond, beside the strongest; null takes the tints away. */
export function heat(buttons: readonly HTMLElement[], scores: Float32Array | null): void {
  const most = scores?.reduce((best, score) => (score > best ? score : best), 0) ?? 0;
  buttons[0]?.closest(".tam-text")?.classList.toggle("tam-asked-of", scores !== null);
  for (const [i, button] of buttons.entries()) {
    const level = most > 0 ? Math.round(((scores?.[i] || 0) / most) * TINTS) : 0;
    button.style.setProperty("--tam-heat", `${(level / TINTS) * 100}%`);
  }
}

export interface Picker {
  /** A word of the list is looked at; null for none. */
  look(tokens: number[] | null): void;
  /** A word of the list is chosen, to stay. */
  pick(tokens: number[]): void;
  close(): void;
}

interface Row {
  item: HTMLElement;
  button: HTMLButtonElement;
  text: HTMLElement;
  bar: HTMLElement;
  score: HTMLElement;
}

/** Its height is that of a full list, whether or not it is shown. */
export class LookupView {
  readonly node: HTMLElement;
  readonly #name = element("span", "tam-name");
  readonly #none = element("div", "tam-hint");
  readonly #rows: Row[] = [];
  readonly #tokens: Token[];
  readonly #words: [number, number][];
  #ranked: Ranked[] = [];

  constructor(tokens: Token[], words: [number, number][], picker: Picker, signal: AbortSignal) {
    this.#tokens = tokens;
    this.#words = words;
    const close = element(
      "button",
      "tam-close",
      { type: "button", "aria-label": "Ask no more", title: "Esc" },
      "×",
    );
    listen(close, "click", () => picker.close(), signal);
    const list = element("ol", "tam-candidates", { "aria-label": "Words that respond to it" });
    for (let i = 0; i < MOST; i++) {
      const row = this.#addRow(list);
      const look = () => picker.look(this.#ranked[i]?.tokens ?? null);
      listen(row.button, "pointerenter", look, signal);
      listen(row.button, "focus", () => row.button.matches(":focus-visible") && look(), signal);
      listen(row.button, "blur", () => picker.look(null), signal);
      listen(row.button, "click", () => picker.pick(this.#ranked[i]?.tokens ?? []), signal);
    }
    listen(list, "pointerleave", () => picker.look(null), signal);
    const heading = element("div", "tam-heading", {}, this.#name, close);
    this.node = element("div", "tam-lookup", { role: "group", "aria-label": "Asked of the picture" });
    this.node.append(heading, list, this.#none);
    listen(this.node, "keydown", (event) => leave(event, picker), signal);
    this.hide();
  }

  hide(): void {
    delete this.node.dataset.open;
  }

  /** Scores of all tokens; null while they are under way. Returns what a screen reader says. */
  show(name: string, scores: Float32Array | null, trouble = ""): string {
    this.node.dataset.open = "";
    this.#name.textContent = name;
    this.#ranked = scores ? rank(this.#words, scores) : [];
    const none = this.#ranked.length === 0 && "No word responds to this place.";
    this.#none.textContent = scores ? none || "" : trouble;
    const most = this.#ranked[0]?.score ?? 1;
    const texts = this.#ranked.map((one) => this.#textOf(one));
    for (const [i, row] of this.#rows.entries()) {
      const one = this.#ranked[i];
      row.item.classList.toggle("tam-none", !one);
      // As a candidate that was chosen: of the prompt none was.
      row.item.classList.toggle("tam-chosen", this.#tokens[one?.tokens[0] ?? -1]?.role === "answer");
      row.text.textContent = texts[i] ?? "";
      row.bar.style.width = `${((one?.score ?? 0) / most) * 100}%`;
      row.score.textContent = one ? decimals(one.score) : "";
    }
    return `${name}: ${texts.map((text, i) => `${text} ${this.#rows[i]?.score.textContent}`).join(", ") || this.#none.textContent}`;
  }

  #textOf({ tokens }: Ranked): string {
    return visible(
      tokens.map((i) => this.#tokens[i]).reduce((text, token) => text + token?.lead + token?.whole, ""),
    );
  }

  #addRow(list: HTMLElement): Row {
    const text = element("span", "tam-candidate-text", { dir: "auto" });
    const bar = element("span", "tam-bar");
    const score = element("span", "tam-probability");
    const track = element("span", "tam-track", { "aria-hidden": "true" }, bar);
    const button = element("button", "tam-candidate tam-ranked", { type: "button" }, text, track, score);
    const item = element("li", "tam-none", {}, button);
    list.append(item);
    const row: Row = { item, button, text, bar, score };
    this.#rows.push(row);
    return row;
  }
}

/** Esc closes the list; what presses a button must not become the notebook's command. */
function leave(event: KeyboardEvent, picker: Picker): void {
  if (event.key === "Escape") picker.close();
  else if (event.key !== "Enter" && event.key !== " ") return;
  event.stopPropagation();
}
