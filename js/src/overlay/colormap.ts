/** From a level of the map to a colour of the overlay. */
import { PEAK_LEVEL, UNSEEN } from "../kernel/protocol.ts";

/** Mid-grey, half as strong as the strongest value: neither hot nor cold, seen in light and dark pictures. */
const VEIL = 128;
/** What a spotlight leaves of the rest: nearly black, so that colours fade too. */
const DARK = [16, 17, 20] as const;
/** From this share of the peak on, a spotlight leaves the picture as it is. */
const LIT = 0.5;

/** Colours over the picture where the map is high, or darkness where it is low. */
export type Paint = "heat" | "spotlight";

export interface Tone {
  /** How much of the scale the map's peak takes: 1 where each map has a scale of its own. */
  gain?: number;
  /** A difference: its levels begin at -1, and 0 lies in the middle. */
  diverging?: boolean;
  /** Weak values cover the picture as strong ones do. */
  solid?: boolean;
  paint?: Paint;
}

/** What part of its map's peak a level is. */
export function shareOf(level: number, diverging = false): number {
  return diverging ? (2 * level) / PEAK_LEVEL - 1 : level / PEAK_LEVEL;
}

/**
 * Colour and alpha of every level, packed as the canvas wants them (RGBA in memory, so ABGR in a little-endian word).
 * Heat: alpha is opacity × value, where the map is 0 the picture is untouched. Spotlight: it is untouched where the map is
 * high, and darkened by as much where it is 0.
 */
export function overlayTable(
  colormap: Uint8Array,
  opacity: number,
  { gain = 1, diverging = false, solid = false, paint = "heat" }: Tone = {},
): Uint32Array {
  const table = new Uint32Array(256);
  for (let level = 0; level <= PEAK_LEVEL; level++) {
    const value = Math.max(-1, Math.min(shareOf(level, diverging) * gain, 1));
    if (paint === "spotlight") {
      table[level] = pack(...DARK, Math.round((1 - light(value)) * opacity * 255));
      continue;
    }
    const entry = Math.round((diverging ? (value + 1) / 2 : value) * 255) * 3;
    table[level] = pack(
      colormap[entry] ?? 0,
      colormap[entry + 1] ?? 0,
      colormap[entry + 2] ?? 0,
      Math.round((solid ? 1 : Math.abs(value)) * opacity * 255),
    );
  }
  table[UNSEEN] = pack(VEIL, VEIL, VEIL, Math.round(opacity * 127));
  return table;
}

/** How much of the picture's light a spotlight leaves. */
function light(value: number): number {
  return Math.min(1, value / LIT);
}

/** The same veil in CSS, for what lies outside the cells. */
export function veil(opacity: number): string {
  return `rgb(${VEIL} ${VEIL} ${VEIL} / ${opacity / 2})`;
}

function pack(red: number, green: number, blue: number, alpha: number): number {
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** The colour map as a CSS gradient, for the scale under the picture. */
export function gradient(colormap: Uint8Array): string {
  const stops: string[] = [];
  for (let entry = 0; entry <= 255; entry += 17) {
    stops.push(`rgb(${colormap.subarray(entry * 3, entry * 3 + 3).join(" ")})`);
  }
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

/** What a spotlight makes of light grey, for the same place. */
export function spotlightRamp(opacity: number): string {
  const at = (value: number) =>
    DARK.map((dark) => dark + (224 - dark) * (1 - (1 - light(value)) * opacity)).join(" ");
  return `linear-gradient(to right, rgb(${at(0)}), rgb(${at(LIT)}) ${LIT * 100}%)`;
}
