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
  /** What it is by itself; "\ufffd" stands for the first bytes of a character that a later token completes. */
  text: string;
  /** What it shows where words are picked: the characters, as a reader sees them, that it completes. */
  whole: string;
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
  /** Stands over the widget; empty for none. */
  title: string;
  // Settings: `tam_widget/widget/settings.py` says what each means.
  paint: "heat" | "spotlight";
  colormap: string;
  opacity: number;
  smooth: boolean;
  unit: "word" | "token";
  combine: "mean" | "max";
  scale: "token" | "answer";
  display: "blend" | "side";
  tint: "relevance" | "probability";
  hints: boolean;
  contour: boolean;
  threshold: number | null;
  causal_inference: boolean;
  kernel_size: number;
  part: Method["part"];
  // What is looked at: set by either side.
  /** The tokens whose map is shown now. */
  selected: number[];
  pinned: number[];
  region: Region | null;
  /** The word that is looked at, as [its text, which of its occurrences]; widgets side by side are linked by it. */
  focus: [] | [string, number];
}

/** A part of a picture: left, top, right and bottom as fractions of it; of a point its ends are the same. */
export interface Region {
  image: number;
  frame: number | null;
  box: [number, number, number, number];
}

/** Which parts of the method make a map. */
export interface Method {
  causal_inference: boolean;
  kernel_size: number;
  part: "map" | "raw" | "interference";
}

export type Model = AnyModel<State & Record<string, unknown>>;

/** A cell's level is value / peak · PEAK_LEVEL; UNSEEN marks a cell that the token could not see. */
export const PEAK_LEVEL = 254;
export const UNSEEN = 255;

/** Of differences: what speaks for one word is red, for another blue. */
export const DIVERGING = "RdBu_r";

export interface MapRequest {
  id: string;
  type: "map";
  /** In order, at least one; several are read as one. */
  tokens: number[];
  combine: "mean" | "max";
  /** Rank, from 0, of a candidate in the token's place; then there is one token. */
  candidate: number | null;
  method: Method;
}

/** How strongly each token responds to a part of a picture. */
export interface RegionRequest extends Region {
  id: string;
  type: "region";
  method: Method;
}

/** The greatest value of all the last answer's maps. */
export interface ScaleRequest {
  id: string;
  type: "scale";
  method: Method;
}

/** Whether a word needs the place that its map marks. */
export interface CheckRequest {
  id: string;
  type: "check";
  /** In order, at least one; of answers. */
  tokens: number[];
  method: Method;
}

/** Wants no answer; see client.ts. */
export interface Ping {
  type: "ping";
}

export type Request = MapRequest | RegionRequest | ScaleRequest | CheckRequest;

/**
 * Comes with one buffer: all pictures' and frames' cells, then the relevances of the tokens before the last one asked
 * for (of several tokens the greatest).
 */
export interface MapReply {
  id: string;
  type: "map";
  /** The map's maximum, on the joint scale; of a part of the method in logits. 0: no picture played a part. */
  peak: number;
  relevance_peak: number;
}

/** Comes with one buffer: a float32 for each token, on the joint scale; NaN where it saw nothing. */
export interface RegionReply {
  id: string;
  type: "region";
}

export interface ScaleReply {
  id: string;
  type: "scale";
  peak: number;
}

/** What covering something costs a word. */
export interface Cost {
  name: string;
  nats: number;
}

export interface CheckReply {
  id: string;
  type: "check";
  sentence: string;
  costs: Cost[];
}

/** In place of an answer: it takes longer, or the same asker has asked something newer. Who still wants it asks again. */
export interface LaterReply {
  id: string;
  type: "later";
  /** How much of it is done, in [0, 1]. */
  share: number;
}

export interface ErrorReply {
  id: string | null;
  error: { type: string; message: string };
}

export type Reply = MapReply | RegionReply | ScaleReply | CheckReply | LaterReply | ErrorReply;
