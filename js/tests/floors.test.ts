/** The front end's rooms stand on floors: a room sees what lies below it, nothing above it and nothing beside it. */
/// <reference types="vite/types/importMeta.d.ts" />
import { expect, it } from "vitest";

/** The lowest first; rooms of one floor do not know each other. */
const FLOORS = [
  ["kernel"],
  ["page", "overlay"],
  ["picture", "text", "settings"],
  ["panel"],
  ["stage.ts"],
  ["view.ts"],
  ["index.ts"],
];

const SOURCES = import.meta.glob<string>(["../src/**/*.ts", "!**/*.d.ts"], {
  query: "?raw",
  import: "default",
  eager: true,
});

/** What a module imports of ours, as paths from `src`; types too. */
function imports(path: string, source: string): string[] {
  const found = source.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+\.ts)"/g);
  return [...found].map(([, to]) => new URL(to as string, `file:///${path}`).pathname.slice(1));
}

function room(path: string): string {
  return path.split("/")[0] as string;
}

function floor(path: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room(path)));
}

/** Each import that leads to a higher floor, or into another room of the same. */
function forbidden(sources: Record<string, string>): string[] {
  return Object.entries(sources).flatMap(([path, source]) =>
    imports(path, source)
      .filter((to) => room(to) !== room(path) && floor(to) >= floor(path))
      .map((to) => `${path} imports ${to}`),
  );
}

const sources = Object.fromEntries(
  Object.entries(SOURCES).map(([path, source]) => [path.replace("../src/", ""), source]),
);

it("gives every module a floor", () => {
  expect(Object.keys(sources).filter((path) => floor(path) < 0)).toEqual([]);
});

it("finds a module behind every import", () => {
  const all = Object.entries(sources).flatMap(([path, source]) => imports(path, source));
  expect(all).toContain("kernel/protocol.ts");
  expect(all.filter((path) => !(path in sources))).toEqual([]);
});

it("lets no room import what lies above or beside it", () => {
  expect(forbidden(sources)).toEqual([]);
});

it("tells of an import that leads up or aside, and of no other", () => {
  const made = {
    "text/text.ts": 'import type { A } from "../picture/place.ts";\nimport { b } from "./units.ts";',
    "kernel/line.ts": 'import {\n  c,\n  d,\n} from "../panel/lookup.ts";',
    "panel/detail.ts": 'import { e } from "../text/text.ts";\nexport { f } from "../view.ts";',
  };
  expect(forbidden(made)).toEqual([
    "text/text.ts imports picture/place.ts",
    "kernel/line.ts imports panel/lookup.ts",
    "panel/detail.ts imports view.ts",
  ]);
});
