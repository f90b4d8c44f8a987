/** A quiet heading over the widget, where there is a title. */

import type { Model } from "../kernel/protocol.ts";
import { follow } from "./bind.ts";
import { element } from "./dom.ts";

export function titleNode(model: Model, signal: AbortSignal): HTMLElement {
  const node = element("div", "tam-title", { role: "heading", "aria-level": 3 });
  const read = () => {
    node.textContent = model.get("title");
    node.hidden = node.textContent === "";
  };
  follow(model, ["title"], read, signal);
  read();
  return node;
}
