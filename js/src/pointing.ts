/** What the pointer and the keyboard do to a view's selection. */
import { step } from "./keyboard.ts";
import type { Selection } from "./selection.ts";
import { TextView } from "./text.ts";

/** How long (ms) the pointer may be between two words before the preview goes. */
const LINGER = 60;

export class Pointing {
  readonly #text: TextView;
  readonly #selection: Selection;
  readonly #changed: () => void;
  #leaving: ReturnType<typeof setTimeout> | undefined;

  /** `widget` is where Esc is heard; `changed` is called after each change of the selection. */
  constructor(
    text: TextView,
    widget: HTMLElement,
    selection: Selection,
    changed: () => void,
    signal: AbortSignal,
  ) {
    this.#text = text;
    this.#selection = selection;
    this.#changed = changed;
    const { node } = text;
    node.addEventListener("pointerover", (event) => this.#hover(TextView.token(event.target)), { signal });
    node.addEventListener("pointerleave", () => this.#hover(null), { signal });
    node.addEventListener("click", (event) => this.#click(TextView.token(event.target)), { signal });
    node.addEventListener("focusin", (event) => this.#focus(event.target), { signal });
    node.addEventListener("focusout", (event) => this.#unfocus(event.relatedTarget), { signal });
    node.addEventListener("keydown", (event) => this.#walk(event), { signal });
    widget.addEventListener("keydown", (event) => this.#escape(event), { signal });
    signal.addEventListener("abort", () => clearTimeout(this.#leaving));
  }

  #hover(token: number | null): void {
    clearTimeout(this.#leaving);
    if (token === this.#selection.hovered) return;
    const change = () => {
      this.#selection.hovered = token;
      this.#changed();
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
    this.#changed();
  }

  /** The keyboard previews what it reaches; a click only takes the focus along. */
  #focus(target: EventTarget | null): void {
    const token = TextView.token(target);
    if (token === null) return;
    this.#text.current = token;
    const byKeyboard = token === this.#selection.focused || (target as Element).matches(":focus-visible");
    this.#preview(byKeyboard ? token : null);
  }

  #unfocus(next: EventTarget | null): void {
    if (TextView.token(next) === null) this.#preview(null);
  }

  #preview(token: number | null): void {
    if (token === this.#selection.focused) return;
    this.#selection.focused = token;
    this.#changed();
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
    this.#changed();
  }

  #escape(event: KeyboardEvent): void {
    if (event.key !== "Escape" || !this.#selection.release()) return;
    event.preventDefault();
    event.stopPropagation();
    this.#changed();
  }
}
