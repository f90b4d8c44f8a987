import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MapClient } from "../../src/kernel/client.ts";
import { GRACE, PATIENCE } from "../../src/kernel/line.ts";
import type { MapRequest, Region } from "../../src/kernel/protocol.ts";
import { buffer, CELLS, embedded, FakeModel, METHOD, query, state } from "../support/fakes.ts";

const CELL = [254, 0, 0, 0];

describe("MapClient", () => {
  let model: FakeModel;
  let live: boolean;
  let life: AbortController;
  let log: string[];
  let client: MapClient;

  function start(cells = CELLS): void {
    client = new MapClient(
      model.asModel(),
      cells,
      () => live,
      {
        map: ({ tokens }) => log.push(`map ${tokens}`),
        trouble: ({ tokens }, trouble) => log.push(`${trouble.kind} ${tokens}`),
      },
      life.signal,
    );
  }

  beforeEach(() => {
    vi.useFakeTimers();
    model = new FakeModel(state());
    live = true;
    life = new AbortController();
    log = [];
    start();
  });
  afterEach(() => vi.useRealTimers());

  it("asks the kernel once, then has the map", () => {
    expect(client.peek(query(3))).toBeUndefined();
    client.want(query(3));
    expect(model.requests).toMatchObject([
      { type: "map", tokens: [3], combine: "mean", candidate: null, method: METHOD },
    ]);
    model.answer(model.requests[0], CELL, 0.4);
    expect(log).toEqual(["map 3"]);
    expect(client.peek(query(3))).toMatchObject({ tokens: [3], candidate: null, peak: 0.4 });
    expect([...(client.peek(query(3))?.cells ?? [])]).toEqual(CELL);
  });

  it("takes embedded maps before it asks", () => {
    model.state.maps = embedded();
    expect([...(client.peek(query(2))?.cells ?? [])]).toEqual([0, 0, 254, 0]);
  });

  it("keeps one request under way and asks next only for the token wanted last", () => {
    for (const token of [3, 4, 5, 6]) client.want(query(token));
    expect(model.requests.flatMap((one) => one.tokens)).toEqual([3]);
    model.answer(model.requests[0], CELL);
    expect(model.requests.flatMap((one) => one.tokens)).toEqual([3, 6]);
    model.answer(model.requests[1], CELL);
    expect(log).toEqual(["map 6"]);
  });

  it("keeps an answer that came too late, and does not show it", () => {
    client.want(query(3));
    client.want(null);
    model.answer(model.requests[0], CELL);
    expect(log).toEqual([]);
    expect(client.peek(query(3))).toBeDefined();
  });

  it("calls a silent kernel busy, and shows the answer all the same", () => {
    client.want(query(3));
    vi.advanceTimersByTime(PATIENCE + 1);
    expect(log).toEqual(["busy 3"]);
    model.answer(model.requests[0], CELL);
    expect(log).toEqual(["busy 3", "map 3"]);
  });

  it("asks a busy kernel for the latest token too", () => {
    client.want(query(3));
    vi.advanceTimersByTime(PATIENCE + 1);
    client.want(query(4));
    expect(model.requests.flatMap((one) => one.tokens)).toEqual([3, 4]);
    expect(log.at(-1)).toBe("busy 4");
    model.answer(model.requests[0], CELL);
    model.answer(model.requests[1], CELL);
    expect(log.at(-1)).toBe("map 4");
  });

  it("does not pile up questions to a busy kernel", () => {
    client.want(query(3));
    vi.advanceTimersByTime(PATIENCE + 1);
    for (const token of [4, 5, 6]) client.want(query(token));
    expect(model.requests.flatMap((one) => one.tokens)).toEqual([3, 4]);
    expect(log.at(-1)).toBe("busy 6");
    vi.advanceTimersByTime(PATIENCE + 1);
    expect(model.requests.flatMap((one) => one.tokens)).toEqual([3, 4, 6]);
  });

  it("hurries the answer along when the kernel has begun, and only then", () => {
    client.want(query(3));
    expect(model.pings).toEqual([]);
    model.report[0]?.("busy");
    expect(model.pings).toEqual([{ type: "ping" }]);
    model.answer(model.requests[0], CELL);
    model.report[0]?.("busy");
    expect(model.pings.length).toBe(1);
  });

  it("tells of an error, and asks again the next time", () => {
    client.want(query(3));
    model.fail(model.requests[0], "ValueError", "no map");
    expect(log).toEqual(["error 3"]);
    client.want(query(3));
    expect(model.requests.length).toBe(2);
  });

  it("ignores what other views asked for, and what is no answer", () => {
    client.want(query(3));
    model.answer({ ...(model.requests[0] as MapRequest), id: "another" }, CELL);
    model.trigger("msg:custom", { id: null, error: { type: "ValueError", message: "?" } }, []);
    expect(log).toEqual([]);
  });

  it("knows that a kernel which finished without an answer has forgotten the widget", () => {
    client.want(query(3));
    model.report[0]?.("idle");
    expect(log).toEqual([]);
    vi.advanceTimersByTime(GRACE);
    expect(log.at(-1)).toBe("lost 3");
  });

  it("does not mistake an answered request for a forgotten one", () => {
    client.want(query(3));
    model.answer(model.requests[0], CELL);
    model.report[0]?.("idle");
    vi.advanceTimersByTime(GRACE + PATIENCE);
    expect(log).toEqual(["map 3"]);
  });

  it("asks nothing of a kernel that is gone", () => {
    live = false;
    client.want(query(3));
    expect(model.requests).toEqual([]);
    expect(log).toEqual(["lost 3"]);
  });

  it("hears when the kernel goes while an answer is awaited", () => {
    client.want(query(3));
    live = false;
    model.trigger("comm_live_update");
    expect(log).toEqual(["lost 3"]);
    vi.advanceTimersByTime(PATIENCE * 2);
    expect(log).toEqual(["lost 3"]);
  });

  it("takes a channel that cannot send for a kernel that is gone", () => {
    vi.spyOn(model, "send").mockImplementation(() => {
      throw new Error("disposed");
    });
    client.want(query(3));
    expect(log).toEqual(["lost 3"]);
  });

  it("falls silent when its view ends", () => {
    client.want(query(3));
    life.abort();
    expect(model.listening).toBe(0);
    vi.advanceTimersByTime(PATIENCE * 2);
    expect(log).toEqual([]);
  });

  it("keeps apart the maps of words, candidates and methods", () => {
    const asked = [
      query([3, 4]),
      query([3, 4], { combine: "max" }),
      query(3, { candidate: 1 }),
      query(3, { method: { ...METHOD, kernel_size: 1 } }),
    ];
    for (const one of asked) {
      client.want(one);
      model.answer(model.requests.at(-1), CELL);
    }
    expect(model.requests).toMatchObject(asked);
    expect(asked.every((one) => client.peek(one))).toBe(true);
    expect(client.peek(query(3))).toBeUndefined();
    // Of one token there is nothing to combine.
    client.want(query(3));
    model.answer(model.requests.at(-1), CELL);
    expect(client.peek(query(3, { combine: "max" }))).toBeDefined();
  });

  it("reads several embedded tokens as one, and asks the kernel for what is not embedded", () => {
    model.state.maps = embedded();
    expect([...(client.peek(query([2, 3]))?.cells ?? [])]).toEqual([0, 0, 254, 254]);
    expect(client.peek(query([2, 3]))).toBe(client.peek(query([2, 3])));
    expect(client.peek(query(3, { candidate: 0 }))).toBeUndefined();
    for (const change of [{ kernel_size: 5 }, { causal_inference: false }, { part: "raw" } as const]) {
      expect(client.peek(query(3, { method: { ...METHOD, ...change } }))).toBeUndefined();
    }
  });

  it("forgets the maps looked at longest ago when there are too many", () => {
    const size = 2 ** 24; // four of these and their relevances are too much
    start(size);
    const look = (token: number) => {
      client.want(query(token));
      const reply = { id: model.requests.at(-1)?.id, type: "map", peak: 1, relevance_peak: 1 };
      model.trigger("msg:custom", reply, [new Uint8Array(size + token)]);
    };
    for (const token of [3, 4, 5]) look(token);
    expect(client.peek(query(3))).toBeDefined(); // looked at again: 4 is the oldest now
    look(6);
    expect([3, 4, 5, 6].map((token) => client.peek(query(token)) !== undefined)).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  describe("asked the other way", () => {
    const region: Region = { image: 0, frame: null, box: [0, 0, 0.5, 1] };
    const floats = (values: number[]) => buffer([...new Uint8Array(Float32Array.from(values).buffer)]);

    it("asks the kernel how tokens respond to a region, and only the latest is answered", () => {
      const heard: string[] = [];
      client.scores(region, () => heard.push("first"));
      client.scores({ ...region, box: [0, 0, 1, 1] }, (scores) => heard.push(`second ${scores}`));
      expect(model.others).toMatchObject([{ type: "region", ...region, method: METHOD }]);
      model.trigger("msg:custom", { id: model.others[0]?.id, type: "region" }, [floats([1, 0])]);
      model.trigger("msg:custom", { id: model.others[1]?.id, type: "region" }, [floats([0.5, 0.25])]);
      expect(heard).toEqual(["second 0.5,0.25"]);
    });

    it("asks again for what takes the kernel longer, or for what is wanted by then", () => {
      const heard: string[] = [];
      const wait = (place: number) =>
        model.trigger("msg:custom", { id: model.others[place]?.id, type: "later" }, []);
      client.scores(region, () => heard.push("first"));
      wait(0);
      expect(model.others[1]).toMatchObject({ type: "region", box: region.box });
      client.scores({ ...region, box: [0, 0, 1, 1] }, (scores) => heard.push(`second ${scores}`));
      wait(1);
      expect(model.others[2]).toMatchObject({ type: "region", box: [0, 0, 1, 1] });
      model.trigger("msg:custom", { id: model.others[2]?.id, type: "region" }, [floats([1, 0])]);
      expect(heard).toEqual(["second 1,0"]);
      client.scores(region, () => heard.push("third"));
      client.scores(null);
      wait(3);
      expect(model.others.length).toBe(4);
    });

    it("waits for the newer of two questions when the kernel has left the older one", () => {
      client.want(query(3));
      vi.advanceTimersByTime(PATIENCE + 1);
      client.want(query(4));
      model.trigger("msg:custom", { id: model.requests[0]?.id, type: "later" }, []);
      expect(model.requests.flatMap((one) => one.tokens)).toEqual([3, 4]);
      model.answer(model.requests[1], CELL);
      expect(log).toEqual(["busy 3", "busy 4", "map 4"]);
    });

    it("does not mistake one kind of answer for another", () => {
      client.want(query(3));
      client.scores(region, () => log.push("scores"));
      client.scale(() => log.push("scale"));
      expect(model.requests.length).toBe(1);
      expect(model.others.map((one) => one.type)).toEqual(["region", "scale"]);
      model.trigger("msg:custom", { id: model.others[1]?.id, type: "scale", peak: 0.5 }, []);
      expect(log).toEqual(["scale"]);
    });

    it("answers at once from embedded maps, cells by how much of them the region holds", () => {
      model.state.maps = embedded();
      const answers: (Float32Array | null)[] = [];
      const ask = (box: Region["box"]) => client.scores({ ...region, box }, (scores) => answers.push(scores));
      ask([0, 0, 0.5, 0.5]); // cell 0: tokens 0 and 4
      ask([0.25, 0, 1, 0.5]); // half of cell 0, all of cell 1
      ask([0.5, 0.5, 0.5, 0.5]); // the point in cell 3
      ask([1, 1, 1, 1]); // beside the grid
      expect(model.others).toEqual([]);
      expect([...(answers[0] ?? [])]).toEqual([0.25, 0, 0, 0, 0.25, 0, 0, 0]);
      expect(answers[1]?.[0]).toBeCloseTo(0.25 / 3);
      expect(answers[1]?.[1]).toBeCloseTo((0.25 * 2) / 3);
      expect([...(answers[2] ?? [])]).toEqual([0, 0, 0, 0.25, 0, 0, 0, 0]);
      expect(answers[3]).toBeNull();
    });

    it("asks for the answer's scale once for each method", () => {
      const peaks: (number | null)[] = [];
      client.scale((peak) => peaks.push(peak));
      model.trigger("msg:custom", { id: model.others[0]?.id, type: "scale", peak: 0.7 }, []);
      client.scale((peak) => peaks.push(peak));
      expect(model.others.length).toBe(1);
      model.state.kernel_size = 1;
      client.scale((peak) => peaks.push(peak));
      expect(model.others.length).toBe(2);
      model.fail(model.others[1], "ValueError", "no");
      expect(peaks).toEqual([0.7, 0.7, null]);
    });

    it("knows the answer's scale from embedded maps", () => {
      const maps = embedded();
      maps.peaks = [0.9, 0, 0, 0.1, 0.2, 0.3, 0, 0]; // the first three are the prompt's
      model.state.maps = maps;
      client.scale((peak) => log.push(`scale ${peak}`));
      expect(log).toEqual(["scale 0.3"]);
    });

    it("says that nobody answers where no kernel is", () => {
      live = false;
      client.scores(region, (scores) => log.push(`scores ${scores}`));
      client.scale((peak) => log.push(`scale ${peak}`));
      expect(log).toEqual(["scores null", "scale null"]);
    });
  });
});
