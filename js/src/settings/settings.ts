/** The settings that fold away: how it looks, and how it is computed. They are traits, as all are. */
import type { Model } from "../kernel/protocol.ts";
import { listen, save } from "../page/bind.ts";
import { element } from "../page/dom.ts";
import { ChoiceView } from "./choice.ts";
import { select, setting } from "./fields.ts";
import { LooksView } from "./looks.ts";

/** As published, and as a widget begins. */
const USUAL = {
  scale: "token",
  display: "blend",
  contour: false,
  causal_inference: true,
  kernel_size: 3,
  part: "map",
} as const;

/** What the folded settings are made of, where the picture shows them. */
export const FOLDED = [
  ...(Object.keys(USUAL) as (keyof typeof USUAL)[]),
  "smooth",
  "opacity",
  "colormap",
  "threshold",
] as const;

const SIZES = { 1: "Off", 3: "3 × 3 cells", 5: "5 × 5 cells", 7: "7 × 7 cells" } as const;

export class SettingsView {
  readonly node = element("div", "tam-settings", {
    role: "group",
    "aria-label": "More settings",
    hidden: true,
  });
  readonly #model: Model;
  readonly #looks: LooksView;
  readonly #combine: ChoiceView<"combine">;
  readonly #part: HTMLSelectElement;
  readonly #size: HTMLSelectElement;
  readonly #causal = element("input", "tam-causal", { type: "checkbox" });
  readonly #help = element("p", "tam-help", { "aria-live": "polite" });

  /** `copy` is called to copy the answer with its words' places. */
  constructor(model: Model, copy: () => void, signal: AbortSignal) {
    this.#model = model;
    this.#looks = new LooksView(model, signal);
    this.#combine = new ChoiceView(
      model,
      "combine",
      "Several tokens' maps",
      { mean: "Mean", max: "Max" },
      signal,
    );
    const parts = { map: "Map", raw: "Raw activation", interference: "Interference" };
    this.#part = select(model, "part", parts, signal);
    this.#size = select(model, "kernel_size", SIZES, signal);
    const copying = element("button", "tam-button tam-copy", { type: "button" }, "Copy as Markdown");
    listen(copying, "click", copy, signal);
    listen(this.#causal, "change", () => save(model, "causal_inference", this.#causal.checked), signal);
    this.node.append(
      ...this.#looks.nodes,
      element("div", "tam-group", {}, "How it is computed"),
      setting(
        "Several tokens",
        "The mean of their maps, or the greatest value in each cell.",
        this.#combine.node,
      ),
      setting(
        "Show",
        "The map, or what it is made of: the raw activation, and what earlier words explain of it.",
        this.#part,
      ),
      setting(
        "Rank filter",
        "Takes out lone noisy cells; the side of the rank Gaussian filter's window.",
        this.#size,
      ),
      element(
        "div",
        "tam-setting",
        { "data-help": "Takes away what earlier words explain of a map (estimated causal inference)." },
        element("label", "tam-control", {}, this.#causal, "Causal inference"),
      ),
      element(
        "div",
        "tam-setting",
        {
          "data-help":
            "The answer and where its words are, for notes. Ctrl-C copies the pinned words, or the answer.",
        },
        copying,
      ),
      this.#help,
    );
    for (const heard of ["pointerover", "focusin"] as const) {
      listen(this.node, heard, (event) => this.#explain(event.target as Element), signal);
    }
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
    const size = String(this.#model.get("kernel_size"));
    if (![...this.#size.options].some((option) => option.value === size)) {
      this.#size.append(element("option", "", { value: size }, `${size} × ${size} cells`));
    }
    this.#size.value = size;
    this.#part.value = this.#model.get("part");
    this.#causal.checked = this.#model.get("causal_inference");
    // A part of the method is what it is before the filter and without the rest.
    this.#size.disabled = this.#causal.disabled = this.#part.value !== "map";
    this.#combine.read();
    this.#looks.read();
  }

  /** Where the contour runs, as a share of the peak: Otsu's threshold moves the slider. */
  set threshold(share: number) {
    this.#looks.threshold = share;
  }

  #explain(at: Element): void {
    const text = at.closest<HTMLElement>("[data-help]")?.dataset.help;
    if (text) this.#help.textContent = text;
  }
}
