/** Listening and saving, made short; what is heard ends with the view. */
import type { Model, State } from "../kernel/protocol.ts";

export function listen<K extends keyof HTMLElementEventMap>(
  node: HTMLElement,
  name: K,
  heard: (event: HTMLElementEventMap[K]) => void,
  signal: AbortSignal,
): void {
  node.addEventListener(name, heard, { signal });
}

/** Hear of each change of some traits. */
export function follow(
  model: Model,
  names: readonly (keyof State)[],
  heard: () => void,
  signal: AbortSignal,
): void {
  for (const name of names) model.on(`change:${name}`, heard);
  signal.addEventListener("abort", () => {
    for (const name of names) model.off(`change:${name}`, heard);
  });
}

export function save(model: Model, name: keyof State, value: unknown): void {
  model.set(name, value as never);
  model.save_changes();
}
