import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GRACE, MapClient, PATIENCE } from "../src/client.ts";
import { CELLS, embedded, FakeModel, state } from "./fakes.ts";

const CELL = [254, 0, 0, 0];

describe("MapClient", () => {
  let model: FakeModel;
  let live: boolean;
  let life: AbortController;
  let log: string[];
  let client: MapClient;

  function start(): void {
    client = new MapClient(
      model.asModel(),
      CELLS,
      () => live,
      {
        map: (map) => log.push(`map ${map.token}`),
        trouble: (token, trouble) => log.push(`${trouble.kind} ${token}`),
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
    expect(client.peek(3)).toBeUndefined();
    client.want(3);
    expect(model.requests).toMatchObject([{ type: "map", token: 3 }]);
    model.answer(model.requests[0], CELL, 0.4);
    expect(log).toEqual(["map 3"]);
    expect(client.peek(3)).toMatchObject({ token: 3, peak: 0.4 });
    expect([...(client.peek(3)?.cells ?? [])]).toEqual(CELL);
  });

  it("takes embedded maps before it asks", () => {
    model.state.maps = embedded();
    expect([...(client.peek(2)?.cells ?? [])]).toEqual([0, 0, 254, 0]);
  });

  it("keeps one request under way and asks next only for the token wanted last", () => {
    for (const token of [3, 4, 5, 6]) client.want(token);
    expect(model.requests.map((one) => one.token)).toEqual([3]);
    model.answer(model.requests[0], CELL);
    expect(model.requests.map((one) => one.token)).toEqual([3, 6]);
    model.answer(model.requests[1], CELL);
    expect(log).toEqual(["map 6"]);
  });

  it("keeps an answer that came too late, and does not show it", () => {
    client.want(3);
    client.want(null);
    model.answer(model.requests[0], CELL);
    expect(log).toEqual([]);
    expect(client.peek(3)).toBeDefined();
  });

  it("calls a silent kernel busy, and shows the answer all the same", () => {
    client.want(3);
    vi.advanceTimersByTime(PATIENCE + 1);
    expect(log).toEqual(["busy 3"]);
    model.answer(model.requests[0], CELL);
    expect(log).toEqual(["busy 3", "map 3"]);
  });

  it("asks a busy kernel for the latest token too", () => {
    client.want(3);
    vi.advanceTimersByTime(PATIENCE + 1);
    client.want(4);
    expect(model.requests.map((one) => one.token)).toEqual([3, 4]);
    expect(log.at(-1)).toBe("busy 4");
    model.answer(model.requests[0], CELL);
    model.answer(model.requests[1], CELL);
    expect(log.at(-1)).toBe("map 4");
  });

  it("does not pile up questions to a busy kernel", () => {
    client.want(3);
    vi.advanceTimersByTime(PATIENCE + 1);
    for (const token of [4, 5, 6]) client.want(token);
    expect(model.requests.map((one) => one.token)).toEqual([3, 4]);
    expect(log.at(-1)).toBe("busy 6");
    vi.advanceTimersByTime(PATIENCE + 1);
    expect(model.requests.map((one) => one.token)).toEqual([3, 4, 6]);
  });

  it("hurries the answer along when the kernel has begun, and only then", () => {
    client.want(3);
    expect(model.pings).toEqual([]);
    model.report[0]?.("busy");
    expect(model.pings).toEqual([{ type: "ping" }]);
    model.answer(model.requests[0], CELL);
    model.report[0]?.("busy");
    expect(model.pings.length).toBe(1);
  });

  it("tells of an error, and asks again the next time", () => {
    client.want(3);
    model.fail(model.requests[0], "ValueError", "no map");
    expect(log).toEqual(["error 3"]);
    client.want(3);
    expect(model.requests.length).toBe(2);
  });

  it("ignores what other views asked for, and what is no answer", () => {
    client.want(3);
    model.answer({ id: "another", type: "map", token: 3 }, CELL);
    model.trigger("msg:custom", { id: null, error: { type: "ValueError", message: "?" } }, []);
    expect(log).toEqual([]);
  });

  it("knows that a kernel which finished without an answer has forgotten the widget", () => {
    client.want(3);
    model.report[0]?.("idle");
    expect(log).toEqual([]);
    vi.advanceTimersByTime(GRACE);
    expect(log.at(-1)).toBe("lost 3");
  });

  it("does not mistake an answered request for a forgotten one", () => {
    client.want(3);
    model.answer(model.requests[0], CELL);
    model.report[0]?.("idle");
    vi.advanceTimersByTime(GRACE + PATIENCE);
    expect(log).toEqual(["map 3"]);
  });

  it("asks nothing of a kernel that is gone", () => {
    live = false;
    client.want(3);
    expect(model.requests).toEqual([]);
    expect(log).toEqual(["lost 3"]);
  });

  it("hears when the kernel goes while an answer is awaited", () => {
    client.want(3);
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
    client.want(3);
    expect(log).toEqual(["lost 3"]);
  });

  it("falls silent when its view ends", () => {
    client.want(3);
    life.abort();
    expect(model.listening).toBe(0);
    vi.advanceTimersByTime(PATIENCE * 2);
    expect(log).toEqual([]);
  });
});
