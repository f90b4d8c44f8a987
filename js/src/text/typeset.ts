/** How the tokens stand on the page: which belong together, where a line may break. Pure: no DOM. */
import type { Token } from "../kernel/protocol.ts";

export interface Glyphs {
  token: number;
  lead: string;
  /** What the token shows where words are picked; of a word of several it may be nothing. */
  core: string;
  /** What it shows where tokens are. */
  own: string;
  trail: string;
}

export type Word = Glyphs[];

/** Words without space between them; the line does not break inside, unless the run is too long for one. */
export interface Run {
  words: Word[];
  loose: boolean;
}

export interface Block {
  role: Token["role"];
  turn: number;
  runs: Run[];
}

const LONGEST_RUN = 28;
const BREAKS_ANYWHERE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Extended_Pictographic}、。，！？；：]/u;
const CLOSES = /^[\p{Pe}\p{Pf}!,.:;?…、。，！？；：]/u;
const OPENS = /[\p{Ps}\p{Pi}]$/u;

export function typeset(tokens: Token[], words: [number, number][]): Block[] {
  const blocks: Block[] = [];
  let block: Block | undefined;
  let run: Run | undefined;
  let before = "";
  for (const [first, end] of everyWord(tokens, words)) {
    const token = tokens[first] as Token;
    if (block?.role !== token.role || block.turn !== token.turn) {
      block = { role: token.role, turn: token.turn, runs: [] };
      blocks.push(block);
      run = undefined;
    }
    const text = tokens
      .slice(first, end)
      .map((one) => one.lead + one.whole)
      .join("");
    const word: Word = [];
    for (let i = first; i < end; i++) word.push(glyphs(i, tokens[i] as Token, text.trim() === ""));
    if (!run || mayBreak(before, text)) {
      run = { words: [], loose: false };
      block.runs.push(run);
    }
    run.words.push(word);
    run.loose = run.words.flat().reduce((sum, one) => sum + one.core.length, 0) > LONGEST_RUN;
    before = text;
  }
  return blocks;
}

/**
 * The words, and each token that is in no word as a word of its own. A word spans neither a change of speaker nor
 * characters that are in no token.
 */
export function* everyWord(tokens: Token[], words: [number, number][]): Generator<[number, number]> {
  let at = 0;
  for (const [first, end] of words) {
    while (at < first) yield [at, ++at];
    let start = at;
    for (; at < end; at++) {
      const here = tokens[at] as Token;
      const there = tokens[start] as Token;
      if (at > start && (here.lead || here.role !== there.role || here.turn !== there.turn)) {
        yield [start, at];
        start = at;
      }
    }
    if (start < at) yield [start, at];
  }
  while (at < tokens.length) yield [at, ++at];
}

function glyphs(token: number, { text, whole, lead }: Token, isBlank: boolean): Glyphs {
  const own = text.trim();
  // A word of spaces keeps them, to be hovered; a line break must stand in the paragraph.
  if (isBlank && own === "" && !/[\n\r]/.test(text)) return { token, lead, core: text, own: text, trail: "" };
  if (own === "" && isBlank) return { token, lead, core: "", own, trail: text };
  // Only what is no space moves between the tokens of a word.
  const start = text.length - text.trimStart().length;
  const trail = text.slice(start + own.length);
  return { token, lead: lead + text.slice(0, start), core: whole.trim(), own, trail };
}

function mayBreak(left: string, right: string): boolean {
  if (/\s$/.test(left) || /^\s/.test(right) || left === "" || right === "") return true;
  if (CLOSES.test(right) || OPENS.test(left)) return false;
  return BREAKS_ANYWHERE.test([...left].at(-1) ?? "") || BREAKS_ANYWHERE.test([...right][0] ?? "");
}
