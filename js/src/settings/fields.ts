/** Fields of the settings: a list of values, and a line with its name and the sentence that explains it. */
import type { Model, State } from "../kernel/protocol.ts";
import { listen, save } from "../page/bind.ts";
import { element } from "../page/dom.ts";

/** A list whose options are a trait's values and the words for them. */
export function select(
  model: Model,
  name: keyof State & string,
  values: Record<string, string>,
  signal: AbortSignal,
): HTMLSelectElement {
  const options = Object.entries(values).map(([value, text]) => element("option", "", { value }, text));
  const node = element("select", "tam-select", { "data-setting": name }, ...options);
  const isNumber = typeof model.get(name) === "number";
  listen(node, "change", () => save(model, name, isNumber ? Number(node.value) : node.value), signal);
  return node;
}

/** A line of the settings: its name, what sets it, and the sentence that explains it. */
export function setting(label: string, help: string, control: HTMLElement): HTMLElement {
  const isField = control.matches("input, select");
  return element(
    isField ? "label" : "div",
    "tam-setting",
    { "data-help": help },
    element("span", "", {}, label),
    control,
  );
}
