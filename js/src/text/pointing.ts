/** What the pointer and the keyboard do to a view's selection. */
import { same } from "../kernel/query.ts";
import { step } from "./keyboard.ts";
import type { Selection } from "./selection.ts";
import { TextView } from "./text.ts";
import { NONE, type Tokens, type Units } from "./units.ts";

/** How long (ms) the pointer may be between two words before the preview goes. */
const LINGER = 60;

interface Parts {
  text: TextView;
  /** Esc is heard in all of it, and a preview by keyboard lasts while the focus is in it. */
  widget: HTMLElement;
  units: Units;
  selection: Selection;
  /** Called after each change of the selection. */
  changed: () => void;
}

export class Pointing {
  readonly #parts: Parts;
  /** The unit under the pointer: within it nothing happens. */
  #under: Tokens = NONE;
  /** Where the pointer last went down. */
  #pressed: number | null = null;
  #isDown = false;
  /** It has been drawn over a span since: the click that follows is none. */
  #dragged = false;
  /** The end of a span that stays while the other is moved. */
  #anchor = 0;
  /** Whether the pointer was used last: the focus that it brings previews nothing. */
  #byPointer = false;
  /** What the keyboard has just reached. */
  #reached: number | null = null;
  #leaving: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: Parts, signal: AbortSignal) {
    this.#parts = parts;
    const { widget } = parts;
    const { node } = parts.text;
    const on = <K extends keyof HTMLElementEventMap>(
      name: K,
      heard: (event: HTMLElementEventMap[K]) => void,
      where: HTMLElement | Document = node,
    ) => where.addEventListener(name, heard as EventListener, { signal });
    on("pointerover", (event) => this.#over(event));
    on("pointerleave", () => this.#leave());
    on("pointerdown", (event) => this.#press(event));
    on("pointerup", () => this.#lift(), document);
    on("pointercancel", () => this.#lift(), document);
    on("click", (event) => this.#click(event));
    on("focusin", (event) => this.#focus(event.target));
    on("focusout", (event) => this.#unfocus(event.relatedTarget), widget);
    on("keydown", (event) => this.#walk(event));
    on("keydown", (event) => this.#escape(event), widget);
    // Shift alone is held while clicking.
    on("keydown", (event) => (this.#byPointer &&= event.key === "Shift"), document);
    signal.addEventListener("abort", () => clearTimeout(this.#leaving));
  }

  #over(event: PointerEvent): void {
    const token = TextView.token(event.target);
    if (event.buttons === 0) this.#isDown = false; // lifted where nobody heard of it
    if (!this.#isDown) this.#hover(token === null ? NONE : this.#parts.units.of(token));
    else if (token !== null) this.#drag(token);
  }

  #leave(): void {
    if (this.#isDown) this.#under = NONE;
    else this.#hover(NONE);
  }

  #hover(tokens: Tokens): void {
    clearTimeout(this.#leaving);
    if (same(tokens, this.#under)) return;
    const change = () => {
      this.#under = tokens;
      if (same(tokens, this.#parts.selection.hovered)) return;
      this.#parts.selection.hovered = tokens;
      this.#parts.changed();
    };
    if (tokens.length === 0) this.#leaving = setTimeout(change, LINGER);
    else change();
  }

  /** A finger draws no spans: across it walks the words, down it scrolls. */
  #press(event: PointerEvent): void {
    const target = event.target as Element;
    if (target.hasPointerCapture?.(event.pointerId)) target.releasePointerCapture(event.pointerId);
    this.#dragged = false;
    this.#byPointer = true;
    this.#pressed = TextView.token(event.target);
    const mayDraw = event.button === 0 && !event.shiftKey && event.pointerType !== "touch";
    this.#isDown = mayDraw && this.#pressed !== null;
  }

  #drag(token: number): void {
    const { selection, units, changed } = this.#parts;
    const span = units.between(this.#pressed as number, token);
    this.#dragged ||= !same(span, units.of(this.#pressed as number));
    clearTimeout(this.#leaving);
    this.#under = units.of(token);
    if (same(span, selection.hovered)) return;
    selection.hovered = span;
    changed();
  }

  #lift(): void {
    const { selection, text, changed } = this.#parts;
    if (this.#isDown && this.#dragged && this.#pressed !== null) {
      this.#anchor = this.#pressed;
      text.current = this.#pressed;
      selection.pinned = selection.hovered;
      selection.hovered = NONE;
      selection.focused = NONE;
      changed();
    }
    this.#isDown = false;
  }

  #click(event: MouseEvent): void {
    const { selection, text, units, changed } = this.#parts;
    // Down on one token of a word and up on another: the click is the word's.
    const onWord = (event.target as Element).matches(".tam-word");
    const token = TextView.token(event.target) ?? (onWord ? this.#pressed : null);
    if (token === null || (this.#dragged && event.detail > 0)) return;
    const { focused } = selection;
    if (event.shiftKey) {
      selection.pinned = units.between(this.#start(), token);
    } else {
      // A press of Enter takes what the keyboard has marked.
      selection.toggle(event.detail === 0 && focused.includes(token) ? focused : units.of(token));
      this.#anchor = token;
    }
    if (event.detail > 0) selection.focused = NONE;
    // The pin is looked at, not the one word of it under the pointer.
    selection.hovered = selection.pinned.length ? NONE : this.#under;
    text.current = token;
    // Safari gives a clicked button no focus; Esc and the arrow keys need it.
    text.buttons[token]?.focus({ preventScroll: true });
    changed();
  }

  /** Where a span begins that is extended from here. */
  #start(): number {
    const { pinned } = this.#parts.selection;
    return pinned.length && !pinned.includes(this.#anchor) ? (pinned[0] as number) : this.#anchor;
  }

  /** The keyboard previews what it reaches; a click only takes the focus along. */
  #focus(target: EventTarget | null): void {
    const token = TextView.token(target);
    if (token === null || token === this.#reached) return;
    this.#reached = null;
    this.#parts.text.current = token;
    const byKeyboard = !this.#byPointer && (target as Element).matches(":focus-visible");
    if (byKeyboard) this.#anchor = token;
    this.#preview(byKeyboard ? this.#parts.units.of(token) : NONE);
  }

  #unfocus(next: EventTarget | null): void {
    if (next instanceof Node && this.#parts.widget.contains(next)) return;
    this.#reached = null;
    this.#preview(NONE);
  }

  #preview(tokens: Tokens): void {
    if (same(tokens, this.#parts.selection.focused)) return;
    this.#parts.selection.focused = tokens;
    this.#parts.changed();
  }

  #walk(event: KeyboardEvent): void {
    const { selection, text, units, changed } = this.#parts;
    const from = TextView.token(event.target);
    if (from === null || event.ctrlKey || event.metaKey || event.altKey) return;
    // Enter and Space press the button; the notebook must not take them for commands.
    if (event.key === "Enter" || event.key === " ") event.stopPropagation();
    const to = step(event.key, from, text.buttons, units);
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.shiftKey) this.#anchor = to;
    else if (!selection.active.includes(this.#anchor)) this.#anchor = from;
    selection.hovered = NONE;
    selection.focused = units.between(this.#anchor, to);
    this.#reached = to;
    text.current = to;
    text.buttons[to]?.focus();
    changed();
  }

  #escape(event: KeyboardEvent): void {
    if (event.key !== "Escape" || !this.#parts.selection.release()) return;
    event.preventDefault();
    event.stopPropagation();
    this.#parts.changed();
  }
}
