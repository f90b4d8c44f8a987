/** Both sides of the protocol are held to one file of requests and answers; the kernel's side is in tests/unit. */
import { describe, expect, it } from "vitest";
import fixture from "../../../tests/data/protocol.json";
import { MapClient } from "../../src/kernel/client.ts";
import type { EmbeddedMaps, MapRequest, Reply, Request } from "../../src/kernel/protocol.ts";
import type { TokenMap } from "../../src/kernel/tokenmap.ts";
import { conversation, FakeModel, METHOD, picture, state } from "../support/fakes.ts";

interface Case {
  what: string;
  request: Request;
  reply: Reply;
  buffers: string[];
}

const CASES = fixture.cases as unknown as Case[];
const EMBEDDED: EmbeddedMaps = {
  ...fixture.embedded,
  cells: decode(fixture.embedded.cells),
  relevances: decode(fixture.embedded.relevances),
};

function decode(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** The page of that explanation, and what its client hears. */
function open(maps: EmbeddedMaps | null) {
  const tokens = conversation([["Go"], ["A", " st", "ar"]]);
  const pictures = [picture({ grid: [2, 3] }), picture({ grid: [1, 4], image: 1 })];
  const model = new FakeModel(state({ tokens, pictures, maps }));
  const heard: unknown[] = [];
  const listener = {
    map: (_: unknown, map: TokenMap) => heard.push(map),
    trouble: (_: unknown, trouble: unknown) => heard.push(trouble),
  };
  const life = new AbortController().signal;
  const client = new MapClient(model.asModel(), fixture.cells, () => true, listener, life);
  return { model, client, heard };
}

/** Ask as the widget does; what comes is heard. */
function ask({ model, client, heard }: ReturnType<typeof open>, request: Request): void {
  Object.assign(model.state, request.method);
  if (request.type === "map") client.want(request);
  else if (request.type === "region") client.scores(request, (scores) => heard.push(scores));
  else client.scale((peak) => heard.push(peak));
}

function close(got: ArrayLike<number>, wanted: ArrayLike<number>, most: number): void {
  expect(got.length).toBe(wanted.length);
  for (let i = 0; i < got.length; i++) {
    const [one, other] = [got[i] as number, wanted[i] as number];
    if (Number.isNaN(other)) expect(one).toBeNaN();
    else expect(Math.abs(one - other)).toBeLessThanOrEqual(most);
  }
}

/** What the kernel answered, as the browser reads it. */
function read({ request, reply, buffers }: Case): unknown {
  const page = open(null);
  ask(page, request);
  const sent = [...page.model.requests, ...page.model.others];
  page.model.trigger("msg:custom", { ...reply, id: sent[0]?.id }, buffers.map(decode));
  return page.heard[0];
}

describe("the browser", () => {
  it.each(CASES)("asks as the kernel expects: $what", ({ request }) => {
    const page = open(null);
    ask(page, request);
    const [sent] = [...page.model.requests, ...page.model.others];
    expect({ ...sent, id: request.id }).toEqual(request);
  });

  it.each(CASES)("reads what the kernel answers: $what", (one) => {
    const { request, reply } = one;
    const heard = read(one);
    if ("error" in reply) {
      expect(heard).toEqual({ kind: "error", ...reply.error });
    } else if (reply.type === "map") {
      const { tokens, candidate } = request as MapRequest;
      const map = heard as TokenMap;
      expect(map).toMatchObject({ tokens, candidate, peak: reply.peak, relevancePeak: reply.relevance_peak });
      expect(map.cells.length).toBe(fixture.cells);
      expect(map.relevance.length).toBe(Math.max(...tokens));
    } else if (reply.type === "region") {
      expect((heard as Float32Array).length).toBe(fixture.tokens);
    } else if (reply.type === "scale") {
      expect(heard).toBe(reply.peak);
    } else {
      throw new Error("nothing here takes the kernel longer");
    }
  });

  it.each(
    CASES.filter(({ request, reply }) => {
      // The explanation makes up its responses to regions.
      const isSaid = request.type === "map" ? request.candidate === null : request.type === "scale";
      return isSaid && !("error" in reply) && JSON.stringify(request.method) === JSON.stringify(METHOD);
    }),
  )("makes the same of embedded maps: $what", (one) => {
    const { request } = one;
    const asked = read(one);
    const page = open(EMBEDDED);
    if (request.type === "map") {
      const [map, other] = [page.client.peek(request), asked as TokenMap];
      expect(map?.peak).toBeCloseTo(other.peak, 7);
      expect(map?.relevancePeak).toBeCloseTo(other.relevancePeak, 7);
      close(map?.cells ?? [], other.cells, 1);
      close(map?.relevance ?? [], other.relevance, 1);
    } else {
      ask(page, request);
      expect(page.heard[0]).toBeCloseTo(asked as number, 7);
    }
    expect([...page.model.requests, ...page.model.others]).toEqual([]);
  });
});
