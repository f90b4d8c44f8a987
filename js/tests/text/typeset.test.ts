import { describe, expect, it } from "vitest";
import { typeset } from "../../src/text/typeset.ts";
import { plain } from "../support/fakes.ts";

/** "p:" begins a prompt token; the others are the answer's. */
function runs(texts: string[], words?: [number, number][]): string[] {
  const tokens = texts.map((text) =>
    plain(text.replace(/^p:/, ""), { role: text.startsWith("p:") ? "prompt" : "answer" }),
  );
  const every = words ?? texts.map((_, i): [number, number] => [i, i + 1]);
  return typeset(tokens, every).flatMap((block) =>
    block.runs.map((run) => run.words.map((word) => word.map((one) => one.core).join("|")).join("+")),
  );
}

describe("where a line may break", () => {
  it("is at white space, never before punctuation", () => {
    expect(runs(["A", " circle", ",", " red", "."])).toEqual(["A", "circle+,", "red+."]);
  });

  it("is not inside a word of several tokens", () => {
    expect(runs([" tri", "angle"], [[0, 2]])).toEqual(["tri|angle"]);
  });

  it("is not behind an opening bracket", () => {
    expect(runs([" (", "red", ")"])).toEqual(["(+red+)"]);
  });

  it("is between CJK words, but not before their punctuation", () => {
    expect(runs(["红", "圆", "，", "方"])).toEqual(["红", "圆+，", "方"]);
  });

  it("is at a change of speaker", () => {
    expect(runs(["p:Go", "A"])).toEqual(["Go", "A"]);
    expect(runs(["p:Go", "A"], [[0, 2]])).toEqual(["Go", "A"]);
  });
});

it("breaks where characters stand between two tokens, even inside a word", () => {
  const lead = (text: string, before: string) => plain(text, { lead: before, role: "prompt" });
  const [block] = typeset([lead("this", ""), lead("What", "\n"), lead(" is", "")], [[0, 2]]);
  const words = block?.runs.map((run) => run.words.flat());
  expect(words?.map((word) => word.map((one) => one.lead + one.core))).toEqual([
    ["this"],
    ["\nWhat"],
    [" is"],
  ]);
});

it("keeps every token once, in words or not", () => {
  const tokens = ["a", " b", " c", " d"].map((text) => plain(text));
  const got = typeset(tokens, [[1, 3]]).flatMap((block) => block.runs.flatMap((run) => run.words.flat()));
  expect(got.map((one) => one.token)).toEqual([0, 1, 2, 3]);
});

it("puts line breaks behind the token, and keeps spaces in it", () => {
  const tokens = ["\n\n", "  "].map((text) => plain(text));
  const [first, second] = typeset(tokens, []).flatMap((block) =>
    block.runs.flatMap((run) => run.words.flat()),
  );
  expect(first).toMatchObject({ core: "", trail: "\n\n" });
  expect(second).toMatchObject({ core: "  ", trail: "" });
});
