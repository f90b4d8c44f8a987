/** How the map and the text look: strength, colours, line, scale, tint. */
import { DIVERGING, type Model } from "../kernel/protocol.ts";
import { listen, save } from "../page/bind.ts";
import { element } from "../page/dom.ts";
import { ChoiceView } from "./choice.ts";
import { select, setting } from "./fields.ts";

/** What the two ends of the tint mean. */
const KEYS = { relevance: ["unrelated", "related"], probability: ["sure", "doubtful"] } as const;

export class LooksView {
  readonly nodes: HTMLElement[];
  readonly #model: Model;
  readonly #opacity = slider("tam-opacity");
  readonly #colormap: HTMLSelectElement;
  readonly #smooth = element("input", "tam-smooth", { type: "checkbox" });
  readonly #contour = element("input", "tam-contour", { type: "checkbox" });
  readonly #threshold = slider("tam-threshold", "Threshold");
  readonly #otsu = element("input", "tam-otsu", { type: "checkbox" });
  readonly #scale: HTMLSelectElement;
  readonly #display: HTMLSelectElement;
  readonly #tint: ChoiceView<"tint">;
  readonly #ends = [element("span"), element("span")] as const;
  readonly #key = element(
    "span",
    "tam-key",
    { "aria-hidden": "true" },
    this.#ends[0],
    element("span", "tam-key-ramp"),
    this.#ends[1],
  );

  constructor(model: Model, signal: AbortSignal) {
    this.#model = model;
    this.#colormap = select(model, "colormap", {}, signal);
    this.#colormap.classList.add("tam-colormap");
    this.#scale = select(model, "scale", { token: "Each map", answer: "Whole answer" }, signal);
    this.#display = select(model, "display", { blend: "Over the picture", side: "Side by side" }, signal);
    this.#tint = new ChoiceView(
      model,
      "tint",
      "Tint",
      { relevance: "Relevance", probability: "Probability" },
      signal,
    );
    const share = (node: HTMLInputElement) => node.valueAsNumber / 100;
    const threshold = () => save(model, "threshold", this.#otsu.checked ? null : share(this.#threshold));
    listen(this.#opacity, "input", () => save(model, "opacity", share(this.#opacity)), signal);
    listen(this.#smooth, "change", () => save(model, "smooth", this.#smooth.checked), signal);
    listen(this.#contour, "change", () => save(model, "contour", this.#contour.checked), signal);
    listen(this.#threshold, "input", () => save(model, "threshold", share(this.#threshold)), signal);
    listen(this.#otsu, "change", threshold, signal);
    this.nodes = [
      element("div", "tam-group", {}, "How it looks"),
      setting("Strength", "How strongly the overlay covers the picture.", this.#opacity),
      setting("Colours", "What Heat is painted with.", this.#colormap),
      setting("Smooth", "A smooth surface through the cells' values; off, each cell as it is.", this.#smooth),
      element(
        "div",
        "tam-setting",
        {
          "data-help":
            "A line around what lies above a share of the peak. Otsu chooses the share for each map.",
        },
        element("label", "tam-control", {}, this.#contour, "Contour at"),
        element(
          "span",
          "tam-control",
          {},
          this.#threshold,
          element("label", "tam-control", {}, this.#otsu, "Otsu"),
        ),
      ),
      setting("Scale", "Each map up to its own peak, or all up to the answer's greatest value.", this.#scale),
      setting("Display", "The map over the picture, or beside it.", this.#display),
      setting(
        "Tint",
        "Earlier words by what they have to do with this one, or the answer by how sure the model was.",
        element("span", "tam-control", {}, this.#tint.node, this.#key),
      ),
    ];
  }

  /** Show what the model says. */
  read(): void {
    const model = this.#model;
    // The colours of differences are no choice.
    const names = Object.keys(model.get("colormaps")).filter((name) => name !== DIVERGING);
    if (names.join() !== [...this.#colormap.options].map((option) => option.value).join()) {
      this.#colormap.replaceChildren(...names.map((name) => element("option", "", { value: name }, name)));
    }
    this.#colormap.value = model.get("colormap");
    set(this.#opacity, model.get("opacity"));
    this.#smooth.checked = model.get("smooth");
    this.#scale.value = model.get("scale");
    this.#display.value = model.get("display");
    this.#contour.checked = model.get("contour");
    const threshold = model.get("threshold") ?? null;
    this.#otsu.checked = threshold === null;
    if (threshold !== null || !this.#contour.checked) this.threshold = threshold ?? 0.5;
    this.#threshold.disabled = this.#otsu.disabled = !this.#contour.checked;
    this.#tint.read();
    const tint = model.get("tint");
    this.#key.dataset.tint = tint;
    for (const [i, end] of this.#ends.entries()) end.textContent = KEYS[tint][i as 0 | 1];
  }

  set threshold(share: number) {
    set(this.#threshold, share);
  }
}

function slider(className: string, label: string | false = false): HTMLInputElement {
  const range = { type: "range", min: 0, max: 100, "aria-label": label };
  return element("input", `tam-slider ${className}`, range);
}

function set(node: HTMLInputElement, share: number): void {
  node.value = String(Math.round(share * 100));
  node.style.setProperty("--tam-fill", `${Math.round(share * 100)}%`);
}
