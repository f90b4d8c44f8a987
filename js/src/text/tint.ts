/** How strongly each token is tinted, from 0 to 1. */
import type { Token } from "../kernel/protocol.ts";
import type { TokenMap } from "../kernel/tokenmap.ts";

/** Less probable than this, a token is marked by more than its colour. */
export const DOUBTFUL = 0.5;

/** How probable the model held what it said; undefined for what was given. */
export function probabilityOf(token: Token): number | undefined {
  return token.candidates.find((candidate) => candidate.chosen)?.probability;
}

/** By how much earlier tokens have to do with the one looked at. The square root keeps a weak one visible beside a strong one. */
export function byRelevance({ relevance, relevancePeak }: TokenMap): (token: number) => number {
  return (token) => Math.sqrt(((relevance[token] ?? 0) / 255) * relevancePeak);
}

/** By how improbable the model held them: what it was sure of stays bare, the doubtful stand out. */
export function byProbability(tokens: Token[]): (token: number) => number {
  return (token) => {
    const doubt = 1 - (probabilityOf(tokens[token] as Token) ?? 1);
    return doubt < DOUBTFUL ? 0.8 * doubt : 0.4 + 1.2 * (doubt - DOUBTFUL);
  };
}
