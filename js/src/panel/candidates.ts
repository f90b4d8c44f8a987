/** What the model might have said in a token's place: to be looked at, and to be set against what it did say. */
import type { Candidate, Token } from "../kernel/protocol.ts";
import { listen } from "../page/bind.ts";
import { element, visible } from "../page/dom.ts";
import { probability } from "../page/numbers.ts";

interface Row {
  node: HTMLElement;
  button: HTMLButtonElement;
  text: HTMLElement;
  bar: HTMLElement;
  probability: HTMLElement;
}

export class CandidatesView {
  readonly node: HTMLElement;
  readonly #caption = element("span", "tam-caption");
  readonly #difference = element(
    "button",
    "tam-button",
    {
      type: "button",
      "aria-pressed": "false",
      title: "Its map minus the candidate's: why this and not that",
    },
    "Difference",
  );
  readonly #rows: Row[] = [];
  readonly #tokens: Token[];
  readonly #changed: () => void;
  #token: number | null = null;
  // The pointer comes before the keyboard, and both before what was clicked.
  #hovered: number | null = null;
  #focused: number | null = null;
  #picked: number | null = null;

  constructor(tokens: Token[], changed: () => void, signal: AbortSignal) {
    this.#tokens = tokens;
    this.#changed = changed;
    const most = tokens.reduce((rows, token) => Math.max(rows, token.candidates.length), 0);
    const list = element("ul", "tam-candidates", { "aria-label": "Candidates" });
    for (let i = 0; i < most; i++) list.append(this.#addRow());
    this.node = element(
      "div",
      "tam-alternatives",
      {},
      element("div", "tam-captions", {}, this.#caption, this.#difference),
      list,
    );
    listen(list, "pointerover", (event) => this.#look({ hovered: this.#rowOf(event.target) }), signal);
    listen(list, "pointerleave", () => this.#look({ hovered: null }), signal);
    listen(list, "focusout", () => this.#look({ focused: null }), signal);
    listen(list, "keydown", (event) => this.#walk(event), signal);
    listen(this.#difference, "click", () => this.#toggle(), signal);
    const focus = ({ target }: Event) => {
      if ((target as Element).matches(":focus-visible")) this.#look({ focused: this.#rowOf(target) });
    };
    const pick = ({ target }: Event) => {
      const row = this.#rowOf(target);
      this.#look({ picked: row === this.#picked ? null : row });
    };
    listen(list, "focusin", focus, signal);
    listen(list, "click", pick, signal);
  }

  /** Show a token's candidates; of a word of several tokens it is the first. */
  show(token: number | null, isFirst: boolean): void {
    if (token !== this.#token) this.#picked = this.#hovered = this.#focused = null;
    this.#token = token;
    const candidates = this.#candidates;
    this.node.classList.toggle("tam-none", candidates.length === 0);
    this.#caption.textContent = isFirst ? "For its first token" : "Candidates";
    const labels = distinct(candidates.map((candidate) => candidate.text));
    for (const [i, row] of this.#rows.entries()) {
      const candidate = candidates[i];
      row.node.classList.toggle("tam-none", !candidate);
      row.node.classList.toggle("tam-chosen", candidate?.chosen === true);
      row.button.title = candidate ? `rank ${candidate.rank}` : "";
      row.text.textContent = labels[i] ?? "";
      row.bar.style.width = `${(candidate?.probability ?? 0) * 100}%`;
      row.probability.textContent = candidate ? probability(candidate.probability) : "";
      row.button.classList.toggle("tam-looked", i === this.#looked);
      row.button.setAttribute("aria-pressed", String(i === this.#picked));
    }
  }

  /** The token whose candidates these are, where one of them is looked at or set against it. */
  get token(): number | null {
    return this.candidate === null ? null : this.#token;
  }

  /** The candidate that is looked at in the token's place, or set against it; null for none. */
  get candidate(): number | null {
    const looked = this.#looked;
    if (looked !== null && this.#candidates[looked]?.chosen === false) return looked;
    if (!this.isDifference) return null;
    const rival = this.#candidates.findIndex((candidate) => !candidate.chosen);
    return rival < 0 ? null : rival;
  }

  get isDifference(): boolean {
    return this.#difference.getAttribute("aria-pressed") === "true";
  }

  /** What the candidate that `candidate` gives would have said. */
  get text(): string {
    return visible(this.#candidates[this.candidate ?? -1]?.text ?? "");
  }

  /** Let go of the candidate that was clicked. False if there was none. */
  release(): boolean {
    const had = this.#picked !== null;
    this.#picked = null;
    return had;
  }

  get #candidates(): Candidate[] {
    return (this.#token === null ? undefined : this.#tokens[this.#token]?.candidates) ?? [];
  }

  get #looked(): number | null {
    return this.#hovered ?? this.#focused ?? this.#picked;
  }

  #look(change: { hovered?: number | null; focused?: number | null; picked?: number | null }): void {
    const before = [this.#looked, this.#picked].join();
    if (change.hovered !== undefined) this.#hovered = change.hovered;
    if (change.focused !== undefined) this.#focused = change.focused;
    if (change.picked !== undefined) this.#picked = change.picked;
    if (before !== [this.#looked, this.#picked].join()) this.#changed();
  }

  #toggle(): void {
    this.#difference.setAttribute("aria-pressed", String(!this.isDifference));
    this.#changed();
  }

  #walk(event: KeyboardEvent): void {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (by === undefined || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    const next = this.#candidates.length > 0 ? (this.#rowOf(event.target) ?? 0) + by : -1;
    if (next in this.#candidates) this.#rows[next]?.button.focus();
  }

  #rowOf(target: EventTarget | null): number | null {
    const row = this.#rows.findIndex(({ button }) => target instanceof Node && button.contains(target));
    return row < 0 ? null : row;
  }

  #addRow(): HTMLElement {
    const row: Row = {
      node: element("li"),
      button: element("button", "tam-candidate", { type: "button", "aria-pressed": "false" }),
      text: element("span", "tam-candidate-text", { dir: "auto" }),
      bar: element("span", "tam-bar"),
      probability: element("span", "tam-probability"),
    };
    row.button.append(
      row.text,
      element("span", "tam-track", { "aria-hidden": "true" }, row.bar),
      row.probability,
    );
    row.node.append(row.button);
    this.#rows.push(row);
    return row.node;
  }
}

/** Labels without outer space, but for those that would then look the same. */
function distinct(texts: string[]): string[] {
  const labels = texts.map(visible);
  return labels.map((label, i) =>
    labels.indexOf(label) === labels.lastIndexOf(label) ? label : (texts[i] as string).replaceAll(" ", "␣"),
  );
}
