/** One view: what is looked at and pinned here, and everything that follows from it. */

import { MapClient } from "./kernel/client.ts";
import type { Trouble } from "./kernel/line.ts";
import type { Model, Token } from "./kernel/protocol.ts";
import { keyOf, methodOf, type Query, same } from "./kernel/query.ts";
import { difference, type TokenMap } from "./kernel/tokenmap.ts";
import { follow } from "./page/bind.ts";
import { element } from "./page/dom.ts";
import { ordinal } from "./page/numbers.ts";
import { titleNode } from "./page/title.ts";
import { DetailView, saidBy, textOf } from "./panel/detail.ts";
import { VerdictView } from "./panel/verdict.ts";
import { StageView } from "./stage.ts";
import { copy, copyOnKey, markdown } from "./text/copying.ts";
import { Peaks } from "./text/peaks.ts";
import { Pointing } from "./text/pointing.ts";
import { Selection } from "./text/selection.ts";
import { Shared } from "./text/shared.ts";
import { TextView } from "./text/text.ts";
import { byProbability, byRelevance } from "./text/tint.ts";
import { NONE, type Tokens, Units } from "./text/units.ts";

/** How long (ms) the last map stays while the next one is under way: shorter, it flickers; longer, it misleads. */
const STALE = 120;
/** How long (ms) a map must be shown before a screen reader hears where it peaks. */
const SPEAK = 400;

const BUSY = "Kernel busy, waiting…";
const RESTARTED = "The kernel was restarted; run the cell again to explore further.";
const NO_KERNEL = "There is no kernel behind this page; run the notebook to explore further.";

/** These ask for another map. */
const METHOD = ["causal_inference", "kernel_size", "part"] as const;

export function mount(model: Model, root: HTMLElement, signal: AbortSignal): void {
  new View(model, root, signal);
}

class View {
  readonly #model: Model;
  readonly #tokens: Token[];
  readonly #units: Units;
  readonly #wholeAnswer: Tokens;
  readonly #peaks: Peaks;
  readonly #selection = new Selection();
  readonly #shared: Shared;
  readonly #client: MapClient;
  readonly #text: TextView;
  readonly #detail: DetailView;
  readonly #stage: StageView;
  readonly #verdict: VerdictView;
  readonly #live = element("div", "tam-live", { "aria-live": "polite", role: "status" });
  /** What to say when no kernel knows this widget. */
  readonly #lost: string;
  #stale: ReturnType<typeof setTimeout> | undefined;
  #speaking: ReturnType<typeof setTimeout> | undefined;

  constructor(model: Model, root: HTMLElement, signal: AbortSignal) {
    this.#model = model;
    this.#tokens = model.get("tokens");
    this.#units = new Units(this.#tokens, model.get("words"));
    this.#wholeAnswer = this.#units.lastAnswer;
    this.#peaks = new Peaks(model, this.#units);
    this.#stage = new StageView(
      model,
      { whole: () => this.select(this.#wholeAnswer, "toggle"), copy: () => copy(this.#markdown()) },
      signal,
    );
    this.#text = new TextView(this.#tokens, model.get("words"), signal);
    this.#text.invite(this.#peaks);
    const again = () => this.#show();
    this.#detail = new DetailView(this.#tokens, this.#units, again, () => this.#check(), signal);
    this.#verdict = new VerdictView(
      (text) => this.#say(text),
      (trouble) => this.#explain(trouble),
      signal,
    );
    const panel = element("div", "tam-panel", {}, this.#detail.node, this.#stage.lookup, this.#verdict.node);
    const reading = element("div", "tam-reading", {}, this.#text.node, panel);
    const page = element("div", "tam-page", {}, this.#stage.node, reading, this.#live);
    const widget = element("div", "tam-widget", {}, titleNode(model, signal), page);
    root.append(widget);

    // So the base view of ipywidgets marks itself where no kernel is behind it. Other hosts have no such sign.
    const isLive = () => root.closest(".jupyter-widgets-disconnected") === null;
    this.#lost = isLive() ? RESTARTED : NO_KERNEL;
    const listener = {
      map: () => this.#show(),
      trouble: (query: Query, trouble: Trouble) => this.#excuse(query, trouble),
    };
    this.#client = new MapClient(model, this.#stage.cellCount, isLive, listener, signal);
    this.#verdict.connect(this.#client);
    this.#shared = new Shared(model, this.#units, this.#selection, () => this.#show(), signal);
    this.#keepKeys(widget, signal);
    copyOnKey(widget, () => this.#said(this.#selection.pinned), signal);
    new Pointing(
      {
        text: this.#text,
        widget,
        units: this.#units,
        selection: this.#selection,
        changed: () => this.#changed(),
      },
      signal,
    );
    this.#stage.connect(this.#client, {
      buttons: this.#text.buttons,
      look: (tokens) => this.select(tokens ?? NONE, "look"),
      pick: (tokens) => this.select(tokens, "pin"),
    });
    follow(model, METHOD, () => this.#show(), signal);
    follow(model, ["unit", "combine", "tint", "hints"], () => this.#configure(), signal);
    signal.addEventListener("abort", () => {
      clearTimeout(this.#stale);
      clearTimeout(this.#speaking);
      widget.remove();
    });
    this.#configure();
  }

  /** Look at tokens as if the pointer were on them (none: no more), pin them, or pin and unpin in turn. */
  select(tokens: Tokens, how: "look" | "pin" | "toggle"): void {
    const selection = this.#selection;
    selection.hovered = how === "look" ? tokens : NONE;
    if (how === "pin") selection.pinned = tokens;
    if (how === "toggle") selection.toggle(tokens);
    this.#changed();
  }

  /** The text of some tokens as it was said; of none, of the whole answer. */
  #said(tokens: Tokens): string {
    return saidBy(tokens.length > 0 ? tokens : this.#wholeAnswer, this.#tokens).trim();
  }

  /** The answer with where its words are, of those whose maps are at hand. */
  #markdown(): string {
    const places = this.#units.words(this.#wholeAnswer).flatMap((tokens) => {
      const map = this.#client.peek({
        tokens,
        combine: this.#model.get("combine"),
        candidate: null,
        method: methodOf(this.#model),
      });
      return map && map.peak > 0 ? [[textOf(tokens, this.#tokens), this.#stage.where(map)[0]] as const] : [];
    });
    return markdown(this.#said(NONE), places);
  }

  /** Somebody looks at something here, and knows now how. */
  #changed(): void {
    if (this.#detail.hints && this.#selection.active.length > 0) this.#model.set("hints", false); // saved by `tell`
    this.#selection.given = NONE;
    this.#show();
    this.#shared.tell();
  }

  /** Another unit, another way to combine, another tint. */
  #configure(): void {
    this.#detail.hints = this.#model.get("hints");
    this.#units.unit = this.#model.get("unit");
    this.#text.unit = this.#units.unit;
    this.#show();
  }

  /** Show what is selected now. */
  #show(): void {
    const { active, pinned } = this.#selection;
    clearTimeout(this.#stale);
    clearTimeout(this.#speaking);
    this.#text.mark(active, pinned);
    this.#detail.show(active);
    this.#stage.isWhole = pinned.length > 0 && same(pinned, this.#wholeAnswer);
    const queries = this.#queries(active);
    const maps = queries.map((query) => this.#client.peek(query));
    const missing = queries.find((_, i) => !maps[i]);
    if (!missing) this.#client.want(null);
    const [map, other] = maps;
    if (missing) {
      this.#wait(missing);
    } else if (map) {
      this.#paint(other ? difference(map, other) : map);
    } else {
      this.#clear();
      this.#stage.state = "empty";
      this.#stage.hideNote();
      this.#live.textContent = "";
    }
  }

  /** What must be known to show some tokens: one map, or two for their difference. */
  #queries(active: Tokens): Query[] {
    if (active.length === 0) return [];
    const { candidates } = this.#detail;
    const query = {
      tokens: active,
      combine: this.#model.get("combine"),
      candidate: null,
      method: methodOf(this.#model),
    };
    if (candidates.token === null) return [query];
    const said = { ...query, tokens: [candidates.token] };
    const unsaid = { ...said, candidate: candidates.candidate };
    return candidates.isDifference ? [said, unsaid] : [unsaid];
  }

  #wait(query: Query): void {
    this.#stage.state = "loading";
    this.#stage.note("loading", "Loading…");
    this.#stale = setTimeout(() => this.#clear(), STALE);
    this.#client.want(query);
  }

  #paint(map: TokenMap): void {
    this.#stage.paint(map);
    this.#tint(map);
    const [where, figures] = this.#stage.where(map);
    const rank =
      map.candidate === null &&
      this.#units.areOneWord(map.tokens) &&
      this.#peaks.rank(this.#units.word(map.tokens[0] as number));
    this.#detail.where(rank ? `${where} · ${ordinal(rank[0])} of ${rank[1]} words` : where, figures);
    // What is looked at elsewhere is spoken of there.
    if (this.#selection.active === this.#selection.given) return;
    const spoken = `${this.#nameOf(map)}: ${where}`;
    this.#speaking = setTimeout(() => {
      this.#live.textContent = spoken;
    }, SPEAK);
  }

  #nameOf({ tokens, candidate, diverging }: TokenMap): string {
    const said = textOf(tokens, this.#tokens);
    if (candidate === null) return said;
    const { text } = this.#detail.candidates;
    return diverging ? `${said} rather than ${text}` : `${text} in place of ${said}`;
  }

  /** Say why there is no map. */
  #excuse(query: Query, trouble: Trouble): void {
    if (!this.#queries(this.#selection.active).some((one) => keyOf(one) === keyOf(query))) return;
    clearTimeout(this.#stale);
    this.#clear();
    const text = this.#explain(trouble);
    this.#stage.state = trouble.kind === "busy" ? "busy" : "error";
    this.#stage.note(trouble.kind, text);
    this.#live.textContent = text;
  }

  /** Ask whether what is looked at needs the place that is marked. */
  #check(): boolean {
    const { active } = this.#selection;
    if (!this.#detail.canCheck(active)) return false;
    this.#verdict.ask(active, textOf(active, this.#tokens));
    return true;
  }

  #say(text: string): void {
    clearTimeout(this.#speaking);
    this.#live.textContent = text;
  }

  #explain(trouble: Trouble): string {
    if (trouble.kind === "error") return `${trouble.type}: ${trouble.message}`;
    return trouble.kind === "busy" ? BUSY : this.#lost;
  }

  /** Nothing to see of a map: neither on the pictures nor on the text. */
  #clear(): void {
    this.#stage.clear();
    this.#tint(null);
  }

  #tint(map: TokenMap | null): void {
    const kind = this.#model.get("tint");
    if (kind === "probability") this.#text.tint(kind, byProbability(this.#tokens));
    else this.#text.tint(kind, map && byRelevance(map));
  }

  /** A key that presses a button of the text side, or is ours, must not become the notebook's command. */
  #keepKeys(widget: HTMLElement, signal: AbortSignal): void {
    const heard = (event: KeyboardEvent) => {
      const onButton = event.target instanceof Element && event.target.closest("button") !== null;
      if (onButton && (event.key === "Enter" || event.key === " ")) event.stopPropagation();
      if (!this.#isTaken(event)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      this.#show();
    };
    widget.addEventListener("keydown", heard, { signal });
  }

  /** Esc closes a verdict, or lets go of a candidate; C asks for a verdict. */
  #isTaken({ key, target, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
    if (key === "Escape") return this.#verdict.release() || this.#detail.candidates.release();
    if (key.toLowerCase() !== "c" || ctrlKey || metaKey || altKey) return false;
    return !(target as Element).matches("input, select") && this.#check();
  }
}
