/** What a map is asked of: tokens read as one, or a candidate in one's place, and the parts of the method. */
import type { Method, Model } from "./protocol.ts";

export interface Query {
  /** In order, at least one. */
  readonly tokens: readonly number[];
  readonly combine: "mean" | "max";
  /** Place in the token's list of candidates; null for what was said. */
  readonly candidate: number | null;
  readonly method: Method;
}

/** The same for two queries exactly where their maps are the same. */
export function keyOf({ tokens, combine, candidate, method }: Query): string {
  const how = tokens.length > 1 ? combine : "";
  return `${tokens.join(" ")}|${how}|${candidate ?? ""}|${methodKey(method)}`;
}

export function methodKey({ causal_inference, kernel_size, part }: Method): string {
  return `${causal_inference} ${kernel_size} ${part}`;
}

/** The method as the model's settings have it. */
export function methodOf(model: Model): Method {
  return {
    causal_inference: model.get("causal_inference"),
    kernel_size: model.get("kernel_size"),
    part: model.get("part"),
  };
}

/** Whether these are the published parameters, of which maps are embedded. */
export function isPublished({ causal_inference, kernel_size }: Method): boolean {
  return causal_inference && kernel_size === 3;
}

/** Whether two lists hold the same, in the same order. */
export function same<T>(one: readonly T[], other: readonly T[]): boolean {
  return one === other || (one.length === other.length && one.every((value, i) => value === other[i]));
}
