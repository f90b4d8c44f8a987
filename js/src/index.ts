/**
 * The widget's module, as anywidget loads it: https://anywidget.dev/en/afm/
 *
 * Nothing is kept at module level: hosts differ in how often they evaluate a module, and each view is on its own.
 */
import "./styles.css";
import type { RenderProps } from "@anywidget/types";
import type { State } from "./kernel/protocol.ts";
import { mount } from "./view.ts";

function render({ model, el, signal }: RenderProps<State & Record<string, unknown>>): () => void {
  const life = new AbortController();
  // anywidget before 0.11 gives no signal, only calls what is returned here.
  signal?.addEventListener("abort", () => life.abort());
  mount(model, el, life.signal);
  return () => life.abort();
}

export default { render };
