/** The panel under the text: what is looked at, what else it might have been, where its map peaks. Its height never changes. */
import type { Token } from "../kernel/protocol.ts";
import { listen } from "../page/bind.ts";
import { element, visible } from "../page/dom.ts";
import { placeOf } from "../text/text.ts";
import type { Tokens, Units } from "../text/units.ts";
import { CandidatesView } from "./candidates.ts";

const IDLE =
  "Hover a word to see where the model looked; click to pin it.\n" +
  "Drag or shift-click for several. Arrow keys walk, Esc lets go.";
const GIVEN = "Given in the prompt, not chosen by the model.";
const SEVERAL = "Several words, read as one.";

export class DetailView {
  readonly node = element("div", "tam-detail");
  readonly candidates: CandidatesView;
  readonly #name = element("span", "tam-name", { dir: "auto" });
  readonly #place = element("span", "tam-place");
  readonly #check = element(
    "button",
    "tam-button",
    { type: "button", title: "Cover its place and ask the model again: does the word need it? (C)" },
    "Check",
  );
  readonly #hint = element("div", "tam-hint");
  readonly #where = element("div", "tam-where");
  readonly #tokens: Token[];
  readonly #units: Units;

  /** Whether to say what can be done here, where nothing is looked at. */
  hints = true;

  /** `changed` is called when another candidate is looked at, `check` when a check is asked for. */
  constructor(tokens: Token[], units: Units, changed: () => void, check: () => void, signal: AbortSignal) {
    this.#tokens = tokens;
    this.#units = units;
    this.candidates = new CandidatesView(tokens, changed, signal);
    this.node.append(
      element("div", "tam-heading", {}, this.#name, this.#check, this.#place),
      this.#where,
      this.candidates.node,
      this.#hint,
    );
    listen(this.#check, "click", check, signal);
  }

  /** Whether these can be checked: the model said them. */
  canCheck(active: Tokens): boolean {
    return active.length > 0 && active.every((index) => this.#tokens[index]?.role === "answer");
  }

  show(active: Tokens): void {
    const first = active[0];
    const isOne = this.#units.areOneWord(active);
    this.candidates.show(isOne ? (first as number) : null, active.length > 1);
    this.#hint.textContent = first === undefined ? this.#idle : this.#why(first, isOne);
    this.#hint.classList.toggle("tam-idle", first === undefined);
    this.#name.textContent = first === undefined ? "" : textOf(active, this.#tokens);
    this.#place.textContent = first === undefined ? "" : placeOf(active, this.#tokens);
    this.#check.classList.toggle("tam-none", !this.canCheck(active));
    this.where("", "");
  }

  /** Where the map peaks, in words; the figures are there for who asks. */
  where(text: string, figures: string): void {
    this.#where.textContent = text;
    this.#where.title = figures;
  }

  get #idle(): string {
    return this.hints ? IDLE : "";
  }

  /** Why there are no candidates, if there are none. */
  #why(first: number, isOne: boolean): string {
    if (!isOne) return SEVERAL;
    return this.#tokens[first]?.candidates.length ? "" : GIVEN;
  }
}

/** The same for a label: see `visible`. */
export function textOf(which: Tokens, tokens: Token[]): string {
  return visible(saidBy(which, tokens));
}

/** The text of some tokens, in whole characters where there are any, with an ellipsis for what lies between them. */
export function saidBy(which: Tokens, tokens: Token[]): string {
  const isWhole = which.length > 1 && which.some((index) => tokens[index]?.whole.trim());
  const parts = which.map((index, i) => {
    const { lead, text, whole } = tokens[index] as Token;
    const shown = isWhole ? whole : text;
    if (i === 0) return shown;
    return which[i - 1] === index - 1 ? lead + shown : ` … ${shown}`;
  });
  return parts.join("");
}
