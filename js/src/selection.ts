/** Which token a view shows. The pointer comes before the keyboard, and both before the pin. */
export class Selection {
  hovered: number | null = null;
  focused: number | null = null;
  pinned: number | null = null;

  get active(): number | null {
    return this.hovered ?? this.focused ?? this.pinned;
  }

  toggle(token: number): void {
    this.pinned = this.pinned === token ? null : token;
  }

  /** Let go of one thing: the pin first, then the preview. False if there was nothing to let go of. */
  release(): boolean {
    if (this.pinned !== null) {
      this.pinned = null;
      return true;
    }
    const had = this.focused !== null;
    this.focused = null;
    return had;
  }
}
