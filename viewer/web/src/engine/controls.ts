/**
 * Mouse, touch and keys to camera moves.
 *
 * Left drag or one finger orbits what was under it; right, middle or Shift drag and two fingers pan; wheel and pinch
 * zoom to the cursor. Arrows orbit (with Shift: pan), + and - zoom.
 */
import { basis, dot, orbit, pan, slopeOf, sub, zoom, type Pose, type V3 } from "./rig";

export interface ControlHost {
  readonly canvas: HTMLCanvasElement;
  getPose(): Pose;
  /** The user moves: stop what the camera does by itself. */
  setPose(pose: Pose): void;
  /** What is under a screen position, or what lies near it at the depth of interest. Scene coordinates. */
  pointUnder(x: number, y: number): V3;
  size(): { width: number; height: number };
  onClick(kind: "pick" | "open" | "menu", x: number, y: number, additive: boolean): void;
  /** The mouse rests or moves over the picture without a button. */
  onHover(x: number, y: number): void;
  onLeave(): void;
  /** Whether orbiting is off: a plan is only panned and zoomed. */
  flat(): boolean;
  /** Whether the camera is somebody's eyes: it turns in its place. */
  walking(): boolean;
}

const STILL = 5; // px a click may wander
const LONG_PRESS = 550; // ms

interface Finger {
  x: number;
  y: number;
}

export class Controls {
  readonly #host: ControlHost;
  readonly #abort = new AbortController();
  readonly #fingers = new Map<number, Finger>();
  #mode: "none" | "orbit" | "pan" = "none";
  #pivot: V3 = [0, 0, 0];
  #down = { x: 0, y: 0, at: 0, moved: false, button: 0, additive: false };
  #lastTap = { x: 0, y: 0, at: -1e9 };
  #press: ReturnType<typeof setTimeout> | undefined;
  #wheel = { point: null as V3 | null, x: 0, y: 0, at: 0 };

  constructor(host: ControlHost) {
    this.#host = host;
    const canvas = host.canvas;
    canvas.style.touchAction = "none";
    canvas.tabIndex = canvas.tabIndex < 0 ? 0 : canvas.tabIndex;
    const options = { signal: this.#abort.signal };
    canvas.addEventListener("pointerdown", (e) => this.#onDown(e), options);
    canvas.addEventListener("pointermove", (e) => this.#onMove(e), options);
    canvas.addEventListener("pointerup", (e) => this.#onUp(e), options);
    canvas.addEventListener("pointercancel", (e) => this.#onCancel(e), options);
    canvas.addEventListener("pointerleave", () => this.#host.onLeave(), options);
    canvas.addEventListener("wheel", (e) => this.#onWheel(e), { ...options, passive: false });
    canvas.addEventListener("contextmenu", (e) => e.preventDefault(), options);
    canvas.addEventListener("keydown", (e) => this.#onKey(e), options);
  }

  dispose(): void {
    this.#abort.abort();
    clearTimeout(this.#press);
  }

  #at(event: MouseEvent): Finger {
    const box = this.#host.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #onDown(event: PointerEvent): void {
    const at = this.#at(event);
    this.#host.canvas.focus({ preventScroll: true });
    this.#host.canvas.setPointerCapture(event.pointerId);
    this.#fingers.set(event.pointerId, at);
    clearTimeout(this.#press);
    if (this.#fingers.size === 1) {
      this.#down = { ...at, at: performance.now(), moved: false, button: event.button, additive: event.ctrlKey || event.metaKey || event.shiftKey };
      this.#mode = event.button !== 0 || event.shiftKey || this.#host.flat() ? "pan" : "orbit";
      if (event.pointerType === "touch")
        this.#press = setTimeout(() => {
          if (!this.#down.moved && this.#fingers.size === 1) {
            this.#down.moved = true;
            this.#host.onClick("menu", at.x, at.y, false);
          }
        }, LONG_PRESS);
    } else {
      this.#down.moved = true;
      const c = this.#center();
      this.#pivot = this.#host.pointUnder(c.x, c.y);
    }
  }

  #center(): Finger {
    let [x, y] = [0, 0];
    for (const f of this.#fingers.values()) [x, y] = [x + f.x, y + f.y];
    return { x: x / this.#fingers.size, y: y / this.#fingers.size };
  }

  #spread(): number {
    const [a, b] = [...this.#fingers.values()];
    return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
  }

  #onMove(event: PointerEvent): void {
    const at = this.#at(event);
    const before = this.#fingers.get(event.pointerId);
    if (!before) {
      this.#host.onHover(at.x, at.y);
      return;
    }
    if (this.#fingers.size >= 2) {
      const [c0, s0] = [this.#center(), this.#spread()];
      this.#fingers.set(event.pointerId, at);
      const [c1, s1] = [this.#center(), this.#spread()];
      this.#pan(c1.x - c0.x, c1.y - c0.y);
      if (s0 > 1 && s1 > 1) this.#host.setPose(zoom(this.#host.getPose(), this.#pivot, s0 / s1));
      return;
    }
    if (!this.#down.moved) {
      if (Math.hypot(at.x - this.#down.x, at.y - this.#down.y) < STILL) return;
      this.#down.moved = true;
      clearTimeout(this.#press);
      this.#pivot = this.#host.walking() ? this.#host.getPose().eye : this.#host.pointUnder(this.#down.x, this.#down.y);
    }
    this.#fingers.set(event.pointerId, at);
    if (this.#mode === "pan" && !this.#host.walking()) this.#pan(at.x - before.x, at.y - before.y);
    else {
      // Round a thing one drags the thing; looking around one drags the view, which turns the other way.
      const turn = ((this.#host.walking() ? -0.7 : 1) * Math.PI) / Math.max(300, Math.min(this.#host.size().width, this.#host.size().height));
      this.#host.setPose(orbit(this.#host.getPose(), this.#pivot, -(at.x - before.x) * turn, -(at.y - before.y) * turn));
    }
  }

  /** Drag so that the pivot stays under the finger. */
  #pan(dx: number, dy: number): void {
    const pose = this.#host.getPose();
    const depth = pose.ortho ? pose.distance : Math.max(0.5, dot(sub(this.#pivot, pose.eye), basis(pose.yaw, pose.pitch).forward));
    const perPixel = (2 * slopeOf(pose) * depth) / this.#host.size().height;
    this.#host.setPose(pan(pose, -dx * perPixel, dy * perPixel));
  }

  #onUp(event: PointerEvent): void {
    clearTimeout(this.#press);
    const had = this.#fingers.delete(event.pointerId);
    if (!had || this.#fingers.size > 0) {
      this.#down.moved = true; // the finger that stays goes on as a drag, from where it is
      return;
    }
    if (this.#down.moved) return;
    const { x, y, button, additive } = this.#down;
    if (button === 2) return this.#host.onClick("menu", x, y, additive);
    if (button !== 0) return;
    const now = performance.now();
    const double = now - this.#lastTap.at < 350 && Math.hypot(x - this.#lastTap.x, y - this.#lastTap.y) < 12;
    this.#lastTap = { x, y, at: double ? -1e9 : now };
    this.#host.onClick(double ? "open" : "pick", x, y, additive);
  }

  #onCancel(event: PointerEvent): void {
    clearTimeout(this.#press);
    this.#fingers.delete(event.pointerId);
    this.#down.moved = true;
  }

  #onWheel(event: WheelEvent): void {
    event.preventDefault();
    const at = this.#at(event);
    const now = performance.now();
    const wheel = this.#wheel;
    // One look at what is under the cursor serves a whole turn of the wheel.
    if (!wheel.point || now - wheel.at > 250 || Math.hypot(at.x - wheel.x, at.y - wheel.y) > 6)
      this.#wheel = { ...at, at: now, point: this.#host.pointUnder(at.x, at.y) };
    this.#wheel.at = now;
    const lines = event.deltaMode === 1 ? 33 : event.deltaMode === 2 ? 400 : 1;
    const delta = Math.max(-240, Math.min(240, event.deltaY * lines));
    const factor = Math.exp(delta * (event.ctrlKey ? 0.008 : 0.0016));
    this.#host.setPose(zoom(this.#host.getPose(), this.#wheel.point as V3, factor));
  }

  #onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const pose = this.#host.getPose();
    const { width, height } = this.#host.size();
    const pivot = this.#host.pointUnder(width / 2, height / 2);
    const arrows: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
    };
    const arrow = arrows[event.key];
    if (arrow) {
      this.#pivot = pivot;
      if (event.shiftKey || this.#host.flat()) this.#pan(-arrow[0] * 60, arrow[1] * 60);
      else this.#host.setPose(orbit(pose, pivot, arrow[0] * 0.12, arrow[1] * -0.09));
    } else if (event.key === "+" || event.key === "=") this.#host.setPose(zoom(pose, pivot, 0.8));
    else if (event.key === "-" || event.key === "_") this.#host.setPose(zoom(pose, pivot, 1.25));
    else return;
    event.preventDefault();
  }
}
