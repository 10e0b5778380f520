/** Where the camera goes: elements, boxes, sides of the building, floor plans. */
import type { Building } from "./building";
import { frame, lookAt, slopeOf, targetOf, type Bounds, type Pose } from "./rig";
import type { Destination, FlyOptions, View } from "./types";
import type { Viewport } from "./viewport";

const FLIGHT = 700; // ms
const [NARROWEST, WIDEST] = [3, 130]; // degrees; what is beyond is no picture
const HOME = { yaw: (52 * Math.PI) / 180, pitch: (-27 * Math.PI) / 180 };
const SIDES = {
  top: { yaw: Math.PI / 2, pitch: -Math.PI / 2 }, iso: HOME,
  north: { yaw: -Math.PI / 2, pitch: -0.12 }, south: { yaw: Math.PI / 2, pitch: -0.12 },
  east: { yaw: Math.PI, pitch: -0.12 }, west: { yaw: 0, pitch: -0.12 },
} as const;

export type Side = keyof typeof SIDES;

export class Shots {
  readonly #building: Building;
  readonly #view: Viewport;
  readonly #cutAbove: (storeyId: string | null) => void;
  #beforePlan: Pose | null = null;
  /** Counts journeys: one that is no longer the last ends. */
  #journey = 0;

  constructor(building: Building, view: Viewport, cutAbove: (storeyId: string | null) => void) {
    this.#building = building;
    this.#view = view;
    this.#cutAbove = cutAbove;
  }

  async #fly(pose: Pose, options: FlyOptions): Promise<void> {
    await this.#view.fly(pose, options.duration ?? (this.#view.reducedMotion?.matches ? 0 : FLIGHT));
  }

  /** Resolves on arrival; at once when the destination is not known. */
  async flyTo(destination: Destination, options: FlyOptions): Promise<void> {
    const pose = this.#poseFor(destination, options.margin ?? 1.35);
    if (pose) await this.#fly(pose, options);
  }

  #poseFor(destination: Destination, margin: number): Pose | null {
    const { pose } = this.#view;
    if (typeof destination === "object" && "eye" in destination)
      return this.#poseOf(destination, pose.yaw);
    const box = typeof destination === "object" && "min" in destination ? destination : this.#building.boxOf(destination);
    if (!box) return null;
    const { min, max } = this.#building.toScene(box);
    // Something small is shown with what stands around it.
    const grow = (i: 0 | 1 | 2): number => Math.max(0, 0.8 - (max[i] - min[i]) / 2);
    const roomy: Bounds = {
      min: [min[0] - grow(0), min[1] - grow(1), min[2] - grow(2)], max: [max[0] + grow(0), max[1] + grow(1), max[2] + grow(2)],
    };
    const pitch = pose.ortho ? pose.pitch : Math.min(-0.35, Math.max(-0.95, pose.pitch));
    return frame(roomy, pose.yaw, pitch, this.#view.aspect, margin, pose.ortho);
  }

  #poseOf(view: View, yaw: number): Pose {
    const ortho = view.projection === "orthographic";
    const pose = lookAt(this.#building.pointInScene(view.eye), this.#building.pointInScene(view.target), ortho, yaw);
    if (ortho) return view.height ? { ...pose, distance: view.height / 2 / slopeOf(pose) } : pose;
    return view.fieldOfView ? { ...pose, fov: (Math.min(WIDEST, Math.max(NARROWEST, view.fieldOfView)) * Math.PI) / 180 } : pose;
  }

  async fit(options: FlyOptions): Promise<void> {
    const box = this.#building.boxInBuilding(this.#view.bounds);
    if (!box) return;
    const { yaw, pitch, ortho } = this.#view.pose;
    await this.#fly(frame(this.#building.toScene(box), yaw, pitch, this.#view.aspect, options.margin ?? 1.08, ortho), options);
  }

  async side(name: Side, options: FlyOptions): Promise<void> {
    const box = this.#building.boxInBuilding(this.#view.bounds);
    if (!box) return;
    const { yaw, pitch } = SIDES[name];
    this.#leavePlan();
    await this.#fly(frame(this.#building.toScene(box), yaw, pitch, this.#view.aspect, options.margin ?? 1.08, false), options);
  }

  /** From straight above on the open storey; null goes back to where one was. */
  async plan(storeyId: string | null, options: FlyOptions): Promise<void> {
    if (storeyId === null) {
      const back = this.#beforePlan;
      this.#leavePlan();
      if (back) await this.#fly(back, options);
      return;
    }
    const box = this.#building.boxOfStorey(storeyId) ?? this.#building.boxInBuilding(this.#view.bounds);
    if (!box) return;
    this.#beforePlan ??= this.#view.pose;
    this.#cutAbove(storeyId);
    this.#view.flat = true;
    const { yaw, pitch } = SIDES.top;
    await this.#fly(frame(this.#building.toScene(box), yaw, pitch, this.#view.aspect, options.margin ?? 1.1, true), options);
  }

  /**
   * From storey to storey, the lowest first, each cut open and looked into, and back out to where one was. It ends where
   * somebody takes the camera elsewhere. Resolves with whether it came to its end.
   */
  async throughStoreys(options: FlyOptions & { readonly stay?: number }): Promise<boolean> {
    const journey = ++this.#journey;
    const home = this.#view.pose;
    this.#leavePlan();
    for (const storey of this.#building.storeys) {
      const box = this.#building.boxOfStorey(storey);
      if (!box) continue;
      this.#cutAbove(storey);
      const there = frame(this.#building.toScene(box), home.yaw + 0.25, -0.75, this.#view.aspect, options.margin ?? 1.05, false);
      if (!(await this.#stop(there, options, journey))) return false;
    }
    this.#cutAbove(null);
    await this.#fly(home, options);
    return journey === this.#journey;
  }

  /** Go there and stay a while; whether nobody has moved the camera meanwhile. */
  async #stop(there: Pose, options: FlyOptions & { readonly stay?: number }, journey: number): Promise<boolean> {
    await this.#fly(there, { duration: options.duration ?? (this.#view.reducedMotion?.matches ? 0 : 1600) });
    const arrived = this.#view.pose;
    if (arrived !== there) return false;
    await new Promise((resolve) => setTimeout(resolve, options.stay ?? 1400));
    return journey === this.#journey && this.#view.pose === arrived;
  }

  #leavePlan(): void {
    if (this.#beforePlan) this.#cutAbove(null);
    this.#beforePlan = null;
    this.#view.flat = false;
  }

  view(): View {
    const { pose } = this.#view;
    const [eye, target] = [this.#building.toBuilding(pose.eye), this.#building.toBuilding(targetOf(pose))];
    if (pose.ortho) return { eye, target, projection: "orthographic", height: 2 * slopeOf(pose) * pose.distance };
    return { eye, target, projection: "perspective", fieldOfView: (Math.atan(slopeOf(pose)) * 360) / Math.PI };
  }
}
