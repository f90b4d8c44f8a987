/** One token's map, as it came by message or lay embedded in the state. */
import type { Bytes, EmbeddedMaps, MapReply } from "./protocol.ts";

export interface TokenMap {
  token: number;
  /** The map's maximum on the joint scale; 0 says that no picture played a part, or that none was seen yet. */
  peak: number;
  /** Levels of every picture's and frame's cells, one after the other. */
  cells: Uint8Array;
  /** One value for each earlier token; value / 255 · relevancePeak is on the joint scale. */
  relevance: Uint8Array;
  relevancePeak: number;
}

export function bytes(value: Bytes): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
}

export function fromReply(reply: MapReply, buffer: Bytes, cellCount: number): TokenMap {
  const all = bytes(buffer);
  return {
    token: reply.token,
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
    token,
    peak,
    cells: bytes(maps.cells).subarray(token * cellCount, (token + 1) * cellCount),
    relevance: bytes(maps.relevances).subarray(start, start + token),
    relevancePeak,
  };
}
