import { whenDone } from "./fence";

/** On a slow machine a picture has fewer pixels and only what tells most while the camera moves or tiles come, and everything once it rests. */
const SLOW = 45; // ms a moving frame may take
const REST = 220; // ms without a movement after which all pixels come back
const FEWER = 0.6;
/** ms of the GPU for a picture, from which on a hurried one does with less… */
const DEAR = 160;
/** …namely with what takes this long. */
const MOVING = 80;
const FEWEST = 20_000; // triangles
const FIRST = 30_000; // triangles, before anything is known of the machine
const MORE = 8; // times as many are tried after what was drawn with ease
const SOME = 1000; // triangles: more than sky and floor
const EVERY = 1000; // ms between two pictures that are timed

export class Economy {
  /** How long the GPU takes for everything, ms; 0 until that is known. */
  whole = 0;
  #ease = FIRST;
  /** The shaders are there. */
  #warm = false;
  #measuring = false;
  #measured = -EVERY;
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

  /** The GPU has not finished a picture yet that is timed. */
  get measuring(): boolean {
    return this.#measuring;
  }

  /** How many triangles a hurried picture may have: in two or three pictures all, where the machine draws them with ease. */
  get budget(): number {
    return this.#ease;
  }

  /** How long the camera must rest before everything is drawn again, ms. */
  get patience(): number {
    return Math.min(5 * REST, Math.max(REST, this.whole / 2));
  }

  /** So many triangles were just sent to the GPU, all that are to be seen or not: see how long it takes; `done` runs when that is known. */
  drawn(gl: WebGL2RenderingContext, triangles: number, whole: boolean, done: () => void): void {
    const start = performance.now();
    if (this.#measuring || (whole && start - this.#measured < EVERY)) return;
    this.#measuring = whenDone(gl, (lost) => {
      this.#measuring = false;
      if (!lost) this.#learn(triangles, performance.now() - start, whole);
      done();
    });
    this.#measured = start;
  }

  #learn(triangles: number, took: number, whole: boolean): void {
    // The first picture waits for shaders too, and any may wait for another program: up slowly, down at once.
    if (whole) this.whole = this.whole === 0 ? took : Math.min(took, this.whole * 1.5);
    const time = whole ? this.whole : took;
    if (time <= DEAR) this.#ease = Math.max(this.#ease, time <= MOVING ? MORE * triangles : triangles);
    else if (this.#warm) this.#ease = Math.max(FEWEST, (triangles * MOVING) / time);
    this.#warm ||= triangles > SOME;
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
