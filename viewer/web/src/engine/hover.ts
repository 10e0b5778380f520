/** What is under the mouse: asked at most every 60 ms, one question at a time, without waiting for the GPU. */
import type { GlobalId, Hit } from "./types";

const PAUSE = 60; // ms

export class Hover {
  readonly #pick: (x: number, y: number) => Promise<Hit | null>;
  readonly #changed: (hit: Hit | null, x: number, y: number) => void;
  #x = -1;
  #y = -1;
  #busy = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  /** The element under the mouse. */
  id: GlobalId | null = null;

  constructor(pick: (x: number, y: number) => Promise<Hit | null>, changed: (hit: Hit | null, x: number, y: number) => void) {
    this.#pick = pick;
    this.#changed = changed;
  }

  move(x: number, y: number): void {
    this.#x = x;
    this.#y = y;
    if (this.#busy) return;
    this.#busy = true;
    this.#timer = setTimeout(() => void this.#ask(), PAUSE);
  }

  leave(): void {
    this.#x = -1;
    this.#set(null, -1, -1);
  }

  async #ask(): Promise<void> {
    const [x, y] = [this.#x, this.#y];
    try {
      const hit = x < 0 ? null : await this.#pick(x, y);
      if (!this.#closed && this.#x >= 0) this.#set(hit, x, y);
    } catch {
      // The graphics context was lost meanwhile; the next move asks again.
    }
    this.#busy = false;
    if (!this.#closed && this.#x >= 0 && (this.#x !== x || this.#y !== y)) this.move(this.#x, this.#y);
  }

  #set(hit: Hit | null, x: number, y: number): void {
    const id = hit?.globalId ?? null;
    if (id === this.id) return;
    this.id = id;
    this.#changed(hit, x, y);
  }

  dispose(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
