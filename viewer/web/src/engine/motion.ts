/** What goes on by itself: the camera on its way somewhere, and the plane above a storey that slides to its place. */
import { NO_CUT } from "./materials";
import { between, ease, type Pose } from "./rig";

const SLIDE = 420; // ms

interface Flight { readonly from: Pose; readonly to: Pose; readonly start: number; readonly duration: number; readonly done: () => void }

export class Motion {
  #flight: Flight | null = null;
  #slide: { readonly from: number; readonly to: number; readonly start: number } | null = null;

  /** Whether the next picture is another one by itself. */
  get busy(): boolean {
    return this.#flight !== null || this.#slide !== null;
  }

  /** Whether the cut is on its way. */
  get sliding(): boolean {
    return this.#slide !== null;
  }

  /** Where the cut goes; null where it stands still. */
  get cut(): number | null {
    return this.#slide?.to ?? null;
  }

  /** Set out from one pose to another; resolves on arrival, or when the flight ends before. */
  fly(from: Pose, to: Pose, duration: number): Promise<void> {
    return new Promise((done) => (this.#flight = { from, to, start: performance.now(), duration, done }));
  }

  /** End the flight where it is. */
  stop(): void {
    this.#flight?.done();
    this.#flight = null;
  }

  slide(from: number, to: number): void {
    this.#slide = { from, to, start: performance.now() };
  }

  /** Where the camera is now; null when it does not fly. */
  poseAt(now: number): Pose | null {
    if (!this.#flight) return null;
    const { from, to, start, duration } = this.#flight;
    const t = Math.min(1, (now - start) / duration);
    if (t < 1) return between(from, to, ease(t));
    this.stop();
    return to;
  }

  /** How high the cut is now; null when it does not slide. `top`: of the building, where a cut that ends slides to. */
  cutAt(now: number, top: number): number | null {
    if (!this.#slide) return null;
    const { from, to, start } = this.#slide;
    const t = Math.min(1, (now - start) / SLIDE);
    if (t === 1) this.#slide = null;
    return t === 1 ? to : from + ((to === NO_CUT ? top : to) - from) * ease(t);
  }
}
