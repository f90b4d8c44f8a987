/** One view: what is hovered and pinned here, and everything that follows from it. */
import { MapClient, type Trouble } from "./client.ts";
import { overlayTable } from "./colormap.ts";
import { DetailView } from "./detail.ts";
import { element, visible } from "./dom.ts";
import { step } from "./keyboard.ts";
import { decimals, LegendView } from "./legend.ts";
import { type OverlayState, PictureView } from "./picture.ts";
import { type Model, PEAK_LEVEL, type Token } from "./protocol.ts";
import { Selection } from "./selection.ts";
import { TextView } from "./text.ts";
import { bytes, type TokenMap } from "./tokenmap.ts";
import { ToolbarView } from "./toolbar.ts";

/** How long (ms) the pointer may be between two words before the preview goes. */
const LINGER = 60;
/** How long (ms) the last map stays while the next one is under way: shorter, it flickers; longer, it misleads. */
const STALE = 120;
/** How long (ms) a token must be active before a screen reader hears where its map peaks. */
const SPEAK = 400;

const RESTARTED = "The kernel was restarted; run the cell again to explore further.";
const NO_KERNEL = "There is no kernel behind this page; run the notebook to explore further.";

export function mount(model: Model, root: HTMLElement, signal: AbortSignal): void {
  new View(model, root, signal);
}

class View {
  readonly #model: Model;
  readonly #tokens: Token[];
  readonly #selection = new Selection();
  readonly #client: MapClient;
  readonly #text: TextView;
  readonly #detail: DetailView;
  readonly #pictures: PictureView[];
  readonly #legend = new LegendView();
  readonly #toolbar: ToolbarView;
  readonly #note = element("div", "tam-note", { "aria-hidden": "true" });
  readonly #live = element("div", "tam-live", { "aria-live": "polite", role: "status" });
  readonly #lost: string;
  #shown: TokenMap | null = null;
  #table: Uint32Array = new Uint32Array(256);
  #leaving: ReturnType<typeof setTimeout> | undefined;
  #stale: ReturnType<typeof setTimeout> | undefined;
  #speaking: ReturnType<typeof setTimeout> | undefined;

  constructor(model: Model, root: HTMLElement, signal: AbortSignal) {
    this.#model = model;
    this.#tokens = model.get("tokens");
    const pictures = model.get("pictures");
    this.#pictures = pictures.map((picture, i) => new PictureView(picture, i, pictures.length, signal));
    this.#text = new TextView(this.#tokens, model.get("words"));
    this.#detail = new DetailView(this.#tokens);
    this.#toolbar = new ToolbarView(model, signal);
    // So the base view of ipywidgets marks itself where no kernel is behind it. Other hosts have no such sign.
    const isLive = () => root.closest(".jupyter-widgets-disconnected") === null;
    this.#lost = isLive() ? RESTARTED : NO_KERNEL;
    this.#client = new MapClient(
      model,
      this.#pictures.reduce((sum, picture) => sum + picture.cellCount, 0),
      isLive,
      {
        map: (map) => this.#receive(map),
        trouble: (token, trouble) => this.#excuse(token, trouble),
      },
      signal,
    );

    const page = element(
      "div",
      "tam-page",
      {},
      element(
        "div",
        "tam-stage",
        {},
        element("div", "tam-pictures", {}, ...this.#pictures.map((picture) => picture.node), this.#note),
        this.#legend.node,
        this.#toolbar.node,
      ),
      element("div", "tam-reading", {}, this.#text.node, this.#detail.node),
      this.#live,
    );
    const widget = element("div", "tam-widget", {}, page);
    root.append(widget);

    this.#listen(widget, signal);
    this.#readSettings();
    signal.addEventListener("abort", () => {
      clearTimeout(this.#leaving);
      clearTimeout(this.#stale);
      clearTimeout(this.#speaking);
      widget.remove();
    });
  }

  #listen(widget: HTMLElement, signal: AbortSignal): void {
    const text = this.#text.node;
    text.addEventListener("pointerover", (event) => this.#hover(TextView.token(event.target)), { signal });
    text.addEventListener("pointerleave", () => this.#hover(null), { signal });
    text.addEventListener("click", (event) => this.#click(TextView.token(event.target)), { signal });
    text.addEventListener("focusin", (event) => this.#focus(event.target), { signal });
    text.addEventListener("focusout", (event) => this.#unfocus(event), { signal });
    text.addEventListener("keydown", (event) => this.#walk(event), { signal });
    widget.addEventListener("keydown", (event) => this.#escape(event), { signal });

    const settings = () => this.#readSettings();
    const names = ["opacity", "colormap", "colormaps", "smooth"] as const;
    for (const name of names) this.#model.on(`change:${name}`, settings);
    signal.addEventListener("abort", () => {
      for (const name of names) this.#model.off(`change:${name}`, settings);
    });

    let frame = 0;
    const resized = new ResizeObserver(() => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => this.#repaint());
    });
    for (const picture of this.#pictures) resized.observe(picture.node);
    signal.addEventListener("abort", () => {
      cancelAnimationFrame(frame);
      resized.disconnect();
    });
  }

  #hover(token: number | null): void {
    clearTimeout(this.#leaving);
    if (token === this.#selection.hovered) return;
    const change = () => {
      this.#selection.hovered = token;
      this.#show();
    };
    if (token === null) this.#leaving = setTimeout(change, LINGER);
    else change();
  }

  #click(token: number | null): void {
    if (token === null) return;
    this.#selection.toggle(token);
    this.#text.current = token;
    // Safari gives a clicked button no focus; Esc and the arrow keys need it.
    this.#text.buttons[token]?.focus({ preventScroll: true });
    this.#show();
  }

  /** The keyboard previews what it reaches; a click only takes the focus along. */
  #focus(target: EventTarget | null): void {
    const token = TextView.token(target);
    if (token === null) return;
    this.#text.current = token;
    this.#preview(
      token === this.#selection.focused || (target as Element).matches(":focus-visible") ? token : null,
    );
  }

  #unfocus(event: FocusEvent): void {
    if (TextView.token(event.relatedTarget) === null) this.#preview(null);
  }

  #preview(token: number | null): void {
    if (token === this.#selection.focused) return;
    this.#selection.focused = token;
    this.#show();
  }

  #walk(event: KeyboardEvent): void {
    const from = TextView.token(event.target);
    if (from === null || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    // Enter and Space press the button; the notebook must not take them for commands.
    if (event.key === "Enter" || event.key === " ") event.stopPropagation();
    const to = step(event.key, from, this.#text.buttons);
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    this.#selection.hovered = null;
    this.#selection.focused = to;
    this.#text.buttons[to]?.focus();
    this.#show();
  }

  #escape(event: KeyboardEvent): void {
    if (event.key !== "Escape" || !this.#selection.release()) return;
    event.preventDefault();
    event.stopPropagation();
    this.#show();
  }

  #show(): void {
    const { active, pinned } = this.#selection;
    const token = active === null ? undefined : this.#tokens[active];
    this.#text.mark(active, pinned);
    this.#detail.show(active, token);
    clearTimeout(this.#stale);
    clearTimeout(this.#speaking);
    if (active === null) {
      this.#client.want(null);
      this.#clear("empty");
      return;
    }
    const map = this.#client.peek(active);
    if (map) {
      this.#client.want(null);
      this.#receive(map);
      return;
    }
    this.#setNote("loading", "Loading…");
    for (const picture of this.#pictures) picture.state = "loading";
    this.#stale = setTimeout(() => this.#wipe(), STALE);
    this.#client.want(active);
  }

  #receive(map: TokenMap): void {
    clearTimeout(this.#stale);
    this.#shown = map;
    this.#repaint();
    this.#text.tint(map.relevance, map.relevancePeak);
    this.#legend.peak(map.peak);
    this.#setNote(map.peak > 0 ? "" : "none", map.peak > 0 ? "" : "No image activation");
    const where = this.#where(map);
    this.#detail.where(where);
    clearTimeout(this.#speaking);
    const text = visible(this.#tokens[map.token]?.text ?? "");
    this.#speaking = setTimeout(() => this.#say(`${text}: ${where}`), SPEAK);
  }

  #excuse(token: number, trouble: Trouble): void {
    if (token !== this.#selection.active) return;
    clearTimeout(this.#stale);
    const text =
      trouble.kind === "busy"
        ? "Kernel busy, waiting…"
        : trouble.kind === "lost"
          ? this.#lost
          : `${trouble.type}: ${trouble.message}`;
    this.#clear(trouble.kind === "busy" ? "busy" : "error");
    this.#setNote(trouble.kind, text);
    this.#say(text);
  }

  #repaint(): void {
    const map = this.#shown;
    if (!map) return;
    const smooth = this.#model.get("smooth");
    let start = 0;
    for (const picture of this.#pictures) {
      const end = start + picture.cellCount;
      picture.paint(map.token, map.cells.subarray(start, end), this.#table, smooth);
      start = end;
    }
  }

  /** Nothing to see of a map: neither on the picture nor on the text. */
  #wipe(): void {
    this.#shown = null;
    for (const picture of this.#pictures) picture.clear();
    this.#text.tint(null);
    this.#legend.peak(null);
  }

  #clear(state: OverlayState): void {
    this.#wipe();
    for (const picture of this.#pictures) picture.state = state;
    this.#setNote("", "");
    this.#say("");
  }

  #readSettings(): void {
    this.#toolbar.read();
    const colormap = bytes(this.#model.get("colormaps")[this.#model.get("colormap")] ?? new Uint8Array(768));
    this.#table = overlayTable(colormap, this.#model.get("opacity"));
    this.#legend.colour(colormap);
    this.#repaint();
  }

  #setNote(kind: Trouble["kind"] | "loading" | "none" | "", text: string): void {
    this.#note.dataset.kind = kind;
    // A note that leaves keeps its words while it fades.
    if (text) this.#note.textContent = text;
  }

  #say(text: string): void {
    this.#live.textContent = text;
  }

  /** Where the map peaks, in words. Rows and columns count from 1. */
  #where(map: TokenMap): string {
    if (map.peak <= 0) return "No image activation.";
    const at = map.cells.indexOf(PEAK_LEVEL);
    let start = 0;
    for (const [i, picture] of this.#pictures.entries()) {
      if (at < start + picture.cellCount) {
        const columns = this.#model.get("pictures")[i]?.grid[1] ?? 1;
        const row = Math.floor((at - start) / columns) + 1;
        const column = ((at - start) % columns) + 1;
        const which = this.#pictures.length > 1 ? ` of picture ${i + 1}` : "";
        return `Peak ${decimals(map.peak)} at row ${row}, column ${column}${which}`;
      }
      start += picture.cellCount;
    }
    return "";
  }
}
