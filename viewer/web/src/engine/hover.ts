/** What is under the mouse: asked at most once a frame. */
import type { GlobalId, Hit } from "./types";

export class Hover {
  readonly #pick: (x: number, y: number) => Hit | null;
  readonly #changed: (hit: Hit | null, x: number, y: number) => void;
  #x = -1;
  #y = -1;
  #request = 0;
  /** The element under the mouse. */
  id: GlobalId | null = null;

  constructor(pick: (x: number, y: number) => Hit | null, changed: (hit: Hit | null, x: number, y: number) => void) {
    this.#pick = pick;
    this.#changed = changed;
  }

  move(x: number, y: number): void {
    this.#x = x;
    this.#y = y;
    if (this.#request) return;
    this.#request = requestAnimationFrame(() => {
      this.#request = 0;
      this.#set(this.#pick(this.#x, this.#y), this.#x, this.#y);
    });
  }

  leave(): void {
    this.dispose();
    this.#set(null, -1, -1);
  }

  #set(hit: Hit | null, x: number, y: number): void {
    const id = hit?.globalId ?? null;
    if (id === this.id) return;
    this.id = id;
    this.#changed(hit, x, y);
  }

  dispose(): void {
    cancelAnimationFrame(this.#request);
    this.#request = 0;
  }
}
