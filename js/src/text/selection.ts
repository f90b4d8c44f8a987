/**
 * Which tokens a view shows. The pointer comes before the keyboard, both before what another view or Python looks at, and
 * the pin last.
 */
import { same } from "../kernel/query.ts";
import { NONE, type Tokens } from "./units.ts";

export class Selection {
  hovered: Tokens = NONE;
  focused: Tokens = NONE;
  given: Tokens = NONE;
  pinned: Tokens = NONE;

  get active(): Tokens {
    return [this.hovered, this.focused, this.given, this.pinned].find((tokens) => tokens.length) ?? NONE;
  }

  /** Pin, or unpin what is pinned. */
  toggle(tokens: Tokens): void {
    this.pinned = same(this.pinned, tokens) ? NONE : tokens;
  }

  /** Look at what somebody else looks at. */
  follow(tokens: Tokens): void {
    this.hovered = NONE;
    this.focused = NONE;
    this.given = same(this.pinned, tokens) ? NONE : tokens;
  }

  /** Let go of one thing: the pin first, then the preview. False if there was nothing to let go of. */
  release(): boolean {
    if (this.pinned.length) {
      this.pinned = NONE;
      return true;
    }
    const had = this.focused.length + this.given.length > 0;
    this.focused = NONE;
    this.given = NONE;
    return had;
  }
}
