/** One quiet row of what is used all the time, and a button that unfolds the rest. All are traits: views and Python share them. */
import type { Model } from "../kernel/protocol.ts";
import { follow, listen } from "../page/bind.ts";
import { element } from "../page/dom.ts";
import { ChoiceView } from "./choice.ts";
import { SettingsView } from "./settings.ts";

export interface Actions {
  /** Show the whole answer, or stop. */
  whole: () => void;
  /** Copy the answer with its words' places. */
  copy: () => void;
}

export class ToolbarView {
  readonly node: HTMLElement;
  readonly settings: SettingsView;
  readonly #choices: { read(): void }[];
  readonly #whole = element(
    "button",
    "tam-button",
    { type: "button", "aria-pressed": "false" },
    "Whole answer",
  );
  readonly #more = element("button", "tam-more", { type: "button", "aria-expanded": "false" }, "More");

  constructor(model: Model, { whole, copy }: Actions, signal: AbortSignal) {
    this.settings = new SettingsView(model, copy, signal);
    const paint = new ChoiceView(model, "paint", "Overlay", { heat: "Heat", spotlight: "Spotlight" }, signal);
    const unit = new ChoiceView(model, "unit", "Pick", { word: "Word", token: "Token" }, signal);
    this.#choices = [paint, unit];
    this.node = element(
      "div",
      "tam-toolbar",
      { role: "group", "aria-label": "Overlay and text" },
      paint.node,
      unit.node,
      this.#whole,
      this.#more,
      this.settings.node,
    );
    listen(this.#whole, "click", whole, signal);
    listen(this.#more, "click", () => this.#unfold(), signal);
    follow(model, ["unit", "combine", "tint"], () => this.read(), signal);
    this.read();
  }

  set isWhole(isWhole: boolean) {
    this.#whole.setAttribute("aria-pressed", String(isWhole));
  }

  /** Show what the model says. */
  read(): void {
    for (const choice of this.#choices) choice.read();
    this.settings.read();
    this.#more.classList.toggle("tam-changed", this.settings.isUnusual);
    this.#more.title = this.settings.isUnusual ? "Some of these settings are changed" : "";
  }

  #unfold(): void {
    const { node } = this.settings;
    node.hidden = !node.hidden;
    this.#more.setAttribute("aria-expanded", String(!node.hidden));
    this.#more.textContent = node.hidden ? "More" : "Less";
  }
}
