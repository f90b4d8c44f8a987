import { expect, it } from "vitest";
import { seconds } from "../../src/page/numbers.ts";

it("gives times as many digits as they need", () => {
  expect([0, 0.5, 1, 0.04, 1 / 3, 12.25].map(seconds)).toEqual([
    "0.0 s",
    "0.5 s",
    "1.0 s",
    "0.04 s",
    "0.33 s",
    "12.25 s",
  ]);
});
