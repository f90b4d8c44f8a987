/** What is looked at, as traits: other views, widgets side by side and Python follow, and are followed. */

import type { Model, State } from "../kernel/protocol.ts";
import { same } from "../kernel/query.ts";
import { follow } from "../page/bind.ts";
import { type Focus, Vocabulary } from "./focus.ts";
import type { Selection } from "./selection.ts";
import { NONE, type Units } from "./units.ts";

export class Shared {
  readonly #model: Model;
  readonly #selection: Selection;
  readonly #words: Vocabulary;
  /** What was last told or heard. */
  #focus: Focus;
  #frame = 0;

  /** `changed` is called when the selection has followed somebody else. */
  constructor(model: Model, units: Units, selection: Selection, changed: () => void, signal: AbortSignal) {
    this.#model = model;
    this.#selection = selection;
    this.#words = new Vocabulary(units);
    this.#focus = model.get("focus");
    selection.pinned = model.get("pinned");
    selection.follow(model.get("selected"));
    const hear = (name: keyof State, heard: () => boolean) =>
      follow(
        model,
        [name],
        () => {
          if (!heard()) return;
          this.#save();
          changed();
        },
        signal,
      );
    hear("pinned", () => this.#hearPinned());
    hear("selected", () => this.#hearSelected());
    hear("focus", () => this.#hearFocus());
    signal.addEventListener("abort", () => cancelAnimationFrame(this.#frame));
  }

  /** Somebody looks at something here. */
  tell(): void {
    const { active, pinned } = this.#selection;
    this.#set("pinned", [...pinned]);
    this.#set("selected", [...active]);
    this.#focus = this.#words.name(active);
    this.#set("focus", this.#focus);
  }

  // Each of these returns whether it changed the selection.

  #hearPinned(): boolean {
    const pinned = this.#model.get("pinned");
    if (same(pinned, this.#selection.pinned)) return false;
    this.#selection.pinned = pinned;
    if (same(pinned, this.#selection.given)) this.#selection.given = NONE;
    return true;
  }

  #hearSelected(): boolean {
    const selected = this.#model.get("selected");
    const { active, pinned } = this.#selection;
    if (same(selected, active)) return false;
    // That nothing is looked at elsewhere takes nothing away from the pointer here; it is told of once more.
    if (selected.length || same(active, pinned)) this.#selection.follow(selected);
    else if (same(this.#selection.given, active)) this.#selection.given = NONE;
    return true;
  }

  #hearFocus(): boolean {
    const focus = this.#model.get("focus");
    if (same<unknown>(focus, this.#focus)) return false;
    this.#focus = focus;
    // Another view of this widget has told of the tokens before it told of their word.
    if (same<unknown>(focus, this.#words.name(this.#model.get("selected")))) return false;
    this.#selection.follow(this.#words.find(focus));
    return true;
  }

  #set<K extends "selected" | "pinned" | "focus">(name: K, value: unknown[]): void {
    if (same<unknown>(value, this.#model.get(name))) return;
    this.#model.set(name, value as never);
    this.#save();
  }

  /** At most once a frame. Only then is it settled which tokens are shown: traits that belong together come one by one. */
  #save(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      const { active } = this.#selection;
      if (!same(active, this.#model.get("selected"))) this.#model.set("selected", [...active]);
      this.#model.save_changes();
    });
  }
}
