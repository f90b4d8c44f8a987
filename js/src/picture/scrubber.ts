/** Where in time: a bar for each frame of a video, as high as the frame's peak. It leads the strip above to a frame. */
import { PEAK_LEVEL, UNSEEN } from "../kernel/protocol.ts";
import { shareOf } from "../overlay/colormap.ts";
import { listen } from "../page/bind.ts";
import { element } from "../page/dom.ts";
import { decimals, seconds } from "../page/numbers.ts";

const HINT = "Click or drag to scroll to a frame; Enter goes to the peak";

/** Each frame's greatest share of the map's peak, of differences the greatest distance from 0. */
export function frameShares(levels: Uint8Array, frames: number, diverging = false): number[] {
  const count = levels.length / frames;
  return Array.from({ length: frames }, (_, frame) => {
    let low = PEAK_LEVEL;
    let high = 0;
    for (let i = frame * count; i < (frame + 1) * count; i++) {
      const level = levels[i] as number;
      if (level === UNSEEN) continue;
      if (level < low) low = level;
      if (level > high) high = level;
    }
    if (low > high) return 0; // not seen
    return diverging ? Math.max(shareOf(high, true), -shareOf(low, true)) : shareOf(high);
  });
}

export class ScrubberView {
  readonly node: HTMLElement;
  readonly #strip: HTMLElement;
  readonly #times: number[];
  readonly #bars: HTMLElement[];
  readonly #reached: (frame: number) => void;
  #peaks: number[] = [];
  #frame = 0;
  /** Whether the strip was moved by hand: then it stays where it was put. */
  #isByHand = false;

  /** `reached` hears of the frame that was asked for. */
  constructor(strip: HTMLElement, times: number[], reached: (frame: number) => void, signal: AbortSignal) {
    this.#strip = strip;
    this.#times = times;
    this.#reached = reached;
    this.#bars = times.map(() => element("i", "tam-moment"));
    this.node = element(
      "div",
      "tam-scrubber",
      {
        role: "slider",
        tabindex: 0,
        title: HINT,
        "aria-label": "Frame",
        "aria-valuemin": 1,
        "aria-valuemax": times.length,
      },
      ...this.#bars,
    );
    const { node } = this;
    listen(node, "keydown", (event) => this.#key(event), signal);
    listen(node, "pointerdown", (event) => this.#press(event), signal);
    listen(node, "pointermove", (event) => event.buttons & 1 && this.#point(event), signal);
    strip.addEventListener("scroll", () => this.#scrolled(), { signal, passive: true });
    for (const moved of ["wheel", "touchmove", "keydown"]) {
      strip.addEventListener(moved, () => (this.#isByHand = true), { signal, passive: true });
    }
    this.#mark();
  }

  /** Each frame's peak and the greatest that there could be; none for no map. */
  show(peaks: number[], scale: number): void {
    this.#peaks = peaks;
    const most = Math.max(...peaks);
    for (const [i, bar] of this.#bars.entries()) {
      const peak = peaks[i] ?? 0;
      bar.style.setProperty("--tam-share", String(scale > 0 ? Math.min(peak / scale, 1) : 0));
      bar.classList.toggle("tam-peaking", most > 0 && peak === most);
    }
    this.#mark();
    if (most > 0) this.#lead(peaks.indexOf(most));
  }

  /** Bring the frame where the map peaks into view. */
  #lead(frame: number): void {
    const { left, right } = this.#strip.getBoundingClientRect();
    const box = this.#strip.children[frame]?.getBoundingClientRect();
    if (this.#isByHand || !box || (box.left >= left - 1 && box.right <= right + 1)) return;
    this.#goto(frame);
  }

  #goto(frame: number): void {
    const [first, target] = [this.#strip.children[0], this.#strip.children[frame]];
    if (!(first instanceof HTMLElement) || !(target instanceof HTMLElement)) return;
    this.#frame = frame;
    this.#strip.scrollLeft = target.offsetLeft - first.offsetLeft;
    this.#mark();
    this.#reached(frame);
  }

  /** The strip was scrolled otherwise: the frame is the first that is whole, if the one asked for left the view. */
  #scrolled(): void {
    const { left, right } = this.#strip.getBoundingClientRect();
    const inView = [...this.#strip.children].map((child) => {
      const box = child.getBoundingClientRect();
      return box.left >= left - 1 && box.right <= right + 1;
    });
    if (!inView[this.#frame]) this.#frame = Math.max(inView.indexOf(true), 0);
    this.#mark();
  }

  #mark(): void {
    const { node } = this;
    for (const [i, bar] of this.#bars.entries()) bar.classList.toggle("tam-now", i === this.#frame);
    const peak = this.#peaks[this.#frame];
    const value = peak === undefined ? "" : `, peak ${decimals(peak)}`;
    node.setAttribute("aria-valuenow", String(this.#frame + 1));
    node.setAttribute("aria-valuetext", `${seconds(this.#times[this.#frame] as number)}${value}`);
  }

  #key(event: KeyboardEvent): void {
    const last = this.#times.length - 1;
    const to = {
      ArrowLeft: this.#frame - 1,
      ArrowDown: this.#frame - 1,
      ArrowRight: this.#frame + 1,
      ArrowUp: this.#frame + 1,
      Home: 0,
      End: last,
      Enter: this.#peaks.indexOf(Math.max(...this.#peaks)),
    }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation(); // the notebook must not take it for a command
    this.#isByHand = event.key !== "Enter";
    if (to >= 0) this.#goto(Math.min(to, last));
  }

  #press(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.node.setPointerCapture(event.pointerId);
    this.#isByHand = true;
    this.#point(event);
  }

  #point(event: PointerEvent): void {
    const { left, width } = this.node.getBoundingClientRect();
    const count = this.#times.length;
    const frame = Math.floor(((event.clientX - left) / width) * count);
    this.#goto(Math.min(Math.max(frame, 0), count - 1));
  }
}
