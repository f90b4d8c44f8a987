/** One quiet row of settings, and a button that unfolds the others. They are traits: all views and Python share them. */
import { DIVERGING, type Model } from "../kernel/protocol.ts";
import { listen, save } from "../page/bind.ts";
import { element } from "../page/dom.ts";
import { SettingsView } from "./settings.ts";

export class ToolbarView {
  readonly settings: SettingsView;
  readonly #opacity = element("input", "tam-slider tam-opacity", {
    type: "range",
    min: 0,
    max: 100,
    step: 1,
  });
  readonly #colormap = element("select", "tam-select tam-colormap", { "aria-label": "Colour map" });
  readonly #smooth = element("input", "tam-smooth", { type: "checkbox" });
  readonly #more = element("button", "tam-more", { type: "button", "aria-expanded": "false" }, "More");
  readonly node: HTMLElement;
  readonly #model: Model;

  constructor(model: Model, signal: AbortSignal) {
    this.#model = model;
    this.settings = new SettingsView(model, signal);
    this.node = element(
      "div",
      "tam-toolbar",
      { role: "group", "aria-label": "Overlay" },
      element("label", "tam-control tam-control-opacity", {}, "Overlay", this.#opacity),
      element("label", "tam-control", {}, this.#colormap),
      element("label", "tam-control", {}, this.#smooth, "Smooth"),
      this.#more,
      this.settings.node,
    );
    listen(this.#opacity, "input", () => save(model, "opacity", this.#opacity.valueAsNumber / 100), signal);
    listen(this.#colormap, "change", () => save(model, "colormap", this.#colormap.value), signal);
    listen(this.#smooth, "change", () => save(model, "smooth", this.#smooth.checked), signal);
    listen(this.#more, "click", () => this.#unfold(), signal);
    this.read();
  }

  /** Show what the model says. */
  read(): void {
    // The colours of differences are no choice.
    const names = Object.keys(this.#model.get("colormaps")).filter((name) => name !== DIVERGING);
    if (names.join() !== [...this.#colormap.options].map((option) => option.value).join()) {
      this.#colormap.replaceChildren(...names.map((name) => element("option", "", { value: name }, name)));
    }
    const opacity = this.#model.get("opacity");
    this.#opacity.value = String(Math.round(opacity * 100));
    this.#opacity.style.setProperty("--tam-fill", `${Math.round(opacity * 100)}%`);
    this.#colormap.value = this.#model.get("colormap");
    this.#smooth.checked = this.#model.get("smooth");
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
