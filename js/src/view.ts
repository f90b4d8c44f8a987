/** One view: what is hovered and pinned here, and everything that follows from it. */
import { MapClient, type Trouble } from "./client.ts";
import { DetailView } from "./detail.ts";
import { element, visible } from "./dom.ts";
import { Pointing } from "./pointing.ts";
import type { Model, Token } from "./protocol.ts";
import { Selection } from "./selection.ts";
import { StageView } from "./stage.ts";
import { TextView } from "./text.ts";
import type { TokenMap } from "./tokenmap.ts";

/** How long (ms) the last map stays while the next one is under way: shorter, it flickers; longer, it misleads. */
const STALE = 120;
/** How long (ms) a token must be active before a screen reader hears where its map peaks. */
const SPEAK = 400;

const BUSY = "Kernel busy, waiting…";
const RESTARTED = "The kernel was restarted; run the cell again to explore further.";
const NO_KERNEL = "There is no kernel behind this page; run the notebook to explore further.";

export function mount(model: Model, root: HTMLElement, signal: AbortSignal): void {
  new View(model, root, signal);
}

class View {
  readonly #tokens: Token[];
  readonly #selection = new Selection();
  readonly #client: MapClient;
  readonly #text: TextView;
  readonly #detail: DetailView;
  readonly #stage: StageView;
  readonly #live = element("div", "tam-live", { "aria-live": "polite", role: "status" });
  /** What to say when no kernel knows this widget. */
  readonly #lost: string;
  #stale: ReturnType<typeof setTimeout> | undefined;
  #speaking: ReturnType<typeof setTimeout> | undefined;

  constructor(model: Model, root: HTMLElement, signal: AbortSignal) {
    this.#tokens = model.get("tokens");
    this.#stage = new StageView(model, signal);
    this.#text = new TextView(this.#tokens, model.get("words"));
    this.#detail = new DetailView(this.#tokens);
    const reading = element("div", "tam-reading", {}, this.#text.node, this.#detail.node);
    const page = element("div", "tam-page", {}, this.#stage.node, reading, this.#live);
    const widget = element("div", "tam-widget", {}, page);
    root.append(widget);

    // So the base view of ipywidgets marks itself where no kernel is behind it. Other hosts have no such sign.
    const isLive = () => root.closest(".jupyter-widgets-disconnected") === null;
    this.#lost = isLive() ? RESTARTED : NO_KERNEL;
    const listener = {
      map: (map: TokenMap) => this.#receive(map),
      trouble: (token: number, trouble: Trouble) => this.#excuse(token, trouble),
    };
    this.#client = new MapClient(model, this.#stage.cellCount, isLive, listener, signal);
    new Pointing(this.#text, widget, this.#selection, () => this.#show(), signal);
    signal.addEventListener("abort", () => {
      clearTimeout(this.#stale);
      clearTimeout(this.#speaking);
      widget.remove();
    });
  }

  /** Show what is selected now. */
  #show(): void {
    const { active, pinned } = this.#selection;
    this.#text.mark(active, pinned);
    this.#detail.show(active);
    clearTimeout(this.#stale);
    clearTimeout(this.#speaking);
    const map = active === null ? undefined : this.#client.peek(active);
    if (active === null || map) this.#client.want(null);
    if (active === null) {
      this.#clear();
      this.#stage.state = "empty";
      this.#stage.hideNote();
      this.#live.textContent = "";
    } else if (map) {
      this.#receive(map);
    } else {
      this.#stage.state = "loading";
      this.#stage.note("loading", "Loading…");
      this.#stale = setTimeout(() => this.#clear(), STALE);
      this.#client.want(active);
    }
  }

  #receive(map: TokenMap): void {
    clearTimeout(this.#stale);
    clearTimeout(this.#speaking);
    this.#stage.paint(map);
    this.#text.tint(map.relevance, map.relevancePeak);
    const where = this.#stage.where(map);
    this.#detail.where(where);
    const spoken = `${visible(this.#tokens[map.token]?.text ?? "")}: ${where}`;
    this.#speaking = setTimeout(() => {
      this.#live.textContent = spoken;
    }, SPEAK);
  }

  /** Say why there is no map. */
  #excuse(token: number, trouble: Trouble): void {
    if (token !== this.#selection.active) return;
    clearTimeout(this.#stale);
    this.#clear();
    const text = this.#explain(trouble);
    this.#stage.state = trouble.kind === "busy" ? "busy" : "error";
    this.#stage.note(trouble.kind, text);
    this.#live.textContent = text;
  }

  #explain(trouble: Trouble): string {
    if (trouble.kind === "error") return `${trouble.type}: ${trouble.message}`;
    return trouble.kind === "busy" ? BUSY : this.#lost;
  }

  /** Nothing to see of a map: neither on the pictures nor on the text. */
  #clear(): void {
    this.#stage.clear();
    this.#text.tint(null);
  }
}
