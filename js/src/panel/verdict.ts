/** Whether a word needs the place that its map marks: asked of the kernel, which covers it and asks the model again. */
import type { Checked } from "../kernel/client.ts";
import type { Trouble } from "../kernel/line.ts";
import type { CheckReply } from "../kernel/protocol.ts";
import { listen } from "../page/bind.ts";
import { element } from "../page/dom.ts";
import { nats } from "../page/numbers.ts";

/** Where verdicts come from; a MapClient. */
export interface Source {
  check(tokens: null): void;
  check(tokens: readonly number[], about: Checked): void;
}

/** Within the height of the panel, but for a long phrase. */
export class VerdictView {
  readonly node: HTMLElement;
  readonly #name = element("span", "tam-name", { dir: "auto" });
  readonly #close = element("button", "tam-button", { type: "button" });
  readonly #sentence = element("div", "tam-sentence", { dir: "auto" });
  readonly #costs = element("ul", "tam-candidates", { "aria-label": "What covering costs, in nats" });
  readonly #speak: (text: string) => void;
  readonly #explain: (trouble: Trouble) => string;
  #source: Source | null = null;
  /** Where the focus was. */
  #from: HTMLElement | null = null;

  constructor(speak: (text: string) => void, explain: (trouble: Trouble) => string, signal: AbortSignal) {
    this.#speak = speak;
    this.#explain = explain;
    const heading = element("div", "tam-heading", {}, this.#name, this.#close);
    this.node = element("div", "tam-verdict", { role: "group", "aria-label": "Check" });
    this.node.append(heading, this.#sentence, this.#costs);
    listen(this.#close, "click", () => this.release(), signal);
  }

  connect(source: Source): void {
    this.#source = source;
  }

  /** Ask about some tokens, which are called so. */
  ask(tokens: readonly number[], name: string): void {
    if (this.node.dataset.open === undefined) this.#from = document.activeElement as HTMLElement | null;
    this.node.dataset.open = "";
    this.#name.textContent = name;
    this.#say("Checking…", true);
    this.#close.focus({ preventScroll: true });
    this.#source?.check(tokens, {
      later: (share) => this.#say(`Checking… ${Math.round(100 * share)} %`, true),
      answer: (reply) => this.#show(reply),
      trouble: (trouble) => this.#say(this.#explain(trouble), trouble.kind === "busy"),
    });
  }

  /** Close it; what is under way is given up. False where it was closed. */
  release(): boolean {
    if (this.node.dataset.open === undefined) return false;
    delete this.node.dataset.open;
    this.#source?.check(null);
    if (this.node.contains(document.activeElement)) this.#from?.focus({ preventScroll: true });
    return true;
  }

  #say(text: string, isUnderWay: boolean): void {
    this.#sentence.textContent = text;
    this.#costs.replaceChildren();
    this.#close.textContent = isUnderWay ? "Cancel" : "×";
    this.#close.setAttribute("aria-label", isUnderWay ? "Cancel" : "Close");
    if (!isUnderWay) this.#speak(text);
  }

  #show({ sentence, costs }: CheckReply): void {
    this.#say(sentence, false);
    const most = costs.reduce((greatest, cost) => Math.max(greatest, Math.abs(cost.nats)), 1);
    for (const cost of costs) {
      const bar = element("span", "tam-bar", { style: `width:${(Math.abs(cost.nats) / most) * 100}%` });
      const row = element(
        "li",
        "tam-cost",
        {},
        element("span", "", {}, cost.name),
        element("span", "tam-track", { "aria-hidden": "true" }, bar),
        element("span", "tam-probability", {}, nats(cost.nats)),
      );
      row.classList.toggle("tam-chosen", cost.name.startsWith("This"));
      row.classList.toggle("tam-gain", cost.nats < 0);
      this.#costs.append(row);
    }
  }
}
