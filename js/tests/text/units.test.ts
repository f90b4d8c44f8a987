import { describe, expect, it } from "vitest";
import { Vocabulary } from "../../src/text/focus.ts";
import { Selection } from "../../src/text/selection.ts";
import { placeOf } from "../../src/text/text.ts";
import { Units } from "../../src/text/units.ts";
import { conversation, state } from "../support/fakes.ts";

/** "Describe it. A red triangle." with "triangle" in two tokens, 5 and 6. */
function units(unit: "word" | "token" = "word"): Units {
  const { tokens, words } = state();
  const made = new Units(tokens, words);
  made.unit = unit;
  return made;
}

describe("a place in the conversation", () => {
  it("is a token, a run of them, or each one by name where they do not stand together", () => {
    const { tokens } = state();
    expect(placeOf([5], tokens)).toBe("answer token 5");
    expect(placeOf([4, 5, 6], tokens)).toBe("answer tokens 4–6");
    expect(placeOf([4, 6], tokens)).toBe("answer tokens 4, 6");
  });
});

describe("units", () => {
  it("are words or tokens", () => {
    expect(units().of(6)).toEqual([5, 6]);
    expect(units("token").of(6)).toEqual([6]);
    expect(units("token").word(6)).toEqual([5, 6]);
  });

  it("make spans of whole units, in whichever direction", () => {
    expect(units().between(6, 4)).toEqual([4, 5, 6]);
    expect(units().between(4, 5)).toEqual([4, 5, 6]);
    expect(units("token").between(4, 5)).toEqual([4, 5]);
    expect(units().between(3, 3)).toEqual([3]);
  });

  it("follow each other, and end where the text ends", () => {
    expect(units().step(4, 1)).toBe(5);
    expect(units().step(5, 1)).toBe(7);
    expect(units().step(7, -1)).toBe(5);
    expect(units().step(6, -1)).toBe(4);
    expect(units("token").step(5, 1)).toBe(6);
    expect(units().step(7, 1)).toBe(7);
    expect(units().step(0, -1)).toBe(0);
  });

  it("know what lies in one word, and what the last answer is", () => {
    expect(units().areOneWord([5, 6])).toBe(true);
    expect(units().areOneWord([4, 5])).toBe(false);
    expect(units().areOneWord([])).toBe(false);
    expect(units().lastAnswer).toEqual([3, 4, 5, 6, 7]);
    const turns = conversation([["Go"], ["A"]], [["And"], ["B", "C"]]);
    expect(new Units(turns, []).lastAnswer).toEqual([3, 4]);
    expect(new Units(turns.slice(0, 3), []).lastAnswer).toEqual([]);
  });
});

describe("the name of a word", () => {
  const texts = ["Red", " or", " blue", "?", " red", " tri", "angle", "\n", " RED"];
  const tokens = conversation([[], texts]);
  const words = new Vocabulary(
    new Units(tokens, [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
      [5, 7],
      [8, 9],
    ]),
  );

  it("is its text, without case, and which of its occurrences", () => {
    expect(words.name([0])).toEqual(["red", 0]);
    expect(words.name([4])).toEqual(["red", 1]);
    expect(words.name([8])).toEqual(["red", 2]);
    expect(words.name([6])).toEqual(["triangle", 0]);
    expect(words.name([5, 6])).toEqual(["triangle", 0]);
  });

  it("is nothing for nothing, for several words and for what has no text", () => {
    expect(words.name([])).toEqual([]);
    expect(words.name([4, 5, 6])).toEqual([]);
    expect(words.name([7])).toEqual([]);
  });

  it("finds the same occurrence, else the last, else nothing", () => {
    expect(words.find(["red", 1])).toEqual([4]);
    expect(words.find(["red", 9])).toEqual([8]);
    expect(words.find(["triangle", 0])).toEqual([5, 6]);
    expect(words.find(["green", 0])).toEqual([]);
    expect(words.find([])).toEqual([]);
    expect(words.find(["constructor", 0])).toEqual([]);
  });
});

describe("a selection", () => {
  it("shows the pointer before the keyboard, both before others, and the pin last", () => {
    const selection = new Selection();
    expect(selection.active).toEqual([]);
    selection.pinned = [1];
    selection.given = [2];
    selection.focused = [3];
    selection.hovered = [4];
    const shown: unknown[] = [];
    for (const name of ["hovered", "focused", "given", "pinned"] as const) {
      shown.push(selection.active);
      selection[name] = [];
    }
    expect(shown).toEqual([[4], [3], [2], [1]]);
  });

  it("follows others in place of the pointer, and lets go of one thing at a time", () => {
    const selection = new Selection();
    selection.hovered = [4];
    selection.toggle([1, 2]);
    selection.follow([3]);
    expect(selection.active).toEqual([3]);
    selection.follow([1, 2]);
    expect(selection.given).toEqual([]);
    selection.focused = [4];
    expect([selection.release(), selection.pinned, selection.active]).toEqual([true, [], [4]]);
    expect([selection.release(), selection.active]).toEqual([true, []]);
    expect(selection.release()).toBe(false);
    selection.toggle([1, 2]);
    selection.toggle([1, 2]);
    expect(selection.pinned).toEqual([]);
  });
});
