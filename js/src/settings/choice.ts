/** A choice between a few words, as buttons of which one is pressed. It is a trait: all views and Python share it. */
import type { Model, State } from "../kernel/protocol.ts";
import { listen, save } from "../page/bind.ts";
import { element } from "../page/dom.ts";

export class ChoiceView<Name extends keyof State & string> {
  readonly node: HTMLElement;
  readonly #model: Model;
  readonly #name: Name;
  readonly #buttons: [string, HTMLButtonElement][] = [];

  /** `values` are the trait's values and the words for them. */
  constructor(model: Model, name: Name, label: string, values: Record<string, string>, signal: AbortSignal) {
    this.#model = model;
    this.#name = name;
    this.node = element("span", "tam-choice", { role: "group", "aria-label": label });
    for (const [value, text] of Object.entries(values)) {
      const button = element("button", "tam-button", { type: "button", "data-value": value }, text);
      listen(button, "click", () => save(model, name, value as never), signal);
      this.#buttons.push([value, button]);
      this.node.append(button);
    }
    this.read();
  }

  /** Show what the model says. */
  read(): void {
    const now = this.#model.get(this.#name);
    for (const [value, button] of this.#buttons) button.setAttribute("aria-pressed", String(value === now));
  }
}
