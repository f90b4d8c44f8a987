/**
 * What passes between kernel and browser. Its other half is `tam_widget/widget/protocol.py`: change both together.
 *
 * Traits are state: a saved page or a second view is rebuilt from them without Python. Messages are requests.
 */
import type { AnyModel } from "@anywidget/types";

/** A binary value as one of the hosts hands it over. */
export type Bytes = ArrayBuffer | ArrayBufferView;

export interface Candidate {
  text: string;
  probability: number;
  /** 1 for the most probable. */
  rank: number;
  chosen: boolean;
}

export interface Token {
  text: string;
  /** Characters between it and the token before it that belong to neither; nearly always empty. */
  lead: string;
  role: "prompt" | "answer";
  turn: number;
  candidates: Candidate[];
}

/** One picture or one frame of a video. A video's frames stand together; the order is that of a map's cells. */
export interface Picture {
  data: Bytes;
  mime: string;
  width: number;
  height: number;
  /** Rows and columns of the map. */
  grid: [number, number];
  /** Which picture or video of the explanation, counted from 0. */
  image: number;
  /** Which frame of the video; null for a picture. */
  frame: number | null;
  /** When the frame is seen, in seconds; null for a picture. */
  time: number | null;
  /** Left, top, width and height of what the grid covers, as fractions of the picture; it may reach beyond it. */
  box: [number, number, number, number];
}

/** The maps of all tokens, in the order of the tokens. */
export interface EmbeddedMaps {
  /** Each token's cells: those of every picture and frame in order, row by row; levels as in `UNSEEN`. */
  cells: Bytes;
  /** 0 values for token 0, 1 for token 1, … i for token i; each token's relevances are value / relevance_peak · 255. */
  relevances: Bytes;
  peaks: number[];
  relevance_peaks: number[];
}

export interface State {
  tokens: Token[];
  /** Each word's tokens, [first, last + 1). */
  words: [number, number][];
  pictures: Picture[];
  maps: EmbeddedMaps | null;
  /** 256 × RGB each. */
  colormaps: Record<string, Bytes>;
  colormap: string;
  opacity: number;
  smooth: boolean;
}

export type Model = AnyModel<State & Record<string, unknown>>;

/** A cell's level is value / peak · PEAK_LEVEL; UNSEEN marks a cell that the token could not see. */
export const PEAK_LEVEL = 254;
export const UNSEEN = 255;

export interface MapRequest {
  id: string;
  type: "map";
  token: number;
  /** Rank of a candidate whose map is wanted instead of the token's own. */
  candidate?: number;
}

/** Wants no answer; see client.ts. */
export interface Ping {
  type: "ping";
}

/** Comes with one buffer: all pictures' and frames' cells, then the relevances of the earlier tokens. */
export interface MapReply {
  id: string;
  type: "map";
  token: number;
  candidate: number | null;
  /** The map's maximum on the joint scale; 0 says that no picture played a part, or that none was seen yet. */
  peak: number;
  relevance_peak: number;
}

export interface ErrorReply {
  id: string | null;
  error: { type: string; message: string };
}

export type Reply = MapReply | ErrorReply;
