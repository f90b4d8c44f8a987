/** The map of some tokens, as it came by message, lay embedded in the state or was made of others. */
import { type Bytes, type EmbeddedMaps, type MapReply, PEAK_LEVEL, UNSEEN } from "./protocol.ts";
import type { Query } from "./query.ts";

export interface TokenMap {
  /** What it is the map of; several tokens were read as one. */
  tokens: readonly number[];
  /** Place in the token's list of candidates, where it is a candidate's map. */
  candidate: number | null;
  /** The map's maximum on the joint scale; 0 says that no picture played a part, or that none was seen yet. */
  peak: number;
  /** Levels of every picture's and frame's cells, one after the other. */
  cells: Uint8Array;
  /** One value for each earlier token; value / 255 · relevancePeak is on the joint scale. */
  relevance: Uint8Array;
  relevancePeak: number;
  /** The difference of two maps: level 127 is 0, 254 and 0 are ± `peak`, which is its greatest distance from 0. */
  diverging?: true;
}

/** Of a difference: the level that says that both maps are the same. */
export const LEVEL = PEAK_LEVEL / 2;

export function bytes(value: Bytes): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
}

export function fromReply(query: Query, reply: MapReply, buffer: Bytes, cellCount: number): TokenMap {
  const all = bytes(buffer);
  return {
    tokens: query.tokens,
    candidate: query.candidate,
    peak: reply.peak,
    cells: all.subarray(0, cellCount),
    relevance: all.subarray(cellCount),
    relevancePeak: reply.relevance_peak,
  };
}

export function fromState(maps: EmbeddedMaps, token: number, cellCount: number): TokenMap | undefined {
  const peak = maps.peaks[token];
  const relevancePeak = maps.relevance_peaks[token];
  if (peak === undefined || relevancePeak === undefined) return undefined;
  const start = (token * (token - 1)) / 2;
  return {
    tokens: [token],
    candidate: null,
    peak,
    cells: bytes(maps.cells).subarray(token * cellCount, (token + 1) * cellCount),
    relevance: bytes(maps.relevances).subarray(start, start + token),
    relevancePeak,
  };
}

/** Several maps as one, as `tam_widget/explanation/region.py` does it: in each cell the mean or maximum of those that have seen it. */
export function merge(maps: readonly TokenMap[], combine: Query["combine"]): TokenMap {
  const [only] = maps;
  if (only && maps.length === 1) return only;
  const count = only?.cells.length ?? 0;
  const sums = new Float64Array(count);
  const seen = new Uint32Array(count);
  for (const { cells, peak } of maps) {
    const unit = peak / PEAK_LEVEL;
    for (let i = 0; i < count; i++) {
      const level = cells[i] as number;
      if (level === UNSEEN) continue;
      (seen[i] as number)++;
      if (combine === "mean") (sums[i] as number) += level * unit;
      else sums[i] = Math.max(sums[i] as number, level * unit);
    }
  }
  if (combine === "mean")
    for (let i = 0; i < count; i++) (sums[i] as number) /= Math.max(seen[i] as number, 1);
  const longest = maps.reduce((most, map) => Math.max(most, map.relevance.length), 0);
  const relevance = new Float64Array(longest);
  for (const map of maps) {
    for (const [i, value] of map.relevance.entries()) {
      relevance[i] = Math.max(relevance[i] as number, (value / 255) * map.relevancePeak);
    }
  }
  const [cells, peak] = levels(sums, PEAK_LEVEL);
  for (let i = 0; i < count; i++) if (seen[i] === 0) cells[i] = UNSEEN;
  const [relevances, relevancePeak] = levels(relevance, 255);
  return {
    tokens: maps.flatMap((map) => map.tokens),
    candidate: null,
    peak,
    cells,
    relevance: relevances,
    relevancePeak,
  };
}

/** What speaks for one map and against another. */
export function difference(map: TokenMap, other: TokenMap): TokenMap {
  const values = Float64Array.from(map.cells, (level, i) => {
    const less = other.cells[i] as number;
    return level === UNSEEN || less === UNSEEN ? Number.NaN : level * map.peak - less * other.peak;
  });
  const most = values.reduce((sum, value) => Math.max(sum, Math.abs(value) || 0), 0);
  const cells = Uint8Array.from(values, (value) =>
    Number.isNaN(value) ? UNSEEN : Math.round(LEVEL + (most > 0 ? (value / most) * LEVEL : 0)),
  );
  return { ...map, candidate: other.candidate, cells, peak: most / PEAK_LEVEL, diverging: true };
}

/** Values from 0 as levels up to `top`, which stands for their maximum. */
function levels(values: Float64Array, top: number): [Uint8Array, number] {
  const peak = values.reduce((most, value) => Math.max(most, value), 0);
  return [Uint8Array.from(values, (value) => (peak > 0 ? Math.round((value / peak) * top) : 0)), peak];
}
