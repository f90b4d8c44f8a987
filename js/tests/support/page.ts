/** A view as a person meets it, and what goes around every test of one. */
import { afterEach, beforeEach, vi } from "vitest";
import widget from "../../src/index.ts";
import type { State } from "../../src/kernel/protocol.ts";
import { FakeModel, state, stubBrowser } from "./fakes.ts";

/** What `show` made last. */
export let model: FakeModel;
export let page: Page;
/** What a canvas shows. */
export let pixels: (canvas: HTMLCanvasElement) => number[];
let usual: () => Partial<State>;

/** Show a widget, in its usual state but for what is said here. */
export function show(change: Partial<State> = {}, host?: HTMLElement): void {
  model = new FakeModel(state({ ...usual(), ...change }));
  page = new Page(model, host);
}

/** Around each test of a file or a group: a clock turned by hand, and a page that is gone afterwards. */
export function aroundEach(begin: () => Partial<State> = () => ({})): void {
  beforeEach(() => {
    vi.useFakeTimers();
    pixels = stubBrowser().pixels;
    usual = begin;
  });
  afterEach(() => {
    page.cleanup();
    document.body.replaceChildren();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}

/** One view, and what a person would do to it and see of it. */
export class Page {
  readonly host: HTMLElement;
  readonly cleanup: () => void;

  constructor(model: FakeModel, host: HTMLElement = document.createElement("div")) {
    this.host = host;
    document.body.append(host);
    const props = { model, el: this.host, signal: new AbortController().signal };
    this.cleanup = widget.render(props as unknown as Parameters<typeof widget.render>[0]);
  }

  one<T extends Element = HTMLElement>(selector: string): T {
    const found = this.host.querySelector<T>(selector);
    if (!found) throw new Error(`no ${selector}`);
    return found;
  }

  all<T extends Element = HTMLElement>(selector: string): T[] {
    return [...this.host.querySelectorAll<T>(selector)];
  }

  token(index: number): HTMLButtonElement {
    return this.one(`.tam-token[data-index="${index}"]`);
  }

  get canvases(): HTMLCanvasElement[] {
    return this.all(".tam-heatmap");
  }

  get canvas(): HTMLCanvasElement {
    return this.one(".tam-heatmap");
  }

  get shown(): string {
    return `${this.canvas.dataset.token} ${this.canvas.dataset.state}`;
  }

  hover(index: number): void {
    this.token(index).dispatchEvent(new Event("pointerover", { bubbles: true }));
  }

  leave(): void {
    this.one(".tam-text").dispatchEvent(new Event("pointerleave"));
    vi.advanceTimersByTime(200);
  }

  get live(): HTMLElement {
    return this.one(".tam-page > .tam-live");
  }

  /** The texts of the tokens that a selector finds, in order. */
  texts(selector: string): (string | null)[] {
    return this.all(selector).map((one) => one.textContent);
  }

  /** Draw the pointer from one token to another. */
  drag(from: number, to: number): void {
    this.pointer("pointerdown", from, { buttons: 1 });
    this.pointer("pointerover", to, { buttons: 1 });
    this.pointer("pointerup", to);
    // The click comes to what both have in common.
    this.one(".tam-text").dispatchEvent(new MouseEvent("click", { bubbles: true, detail: 1 }));
  }

  pointer(type: string, token: number, more: PointerEventInit = {}): void {
    this.token(token).dispatchEvent(new MouseEvent(type, { bubbles: true, ...more }));
  }

  click(token: number, more: MouseEventInit = {}): void {
    this.token(token).dispatchEvent(new MouseEvent("click", { bubbles: true, detail: 1, ...more }));
  }

  button(text: string): HTMLButtonElement {
    const found = this.all<HTMLButtonElement>("button").find((one) => one.textContent === text);
    if (!found) throw new Error(`no button ${text}`);
    return found;
  }

  key(key: string, more: KeyboardEventInit = {}): boolean {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
    (document.activeElement ?? this.host).dispatchEvent(event);
    return event.defaultPrevented;
  }
}
