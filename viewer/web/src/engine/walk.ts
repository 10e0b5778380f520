/** Walking through the building: keys, the camera at eye height, and what is solid around. */
import { BufferAttribute, BufferGeometry, DoubleSide, Ray as ThreeRay, Vector3, type Intersection } from "three";
import { MeshBVH } from "three-mesh-bvh";
import type { Building } from "./building";
import { add, scale, type V3 } from "./rig";
import type { Tile } from "./tile";
import type { GlobalId, Vec3 } from "./types";
import type { Viewport } from "./viewport";
import { EYE, stepFrom, type Contact } from "./walking";

const SPEED = 1.6; // m/s; with Shift
const HURRY = 4;
const REACH = 15; // m around the walker in which things are solid
const TURN = 1.6; // rad/s

const KEYS: Readonly<Record<string, readonly [forward: number, right: number, turn: number]>> = {
  KeyW: [1, 0, 0], ArrowUp: [1, 0, 0], KeyS: [-1, 0, 0], ArrowDown: [-1, 0, 0], KeyA: [0, -1, 0], KeyD: [0, 1, 0],
  KeyQ: [0, 0, 1], ArrowLeft: [0, 0, 1], KeyE: [0, 0, -1], ArrowRight: [0, 0, -1],
};

export class Walk {
  readonly #building: Building;
  readonly #view: Viewport;
  readonly #ended: () => void;
  readonly #pressed = new Set<string>();
  readonly #solid = new Map<Tile, MeshBVH | null>();
  #ignored: ReadonlySet<GlobalId> = new Set();
  #abort: AbortController | null = null;
  #feet: V3 = [0, 0, 0];
  #goal: { to: V3; until: number } | null = null;
  #frame = 0;
  #before = 0;
  #hurry = false;

  /** `ended`: the walker was taken elsewhere by something else than walking. */
  constructor(building: Building, view: Viewport, ended: () => void) {
    this.#building = building;
    this.#view = view;
    this.#ended = ended;
  }

  get active(): boolean {
    return this.#abort !== null;
  }

  /** Stand at a point of the floor (building frame) and look level. `ignored` (doors) is walked through. */
  start(at: Vec3, ignored: Iterable<GlobalId> = []): void {
    this.stop();
    this.#ignored = new Set(ignored);
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const canvas = this.#view.canvas;
    canvas.addEventListener("keydown", (event) => this.#onKey(event, true), { signal, capture: true });
    canvas.addEventListener("keyup", (event) => this.#onKey(event, false), { signal, capture: true });
    canvas.addEventListener("blur", () => this.#pressed.clear(), { signal });
    this.#feet = this.#building.pointInScene(at);
    this.#view.walking = true;
    this.#view.flat = false;
    this.#place(0);
    this.#settle();
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#pressed.clear();
    this.#goal = null;
    this.#solid.clear();
    this.#view.walking = false;
  }

  /** Walk straight towards a point until a wall is in the way; for a click, and for touch. */
  towards(point: Vec3): void {
    if (!this.active) return;
    const to = this.#building.pointInScene(point);
    this.#goal = { to, until: performance.now() + (Math.hypot(to[0] - this.#feet[0], to[1] - this.#feet[1]) / HURRY + 0.5) * 1000 };
    this.#run();
  }

  /** Press or release a direction by other means than keys: buttons on a phone. */
  press(key: "forward" | "back" | "left" | "right", on: boolean): void {
    this.#set({ forward: "KeyW", back: "KeyS", left: "KeyQ", right: "KeyE" }[key], on);
  }

  #onKey(event: KeyboardEvent, on: boolean): void {
    this.#hurry = event.shiftKey;
    if (!(event.code in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.#set(event.code, on);
  }

  #set(code: string, on: boolean): void {
    if (on) this.#pressed.add(code);
    else this.#pressed.delete(code);
    if (on) this.#goal = null;
    this.#run();
  }

  #run(): void {
    if (this.#frame || !this.active) return;
    this.#before = performance.now();
    const tick = (now: number): void => {
      this.#frame = 0;
      if (!this.active) return;
      const moves = this.#advance(Math.max(0, Math.min(0.1, (now - this.#before) / 1000)));
      this.#before = now;
      if (moves) this.#frame = requestAnimationFrame(tick);
    };
    this.#frame = requestAnimationFrame(tick);
  }

  /** Take a step; false when there is nothing more to do. */
  #advance(seconds: number): boolean {
    let [forward, right, turn] = [0, 0, 0];
    for (const key of this.#pressed) {
      const [f, r, t] = KEYS[key] as readonly [number, number, number];
      [forward, right, turn] = [forward + f, right + r, turn + t];
    }
    const { yaw } = this.#view.pose;
    const pace = (this.#hurry || this.#goal ? HURRY : SPEED) * seconds;
    let wish: V3 = add(scale([Math.cos(yaw), Math.sin(yaw), 0], forward * pace), scale([Math.sin(yaw), -Math.cos(yaw), 0], right * pace));
    if (this.#goal) {
      const left: V3 = [this.#goal.to[0] - this.#feet[0], this.#goal.to[1] - this.#feet[1], 0];
      const long = Math.hypot(left[0], left[1]);
      if (long < 0.05 || performance.now() > this.#goal.until) this.#goal = null;
      else wish = scale(left, Math.min(1, pace / long));
    }
    const before = this.#feet;
    this.#feet = stepFrom(before, wish, seconds, (from, along, most) => this.#cast(from, along, most));
    if (this.#goal && Math.hypot(this.#feet[0] - before[0], this.#feet[1] - before[1]) < 0.2 * pace) this.#goal = null; // a wall
    this.#place(turn * TURN * seconds);
    return this.#pressed.size > 0 || this.#goal !== null || Math.abs(this.#feet[2] - before[2]) > 1e-4;
  }

  /** Fall to the floor below. */
  #settle(): void {
    this.#feet = stepFrom(this.#feet, [0, 0, 0], 1, (from, along, most) => this.#cast(from, along, most));
    this.#place(0);
  }

  #place(turn: number): void {
    const { pose } = this.#view;
    this.#view.setPose({ eye: add(this.#feet, [0, 0, EYE]), yaw: pose.yaw + turn, pitch: Math.max(-1.2, Math.min(1.2, pose.ortho || pose.pitch < -0.9 ? 0 : pose.pitch)), distance: 3, ortho: false });
  }

  /** Something else moved the camera: looking around stays, going elsewhere ends the walk. */
  follow(): void {
    if (!this.active) return;
    const { eye } = this.#view.pose;
    if (Math.hypot(eye[0] - this.#feet[0], eye[1] - this.#feet[1], eye[2] - this.#feet[2] - EYE) < 0.3) return;
    this.stop();
    this.#ended();
  }

  #cast(from: V3, along: V3, most: number): Contact | null {
    const ray = new ThreeRay(new Vector3(...from), new Vector3(...along));
    let nearest: Intersection | null = null;
    let reach = most;
    for (const tile of this.#building.tiles) {
      if (tile.ref.layer === "spaces" || tile.box.distanceToPoint(ray.origin) > Math.max(REACH, most)) continue;
      const hit: Intersection | null = this.#solidOf(tile)?.raycastFirst(ray, DoubleSide, 0, reach) ?? null;
      if (hit && hit.distance <= reach) [nearest, reach] = [hit, hit.distance];
    }
    return nearest && { distance: reach, normal: facing((nearest).face?.normal, along) };
  }

  #solidOf(tile: Tile): MeshBVH | null {
    const known = this.#solid.get(tile);
    if (known !== undefined) return known;
    const { table } = this.#building;
    const ignored = new Map<number, boolean>();
    const triangles = tile.surfaces((feature) => {
      let solid = ignored.get(feature);
      if (solid === undefined) {
        const id = table.featureAt(feature)?.globalId;
        ignored.set(feature, (solid = id !== undefined && !this.#ignored.has(id) && table.isVisible(id)));
      }
      return solid;
    });
    let made: MeshBVH | null = null;
    if (triangles.length > 0) {
      const geometry = new BufferGeometry();
      geometry.setAttribute("position", new BufferAttribute(new Float32Array(triangles), 3));
      made = new MeshBVH(geometry);
    }
    this.#solid.set(tile, made);
    return made;
  }
}

/** A triangle's normal, turned towards where the ray came from. */
function facing(normal: Vector3 | undefined, along: V3): V3 {
  if (!normal) return scale(along, -1);
  const against = normal.x * along[0] + normal.y * along[1] + normal.z * along[2] > 0 ? -1 : 1;
  return [normal.x * against, normal.y * against, normal.z * against];
}
