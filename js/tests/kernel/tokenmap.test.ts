import { expect, it } from "vitest";
import { PEAK_LEVEL, UNSEEN } from "../../src/kernel/protocol.ts";
import { bytes, difference, fromReply, fromState, merge, type TokenMap } from "../../src/kernel/tokenmap.ts";
import { buffer, embedded, query } from "../support/fakes.ts";

it("reads bytes wherever they lie", () => {
  expect([...bytes(buffer([1, 2, 3]))]).toEqual([1, 2, 3]);
  expect([...bytes(Uint8Array.of(4, 5).buffer)]).toEqual([4, 5]);
});

it("splits a reply in cells and relevances", () => {
  const reply = { id: "x", type: "map", peak: 0.5, relevance_peak: 0.1 } as const;
  const map = fromReply(query(2, { candidate: 1 }), reply, buffer([9, 8, 7, 1, 2]), 3);
  expect(map).toMatchObject({ tokens: [2], candidate: 1, peak: 0.5 });
  expect([...map.cells]).toEqual([9, 8, 7]);
  expect([...map.relevance]).toEqual([1, 2]);
});

it("finds each token's share of the embedded maps", () => {
  const maps = embedded();
  const third = fromState(maps, 3, 4);
  expect([...(third?.cells ?? [])]).toEqual([0, 0, 0, 254]);
  expect([...(third?.relevance ?? [])]).toEqual([3, 4, 5]);
  expect(fromState(maps, 0, 4)?.relevance.length).toBe(0);
  expect(fromState(maps, 99, 4)).toBeUndefined();
});

const NONE = Number.NaN;

/** A map with these values in its cells and relevances; NaN was not seen. */
function mapOf(token: number, values: number[], relevances: number[] = []): TokenMap {
  const peak = Math.max(0, ...values.filter((value) => !Number.isNaN(value)));
  const relevancePeak = Math.max(0, ...relevances);
  const level = (value: number, most: number, top: number) =>
    most > 0 ? Math.round((value / most) * top) : 0;
  return {
    tokens: [token],
    candidate: null,
    peak,
    cells: Uint8Array.from(values, (value) =>
      Number.isNaN(value) ? UNSEEN : level(value, peak, PEAK_LEVEL),
    ),
    relevance: Uint8Array.from(relevances, (value) => level(value, relevancePeak, 255)),
    relevancePeak,
  };
}

function valuesOf({ cells, peak }: TokenMap): number[] {
  return [...cells].map((level) => (level === UNSEEN ? NONE : (level / PEAK_LEVEL) * peak));
}

function expectClose(got: number[], wanted: number[], digits = 2): void {
  expect(got.length).toBe(wanted.length);
  for (const [i, value] of wanted.entries()) {
    if (Number.isNaN(value)) expect(got[i]).toBeNaN();
    else expect(got[i]).toBeCloseTo(value, digits);
  }
}

it("reads several maps as one, in each cell by those that have seen it", () => {
  const one = mapOf(3, [0.8, 0, NONE, NONE], [0.5, 0, 0.1]);
  const other = mapOf(4, [0.2, 0.1, 0.4, NONE], [0.1, 0.2, 0, 0.3]);
  const mean = merge([one, other], "mean");
  expectClose(valuesOf(mean), [0.5, 0.05, 0.4, NONE]);
  expect(mean.peak).toBeCloseTo(0.5, 5);
  expect(mean.tokens).toEqual([3, 4]);
  const most = merge([one, other], "max");
  expectClose(valuesOf(most), [0.8, 0.1, 0.4, NONE]);
  for (const map of [mean, most]) {
    const { relevancePeak } = map;
    expectClose(
      [...map.relevance].map((value) => (value / 255) * relevancePeak),
      [0.5, 0.2, 0.1, 0.3],
    );
  }
});

it("takes one map as it is, and weak ones together without a trace of noise", () => {
  const one = mapOf(3, [0.3, 0.1]);
  expect(merge([one], "mean")).toBe(one);
  const nothing = merge([mapOf(3, [0, NONE]), mapOf(4, [0, NONE])], "mean");
  expect(nothing.peak).toBe(0);
  expect([...nothing.cells]).toEqual([0, UNSEEN]);
});

it("sets one map against another, the same on both sides of nothing", () => {
  const map = difference(mapOf(3, [0.4, 0, 0.2, NONE]), {
    ...mapOf(3, [0, 0.8, 0.2, NONE]),
    candidate: 1,
  });
  expect(map).toMatchObject({ tokens: [3], candidate: 1, diverging: true });
  expect([...map.cells]).toEqual([191, 0, 127, UNSEEN]);
  expect(map.peak).toBeCloseTo(0.8);
  const none = difference(mapOf(3, [0.2, 0]), mapOf(3, [0.2, 0]));
  expect(none.peak).toBe(0);
  expect([...none.cells]).toEqual([127, 127]);
});
