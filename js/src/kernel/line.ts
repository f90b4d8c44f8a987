/**
 * One kind of question to the kernel.
 *
 * At most one is under way; only what was wanted last is asked next, so that a fast pointer never queues up work in the
 * kernel. An answer that is no longer wanted is handed on all the same, marked as such. Where the kernel answers "later",
 * what is wanted then is asked: the same again, or something newer.
 */
import type { Bytes, Model, Ping, Reply, Request } from "./protocol.ts";

/** A kernel that is silent for so long (ms) is called busy. */
export const PATIENCE = 1000;
/** A kernel that reports "done" and sent no answer within this time (ms) does not know the widget. */
export const GRACE = 1000;

export type Trouble = { kind: "busy" } | { kind: "lost" } | { kind: "error"; type: string; message: string };

/** What a request says, but for its id. */
type Body<R> = R extends unknown ? Omit<R, "id"> : never;

/** A question: `key` says which are the same. */
export interface Question<About> {
  key: string;
  about: About;
  body: Body<Request>;
}

export interface Hearer<About> {
  /** `wanted`: somebody still waits for it. */
  answer(about: About, reply: Reply, buffer: Bytes | undefined, wanted: boolean): void;
  trouble(about: About, trouble: Trouble): void;
  /** There is no answer yet, but so much of it. */
  later?(about: About, share: number): void;
}

interface KernelStatus {
  content?: { execution_state?: string };
}

export class Line<About> {
  readonly #model: Model;
  readonly #hearer: Hearer<About>;
  readonly #isLive: () => boolean;
  /** Requests without an answer so far. Other views share the model's messages, hence ids of our own. */
  readonly #asked = new Map<string, Question<About>>();
  readonly #prefix = Math.random().toString(36).slice(2);
  #count = 0;
  #wanted: Question<About> | null = null;
  #flight: string | null = null;
  #patience: ReturnType<typeof setTimeout> | undefined;
  /** The kernel was silent for longer than our patience, and has not answered since. */
  #busy = false;

  constructor(model: Model, isLive: () => boolean, hearer: Hearer<About>, signal: AbortSignal) {
    this.#model = model;
    this.#isLive = isLive;
    this.#hearer = hearer;
    const onMessage = (reply: Reply, buffers: Bytes[]) => this.#receive(reply, buffers);
    const onLife = () => {
      if (!this.#isLive()) this.#lose();
    };
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

  /** Ask, or ask for nothing any more. */
  want(question: Question<About> | null): void {
    this.#wanted = question;
    if (question === null) return;
    if (!this.#isLive()) {
      this.#lose();
    } else if (this.#flight === null) {
      this.#send(question);
    } else if (this.#busy) {
      // Ask all the same: it answers when it can. But do not pile up questions.
      if (this.#patience === undefined && this.#asked.get(this.#flight)?.key !== question.key) {
        this.#send(question);
      }
      this.#hearer.trouble(question.about, { kind: "busy" });
    }
  }

  #send(question: Question<About>): void {
    this.#count += 1;
    const id = `${this.#prefix}-${this.#count}`;
    this.#asked.set(id, question);
    this.#flight = id;
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#grow(), PATIENCE);
    const status = (message: KernelStatus) => {
      const state = message.content?.execution_state;
      if (state === "busy") this.#hurry(id);
      if (state === "idle") setTimeout(() => this.#asked.has(id) && this.#lose(), GRACE);
    };
    try {
      this.#model.send({ ...question.body, id }, { iopub: { status } });
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
    const wanted = this.#wanted;
    if (wanted === null || this.#flight === null) return;
    if (this.#asked.get(this.#flight)?.key !== wanted.key) this.#send(wanted);
    this.#hearer.trouble(wanted.about, { kind: "busy" });
  }

  #receive(reply: Reply, buffers: Bytes[]): void {
    const question = reply.id === null ? undefined : this.#asked.get(reply.id);
    if (question === undefined || reply.id === null) return;
    this.#asked.delete(reply.id);
    this.#busy = false;
    if (this.#flight === reply.id) {
      this.#flight = null;
      clearTimeout(this.#patience);
      this.#patience = undefined;
    }
    if ("type" in reply && reply.type === "later") {
      if (this.#wanted?.key === question.key) this.#hearer.later?.(this.#wanted.about, reply.share);
      if (this.#wanted !== null && this.#flight === null) this.#send(this.#wanted);
      return;
    }
    const wanted = this.#wanted?.key === question.key;
    // The same may have been asked again for somebody else.
    const { about } = wanted && this.#wanted ? this.#wanted : question;
    if (wanted) this.#wanted = null;
    if (!("error" in reply)) this.#hearer.answer(about, reply, buffers[0], wanted);
    else if (wanted) this.#hearer.trouble(about, { kind: "error", ...reply.error });
    if (this.#wanted !== null && this.#flight === null) this.#send(this.#wanted);
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
    if (wanted !== null) this.#hearer.trouble(wanted.about, { kind: "lost" });
  }
}
