/** One quiet row of settings. They are traits: all views and Python share them. */
import { element } from "./dom.ts";
import type { Model } from "./protocol.ts";

export class ToolbarView {
  readonly #opacity = element("input", "tam-opacity", { type: "range", min: 0, max: 100, step: 1 });
  readonly #colormap = element("select", "tam-colormap", { "aria-label": "Colour map" });
  readonly #smooth = element("input", "tam-smooth", { type: "checkbox" });
  readonly node = element(
    "div",
    "tam-toolbar",
    { role: "group", "aria-label": "Overlay" },
    element("label", "tam-control tam-control-opacity", {}, "Overlay", this.#opacity),
    element("label", "tam-control", {}, this.#colormap),
    element("label", "tam-control", {}, this.#smooth, "Smooth"),
  );
  readonly #model: Model;

  constructor(model: Model, signal: AbortSignal) {
    this.#model = model;
    this.#opacity.addEventListener("input", () => this.#save("opacity", this.#opacity.valueAsNumber / 100), {
      signal,
    });
    this.#colormap.addEventListener("change", () => this.#save("colormap", this.#colormap.value), { signal });
    this.#smooth.addEventListener("change", () => this.#save("smooth", this.#smooth.checked), { signal });
    this.read();
  }

  /** Show what the model says. */
  read(): void {
    const names = Object.keys(this.#model.get("colormaps"));
    if (names.join() !== [...this.#colormap.options].map((option) => option.value).join()) {
      this.#colormap.replaceChildren(...names.map((name) => element("option", "", { value: name }, name)));
    }
    const opacity = this.#model.get("opacity");
    this.#opacity.value = String(Math.round(opacity * 100));
    this.#opacity.style.setProperty("--tam-fill", `${Math.round(opacity * 100)}%`);
    this.#colormap.value = this.#model.get("colormap");
    this.#smooth.checked = this.#model.get("smooth");
  }

  #save<K extends "opacity" | "colormap" | "smooth">(name: K, value: ReturnType<Model["get"]>): void {
    this.#model.set(name, value as never);
    this.#model.save_changes();
  }
}
