/** A kernel's side of the model, and the parts of a browser that jsdom lacks. */
import { vi } from "vitest";
import type {
  MapReply,
  MapRequest,
  Method,
  Model,
  Picture,
  Ping,
  Request,
  State,
  Token,
} from "../../src/kernel/protocol.ts";
import type { Query } from "../../src/kernel/query.ts";

type Handler = (...args: never[]) => void;

/** What the tests need of a model: traits, events, and the requests that were sent. */
export class FakeModel {
  /** For maps. */
  readonly requests: MapRequest[] = [];
  /** For anything else. */
  readonly others: Exclude<Request, MapRequest>[] = [];
  readonly pings: unknown[] = [];
  /** For each request: let the kernel report its status. */
  readonly report: ((state: "busy" | "idle") => void)[] = [];
  readonly handlers = new Map<string, Set<Handler>>();
  readonly state: State;
  saved = 0;

  constructor(state: State) {
    this.state = state;
  }

  get<K extends keyof State>(name: K): State[K] {
    return this.state[name];
  }

  /** Nothing changes where the value is the same. */
  set<K extends keyof State>(name: K, value: State[K]): void {
    if (JSON.stringify(value) === JSON.stringify(this.state[name])) return;
    this.state[name] = value;
    this.trigger(`change:${name}`);
  }

  save_changes(): void {
    this.saved += 1;
  }

  on(name: string, handler: Handler): void {
    if (!this.handlers.has(name)) this.handlers.set(name, new Set());
    this.handlers.get(name)?.add(handler);
  }

  off(name: string, handler: Handler): void {
    this.handlers.get(name)?.delete(handler);
  }

  get listening(): number {
    return [...this.handlers.values()].reduce((sum, set) => sum + set.size, 0);
  }

  trigger(name: string, ...args: unknown[]): void {
    for (const handler of this.handlers.get(name) ?? []) (handler as (...all: unknown[]) => void)(...args);
  }

  send(request: Request | Ping, callbacks?: { iopub?: { status?: (message: unknown) => void } }): void {
    if (request.type === "ping") {
      this.pings.push(request);
      return;
    }
    if (request.type === "map") this.requests.push(request);
    else this.others.push(request);
    this.report.push((state) => callbacks?.iopub?.status?.({ content: { execution_state: state } }));
  }

  /** Answer a request as the kernel would. */
  answer(request: MapRequest | undefined, cells: number[], peak = 0.5): void {
    if (!request) throw new Error("there is no such request");
    const relevance = Array.from({ length: request.tokens.at(-1) ?? 0 }, (_, i) => (i === 0 ? 255 : 0));
    const reply: MapReply = { id: request.id, type: "map", peak, relevance_peak: 1 };
    this.trigger("msg:custom", reply, [buffer([...cells, ...relevance])]);
  }

  fail(request: Request | undefined, type: string, message: string): void {
    this.trigger("msg:custom", { id: request?.id, error: { type, message } }, []);
  }

  asModel(): Model {
    return this as unknown as Model;
  }
}

/** Bytes as Jupyter hands them over: a view somewhere inside a larger buffer. */
export function buffer(values: number[]): DataView {
  const bytes = new Uint8Array(values.length + 8);
  bytes.set(values, 5);
  return new DataView(bytes.buffer, 5, values.length);
}

export const TEXTS = ["Describe", " it", ".", "A", " red", " tri", "angle", "."];
export const CELLS = 4;

/** As published. */
export const METHOD: Method = { causal_inference: true, kernel_size: 3, part: "map" };

/** What asks for the map of one token, or of several. */
export function query(tokens: number | number[], change: Partial<Query> = {}): Query {
  return { tokens: [tokens].flat(), combine: "mean", candidate: null, method: METHOD, ...change };
}

/** A token of an answer, and nothing else that it might have been. */
export function plain(text: string, change: Partial<Token> = {}): Token {
  return { text, whole: text, lead: "", role: "answer", turn: 0, candidates: [], ...change };
}

export function token(text: string, index: number): Token {
  if (index < 3) return plain(text, { role: "prompt" });
  const candidates = [
    { text, probability: 0.96, rank: 1, chosen: true },
    { text: " <i>x</i>", probability: 0.02, rank: 2, chosen: false },
  ];
  return plain(text, { candidates });
}

/** The tokens of some turns, each a question and its answer. */
export function conversation(...turns: [question: string[], answer: string[]][]): Token[] {
  const said = turns.flatMap(([question, answer], turn) => [
    ...question.map((text) => ({ text, role: "prompt" as const, turn })),
    ...answer.map((text) => ({ text, role: "answer" as const, turn })),
  ]);
  return said.map((one, i) => ({ ...token(one.text, i), ...one }));
}

/** A picture of 2 × 2 cells on 8 × 8 pixels. */
export function picture(change: Partial<Picture> = {}): Picture {
  return {
    data: buffer([1, 2, 3]),
    mime: "image/png",
    width: 8,
    height: 8,
    grid: [2, 2],
    image: 0,
    frame: null,
    time: null,
    box: [0, 0, 1, 1],
    ...change,
  };
}

/** A frame of a video. */
export function frame(frame: number, change: Partial<Picture> = {}): Picture {
  return picture({ frame, time: frame / 2, ...change });
}

/** One picture and a short answer. */
export function state(change: Partial<State> = {}): State {
  const reds = Array.from({ length: 256 }, (_, i) => [i, 0, 0]).flat();
  const blues = Array.from({ length: 256 }, (_, i) => [0, 0, i]).flat();
  return {
    tokens: TEXTS.map(token),
    words: [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
      [5, 7],
      [7, 8],
    ],
    pictures: [picture()],
    maps: null,
    colormaps: { reds: buffer(reds), blues: buffer(blues) },
    colormap: "reds",
    paint: "heat",
    opacity: 0.5,
    smooth: false,
    title: "",
    unit: "token",
    combine: "mean",
    scale: "token",
    display: "blend",
    tint: "relevance",
    hints: true,
    contour: false,
    threshold: null,
    ...METHOD,
    selected: [],
    pinned: [],
    region: null,
    focus: [],
    ...change,
  };
}

/** All maps embedded: token i peaks in cell i mod 4. */
export function embedded(): NonNullable<State["maps"]> {
  const count = TEXTS.length;
  const cells = Array.from({ length: count * CELLS }, (_, i) =>
    i % CELLS === Math.floor(i / CELLS) % CELLS ? 254 : 0,
  );
  const relevances = Array.from({ length: (count * (count - 1)) / 2 }, (_, i) => i);
  return {
    cells: buffer(cells),
    relevances: buffer(relevances),
    peaks: Array.from({ length: count }, (_, i) => (i === 7 ? 0 : 0.25)),
    relevance_peaks: Array.from({ length: count }, () => 1),
  };
}

/** jsdom draws nothing: keep the pixels that were put, by canvas. */
export function stubBrowser(): { pixels: (canvas: HTMLCanvasElement) => number[] } {
  const shown = new WeakMap<HTMLCanvasElement, Uint8ClampedArray>();
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation(function (this: HTMLCanvasElement) {
    return {
      createImageData: (width: number, height: number) => ({
        data: new Uint8ClampedArray(width * height * 4),
        width,
        height,
      }),
      putImageData: (image: ImageData) => shown.set(this, image.data),
      clearRect: () => shown.delete(this),
    } as unknown as CanvasRenderingContext2D;
  } as never);
  URL.createObjectURL = () => "blob:picture";
  URL.revokeObjectURL = () => {};
  globalThis.ResizeObserver = class {
    observe() {}
    unobserve() {}
    disconnect() {}
  };
  return { pixels: (canvas) => [...(shown.get(canvas) ?? [])] };
}
