import type { SceneEvents } from "./types";

/** Who listens to a scene. */
export class Events {
  readonly #listeners = new Map<keyof SceneEvents, Set<(value: never) => void>>();

  /** Call `listener` for every such event; returns a function that ends it. */
  on<K extends keyof SceneEvents>(event: K, listener: (value: SceneEvents[K]) => void): () => void {
    const known = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, known.add(listener));
    return () => known.delete(listener);
  }

  emit<K extends keyof SceneEvents>(event: K, value: SceneEvents[K]): void {
    for (const listener of this.#listeners.get(event) ?? []) (listener as (value: SceneEvents[K]) => void)(value);
  }

  clear(): void {
    for (const listeners of this.#listeners.values()) listeners.clear();
  }
}
