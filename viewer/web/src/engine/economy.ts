/** On a slow machine fewer pixels are drawn while the camera moves, all of them when it rests. */
const SLOW = 45; // ms a moving frame may take
const REST = 220; // ms without a movement after which all pixels come back
const FEWER = 0.6;

export class Economy {
  /** Share of the full resolution. */
  share = 1;
  #lastFrame = 0;
  #slowFrames = 0;
  #rest: ReturnType<typeof setTimeout> | undefined;
  readonly #changed: () => void;

  /** `changed` runs when the share is another one. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** A frame in which the camera moved was drawn at `now`. */
  moved(now: number): void {
    const took = now - this.#lastFrame;
    this.#lastFrame = now;
    if (took < 400) this.#slowFrames = took > SLOW ? this.#slowFrames + 1 : Math.max(0, this.#slowFrames - 1);
    clearTimeout(this.#rest);
    if (this.#slowFrames > 4 && this.share === 1) this.#set(FEWER);
    if (this.share !== 1) this.#rest = setTimeout(() => this.#set(1), REST);
  }

  #set(share: number): void {
    this.share = share;
    this.#slowFrames = 0;
    this.#changed();
  }

  dispose(): void {
    clearTimeout(this.#rest);
  }
}
