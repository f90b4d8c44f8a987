/**
 * Where maps come from: the browser's cache, the maps embedded in the state, the kernel — in this order.
 *
 * At most one request is under way; only the token wanted last is asked for next, so that a fast pointer never
 * queues up work in the kernel. An answer that is no longer wanted is kept, never painted.
 */
import type { Bytes, MapRequest, Model, Ping, Reply } from "./protocol.ts";
import { fromReply, fromState, type TokenMap } from "./tokenmap.ts";

/** A kernel that is silent for so long (ms) is called busy. */
export const PATIENCE = 1000;
/** A kernel that reports "done" and sent no answer within this time (ms) does not know the widget. */
export const GRACE = 1000;

export type Trouble = { kind: "busy" } | { kind: "lost" } | { kind: "error"; type: string; message: string };

export interface Listener {
  map(map: TokenMap): void;
  trouble(token: number, trouble: Trouble): void;
}

interface KernelStatus {
  content?: { execution_state?: string };
}

export class MapClient {
  readonly #model: Model;
  readonly #listener: Listener;
  readonly #isLive: () => boolean;
  readonly #cellCount: number;
  readonly #cache = new Map<number, TokenMap>();
  /** Requests without an answer so far. Other views share the model's messages, hence ids of our own. */
  readonly #asked = new Map<string, number>();
  readonly #prefix = Math.random().toString(36).slice(2);
  #count = 0;
  #wanted: number | null = null;
  #flight: string | null = null;
  #patience: ReturnType<typeof setTimeout> | undefined;
  /** The kernel was silent for longer than our patience, and has not answered since. */
  #busy = false;

  constructor(
    model: Model,
    cellCount: number,
    isLive: () => boolean,
    listener: Listener,
    signal: AbortSignal,
  ) {
    this.#model = model;
    this.#cellCount = cellCount;
    this.#isLive = isLive;
    this.#listener = listener;
    const onMessage = (reply: Reply, buffers: Bytes[]) => this.#receive(reply, buffers);
    const onLife = () => this.#checkLife();
    model.on("msg:custom", onMessage);
    model.on("comm_live_update", onLife);
    signal.addEventListener("abort", () => {
      clearTimeout(this.#patience);
      this.#asked.clear();
      this.#wanted = null;
      model.off("msg:custom", onMessage);
      model.off("comm_live_update", onLife);
    });
  }

  /** The map, if the browser has it. */
  peek(token: number): TokenMap | undefined {
    const maps = this.#model.get("maps");
    return this.#cache.get(token) ?? (maps ? fromState(maps, token, this.#cellCount) : undefined);
  }

  /** Ask the kernel for a token's map, or for none. */
  want(token: number | null): void {
    this.#wanted = token;
    if (token === null) return;
    if (!this.#isLive()) {
      this.#lose();
    } else if (this.#flight === null) {
      this.#send(token);
    } else if (this.#busy) {
      // Ask all the same: it answers when it can. But do not pile up questions.
      if (this.#patience === undefined && this.#asked.get(this.#flight) !== token) this.#send(token);
      this.#listener.trouble(token, { kind: "busy" });
    }
  }

  #send(token: number): void {
    this.#count += 1;
    const id = `${this.#prefix}-${this.#count}`;
    this.#asked.set(id, token);
    this.#flight = id;
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#grow(), PATIENCE);
    const status = (message: KernelStatus) => {
      const state = message.content?.execution_state;
      if (state === "busy") this.#hurry(id);
      if (state === "idle") setTimeout(() => this.#checkAnswered(id), GRACE);
    };
    try {
      this.#model.send({ id, type: "map", token } satisfies MapRequest, { iopub: { status } });
    } catch {
      this.#lose();
    }
  }

  /**
   * Save 40 ms. Jupyter's server holds back a small packet until the one before it is acknowledged (Nagle's algorithm), and
   * a page with nothing to say acknowledges late. So when "busy" has come and the answer has not, say something.
   */
  #hurry(id: string): void {
    if (this.#asked.has(id)) this.#model.send({ type: "ping" } satisfies Ping);
  }

  /** Patience is at its end. */
  #grow(): void {
    this.#patience = undefined;
    this.#busy = true;
    if (this.#wanted === null || this.#flight === null) return;
    if (this.#asked.get(this.#flight) !== this.#wanted) this.#send(this.#wanted);
    this.#listener.trouble(this.#wanted, { kind: "busy" });
  }

  #receive(reply: Reply, buffers: Bytes[]): void {
    const token = reply.id === null ? undefined : this.#asked.get(reply.id);
    if (token === undefined || reply.id === null) return;
    this.#asked.delete(reply.id);
    this.#busy = false;
    if (this.#flight === reply.id) {
      this.#flight = null;
      clearTimeout(this.#patience);
      this.#patience = undefined;
    }
    const wanted = this.#wanted;
    if (wanted === token) this.#wanted = null;
    if ("error" in reply) {
      if (wanted === token) this.#listener.trouble(token, { kind: "error", ...reply.error });
    } else if (buffers[0]) {
      const map = fromReply(reply, buffers[0], this.#cellCount);
      this.#cache.set(token, map);
      if (wanted === token) this.#listener.map(map);
    }
    if (this.#wanted !== null && this.#flight === null) this.#send(this.#wanted);
  }

  #checkAnswered(id: string): void {
    if (this.#asked.has(id)) this.#lose();
  }

  #checkLife(): void {
    if (!this.#isLive()) this.#lose();
  }

  /** The kernel does not know this widget any more. */
  #lose(): void {
    const wanted = this.#wanted;
    clearTimeout(this.#patience);
    this.#patience = undefined;
    this.#busy = false;
    this.#flight = null;
    this.#wanted = null;
    this.#asked.clear();
    if (wanted !== null) this.#listener.trouble(wanted, { kind: "lost" });
  }
}
