/** The settings that are rarely touched: scale, display, contour, and the method taken apart. They are traits, as all are. */
import type { Model } from "../kernel/protocol.ts";
import { listen, save } from "../page/bind.ts";
import { element } from "../page/dom.ts";

/** As published, and as a widget begins. */
const USUAL = {
  scale: "token",
  display: "blend",
  contour: false,
  causal_inference: true,
  kernel_size: 3,
  part: "map",
} as const;

const CHOICES = {
  scale: { token: "Each map", answer: "Whole answer" },
  display: { blend: "Over the picture", side: "Side by side" },
  part: { map: "Map", raw: "Raw activation", interference: "Interference" },
  kernel_size: { 1: "Off", 3: "3 × 3 cells", 5: "5 × 5 cells", 7: "7 × 7 cells" },
} as const;

type Choice = keyof typeof CHOICES;

/** What the folded settings are made of. */
export const FOLDED = [...(Object.keys(USUAL) as (keyof typeof USUAL)[]), "threshold"] as const;

export class SettingsView {
  readonly node = element("div", "tam-settings", {
    role: "group",
    "aria-label": "More settings",
    hidden: true,
  });
  readonly #model: Model;
  readonly #selects = {} as Record<Choice, HTMLSelectElement>;
  readonly #contour = element("input", "tam-contour", { type: "checkbox" });
  readonly #causal = element("input", "tam-causal", { type: "checkbox" });
  readonly #threshold = element("input", "tam-slider tam-threshold", {
    type: "range",
    min: 0,
    max: 100,
    "aria-label": "Threshold",
  });
  readonly #otsu = element("input", "tam-otsu", { type: "checkbox" });

  constructor(model: Model, signal: AbortSignal) {
    this.#model = model;
    const line = element(
      "div",
      "tam-setting",
      {},
      element("label", "tam-control", {}, this.#contour, "Contour at"),
      element(
        "span",
        "tam-control",
        {},
        this.#threshold,
        element("label", "tam-control", { title: "Otsu's threshold of each map" }, this.#otsu, "Otsu"),
      ),
    );
    this.node.append(
      this.#choice("Scale", "scale", signal),
      this.#choice("Display", "display", signal),
      line,
      this.#choice("Show", "part", signal),
      this.#choice("Rank filter", "kernel_size", signal),
      element(
        "div",
        "tam-setting",
        {},
        element("label", "tam-control", {}, this.#causal, "Causal inference"),
      ),
    );
    listen(this.#contour, "change", () => save(model, "contour", this.#contour.checked), signal);
    listen(this.#causal, "change", () => save(model, "causal_inference", this.#causal.checked), signal);
    const threshold = () => this.#threshold.valueAsNumber / 100;
    listen(this.#threshold, "input", () => save(model, "threshold", threshold()), signal);
    listen(
      this.#otsu,
      "change",
      () => save(model, "threshold", this.#otsu.checked ? null : threshold()),
      signal,
    );
  }

  /** Whether something is not as published and as a widget begins. */
  get isUnusual(): boolean {
    return (Object.keys(USUAL) as (keyof typeof USUAL)[]).some((name) => {
      const value = this.#model.get(name);
      return value !== undefined && value !== USUAL[name];
    });
  }

  /** Show what the model says. */
  read(): void {
    const { kernel_size } = this.#selects;
    const size = String(this.#model.get("kernel_size"));
    if (![...kernel_size.options].some((option) => option.value === size)) {
      kernel_size.append(element("option", "", { value: size }, `${size} × ${size} cells`));
    }
    for (const [name, select] of Object.entries(this.#selects)) {
      select.value = String(this.#model.get(name as Choice));
    }
    this.#contour.checked = this.#model.get("contour");
    this.#causal.checked = this.#model.get("causal_inference");
    const threshold = this.#model.get("threshold") ?? null;
    this.#otsu.checked = threshold === null;
    if (threshold !== null || !this.#contour.checked) this.threshold = threshold ?? 0.5;
    // A part of the method is what it is before the filter and without the rest.
    const isPart = this.#model.get("part") !== "map";
    kernel_size.disabled = this.#causal.disabled = isPart;
    this.#threshold.disabled = this.#otsu.disabled = !this.#contour.checked;
  }

  /** Where the contour runs, as a share of the peak: Otsu's threshold moves the slider. */
  set threshold(share: number) {
    this.#threshold.value = String(Math.round(share * 100));
    this.#threshold.style.setProperty("--tam-fill", `${Math.round(share * 100)}%`);
  }

  #choice(label: string, name: Choice, signal: AbortSignal): HTMLElement {
    const model = this.#model;
    const options = Object.entries(CHOICES[name]).map(([value, text]) =>
      element("option", "", { value }, text),
    );
    const select = element("select", "tam-select", { "data-setting": name }, ...options);
    const number = name === "kernel_size";
    listen(select, "change", () => save(model, name, number ? Number(select.value) : select.value), signal);
    this.#selects[name] = select;
    return element("label", "tam-setting", {}, element("span", "", {}, label), select);
  }
}
