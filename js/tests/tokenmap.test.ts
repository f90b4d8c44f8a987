import { expect, it } from "vitest";
import { bytes, fromReply, fromState } from "../src/tokenmap.ts";
import { buffer, embedded } from "./fakes.ts";

it("reads bytes wherever they lie", () => {
  expect([...bytes(buffer([1, 2, 3]))]).toEqual([1, 2, 3]);
  expect([...bytes(Uint8Array.of(4, 5).buffer)]).toEqual([4, 5]);
});

it("splits a reply in cells and relevances", () => {
  const reply = { id: "x", type: "map", token: 2, candidate: null, peak: 0.5, relevance_peak: 0.1 } as const;
  const map = fromReply(reply, buffer([9, 8, 7, 1, 2]), 3);
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
