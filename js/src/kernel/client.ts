/** Where maps come from: the browser's cache, the maps embedded in the state, the kernel — in this order. */
import { Line, type Trouble } from "./line.ts";
import type { Bytes, CheckReply, Model, Region, Reply } from "./protocol.ts";
import { isPublished, keyOf, methodKey, methodOf, type Query } from "./query.ts";
import { responses } from "./responses.ts";
import { bytes, fromReply, fromState, merge, type TokenMap } from "./tokenmap.ts";

/** How many bytes of maps are kept; the ones looked at last stay. */
const KEPT = 64 * 2 ** 20;

export interface Listener {
  map(query: Query, map: TokenMap): void;
  trouble(query: Query, trouble: Trouble): void;
}

/** Who asked for a verdict: hears how much of it is done, then the answer, or what stands in its way. */
export interface Checked {
  later(share: number): void;
  answer(reply: CheckReply): void;
  trouble(trouble: Trouble): void;
}

type Then<T> = (answer: T | null) => void;

export class MapClient {
  readonly #model: Model;
  readonly #cellCount: number;
  /** In the order of their last use. */
  readonly #cache = new Map<string, TokenMap>();
  #kept = 0;
  /** Of each method. */
  readonly #scales = new Map<string, number>();
  readonly #maps: Line<Query>;
  readonly #regions: Line<Then<Float32Array>>;
  readonly #peaks: Line<Then<number>>;
  readonly #checks: Line<Checked>;

  constructor(
    model: Model,
    cellCount: number,
    isLive: () => boolean,
    listener: Listener,
    signal: AbortSignal,
  ) {
    this.#model = model;
    this.#cellCount = cellCount;
    this.#maps = new Line(
      model,
      isLive,
      {
        answer: (query: Query, reply: Reply, buffer: Bytes | undefined, wanted: boolean) => {
          if (!("peak" in reply) || reply.type !== "map" || !buffer) return;
          const map = fromReply(query, reply, buffer, cellCount);
          this.#keep(keyOf(query), map);
          if (wanted) listener.map(query, map);
        },
        trouble: listener.trouble,
      },
      signal,
    );
    const trouble = <T>(then: Then<T>, { kind }: Trouble) => {
      if (kind !== "busy") then(null);
    };
    this.#regions = new Line(
      model,
      isLive,
      {
        answer: (then: Then<Float32Array>, _: Reply, buffer: Bytes | undefined, wanted: boolean) => {
          // A copy: the buffer may begin anywhere, a float only at a multiple of 4.
          if (wanted) then(buffer ? new Float32Array(bytes(buffer).slice().buffer) : null);
        },
        trouble,
      },
      signal,
    );
    this.#peaks = new Line(
      model,
      isLive,
      {
        answer: (then: Then<number>, reply: Reply, _: Bytes | undefined, wanted: boolean) => {
          if (wanted) then("peak" in reply ? reply.peak : null);
        },
        trouble,
      },
      signal,
    );
    this.#checks = new Line(
      model,
      isLive,
      {
        answer: (about: Checked, reply: Reply, _: Bytes | undefined, wanted: boolean) => {
          if (wanted && "costs" in reply) about.answer(reply);
        },
        trouble: (about: Checked, trouble: Trouble) => about.trouble(trouble),
        later: (about: Checked, share: number) => about.later(share),
      },
      signal,
    );
  }

  /** The map, if the browser has it. */
  peek(query: Query): TokenMap | undefined {
    const key = keyOf(query);
    const known = this.#cache.get(key);
    if (known) {
      this.#cache.delete(key);
      this.#cache.set(key, known);
      return known;
    }
    const maps = this.#model.get("maps");
    const { tokens, method } = query;
    if (!maps || query.candidate !== null || !isPublished(method) || method.part !== "map") return undefined;
    const all = tokens.map((token) => fromState(maps, token, this.#cellCount));
    if (!all.every((map) => map !== undefined)) return undefined;
    const map = merge(all, query.combine);
    if (all.length > 1) this.#keep(key, map);
    return map;
  }

  /** Ask the kernel for a map, or for none; the listener hears of it. */
  want(query: Query | null): void {
    this.#maps.want(
      query && {
        key: keyOf(query),
        about: query,
        body: { ...query, type: "map", tokens: [...query.tokens] },
      },
    );
  }

  /**
   * How strongly each token responds to a part of a picture: one value for each token, on the joint scale, NaN where it saw
   * nothing; for the method that is set now. `then` is called once, at once where the page knows the answer; never where
   * another region is asked for before the answer is there (null: for none). With null it is called where no answer
   * comes: the region lies outside the grid, or the kernel is gone or fails.
   */
  scores(region: null): void;
  scores(region: Region, then: (scores: Float32Array | null) => void): void;
  scores(region: Region | null, then: Then<Float32Array> = () => {}): void {
    const method = methodOf(this.#model);
    const maps = this.#model.get("maps");
    if (!region) {
      this.#regions.want(null);
    } else if (maps && isPublished(method)) {
      this.#regions.want(null);
      then(responses(maps, this.#model.get("pictures"), region));
    } else {
      const key = JSON.stringify([region, method]);
      this.#regions.want({ key, about: then, body: { type: "region", ...region, method } });
    }
  }

  /**
   * The greatest value of all the last answer's maps, for the method that is set now. `then` is called as by `scores`:
   * once, at once where the page knows the answer, with null where none comes.
   */
  scale(then: (peak: number | null) => void): void {
    const method = methodOf(this.#model);
    const key = methodKey({ ...method, part: "map" });
    const known = this.#scales.get(key) ?? (isPublished(method) ? this.#embeddedScale() : undefined);
    if (known !== undefined) {
      this.#peaks.want(null);
      then(known);
      return;
    }
    const about: Then<number> = (peak) => {
      if (peak !== null) this.#scales.set(key, peak);
      then(peak);
    };
    this.#peaks.want({ key, about, body: { type: "scale", method } });
  }

  /** Ask whether a word needs the place that its map marks; without tokens what is under way is given up. */
  check(tokens: null): void;
  check(tokens: readonly number[], about: Checked): void;
  check(tokens: readonly number[] | null, about?: Checked): void {
    const method = methodOf(this.#model);
    this.#checks.want(
      tokens && about
        ? {
            key: `${tokens}|${methodKey(method)}`,
            about,
            body: { type: "check", tokens: [...tokens], method },
          }
        : null,
    );
  }

  #embeddedScale(): number | undefined {
    const tokens = this.#model.get("tokens");
    const last = tokens.at(-1)?.turn;
    return this.#model
      .get("maps")
      ?.peaks.filter((_, i) => tokens[i]?.role === "answer" && tokens[i]?.turn === last)
      .reduce((most, peak) => Math.max(most, peak), 0);
  }

  #keep(key: string, map: TokenMap): void {
    this.#forget(key);
    this.#cache.set(key, map);
    this.#kept += sizeOf(map);
    for (const oldest of this.#cache.keys()) {
      if (this.#kept <= KEPT || oldest === key) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    const map = this.#cache.get(key);
    if (!map) return;
    this.#cache.delete(key);
    this.#kept -= sizeOf(map);
  }
}

function sizeOf(map: TokenMap): number {
  return map.cells.length + map.relevance.length;
}
