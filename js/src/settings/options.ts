/** One quiet row over the panel: how the text is picked and coloured. They are traits: all views and Python share them. */

import type { Model } from "../kernel/protocol.ts";
import { follow, listen, save } from "../page/bind.ts";
import { element } from "../page/dom.ts";

const CHOICES = {
  unit: { label: "Pick", word: "Word", token: "Token" },
  combine: { label: "Several tokens' maps", mean: "Mean", max: "Max" },
  tint: { label: "Tint", relevance: "Relevance", probability: "Probability" },
} as const;

/** What the two ends of the tint mean. */
const KEYS = { relevance: ["unrelated", "related"], probability: ["sure", "doubtful"] } as const;

type Name = keyof typeof CHOICES;

export class OptionsView {
  readonly node: HTMLElement;
  readonly #model: Model;
  readonly #buttons: [Name, string, HTMLButtonElement][] = [];
  readonly #whole = element(
    "button",
    "tam-button",
    { type: "button", "aria-pressed": "false" },
    "Whole answer",
  );
  readonly #ends = [element("span"), element("span")] as const;
  readonly #key: HTMLElement;

  /** `whole` is called to show the whole answer, or to stop; `changed` when a choice has changed, here or elsewhere. */
  constructor(model: Model, whole: () => void, changed: () => void, signal: AbortSignal) {
    this.#model = model;
    listen(this.#whole, "click", whole, signal);
    const groups = (Object.keys(CHOICES) as Name[]).map((name) => this.#addGroup(name, signal));
    const [unit, combine, tint] = groups as [HTMLElement, HTMLElement, HTMLElement];
    const picking = element("div", "tam-choices", {}, unit, combine, this.#whole);
    this.#key = element(
      "span",
      "tam-key",
      { "aria-hidden": "true" },
      this.#ends[0],
      element("span", "tam-key-ramp"),
      this.#ends[1],
    );
    this.node = element(
      "div",
      "tam-options",
      {},
      picking,
      element("div", "tam-choices", {}, tint, this.#key),
    );
    const read = () => {
      this.#read();
      changed();
    };
    follow(model, Object.keys(CHOICES) as Name[], read, signal);
    this.#read();
  }

  set isWhole(isWhole: boolean) {
    this.#whole.setAttribute("aria-pressed", String(isWhole));
  }

  #addGroup(name: Name, signal: AbortSignal): HTMLElement {
    const { label, ...values } = CHOICES[name];
    const group = element("span", "tam-choice", { role: "group", "aria-label": label });
    for (const [value, text] of Object.entries(values)) {
      const button = element("button", "tam-button", { type: "button", "data-value": value }, text);
      listen(button, "click", () => save(this.#model, name, value), signal);
      this.#buttons.push([name, value, button]);
      group.append(button);
    }
    return group;
  }

  #read(): void {
    for (const [name, value, button] of this.#buttons) {
      button.setAttribute("aria-pressed", String(this.#model.get(name) === value));
    }
    const tint = this.#model.get("tint");
    this.#key.dataset.tint = tint;
    for (const [i, end] of this.#ends.entries()) end.textContent = KEYS[tint][i as 0 | 1];
  }
}
