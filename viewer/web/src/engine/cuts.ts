/** What is cut away: above a storey, and along planes. Building frame. */
import type { Building } from "./building";
import { NO_CUT } from "./materials";
import type { ClipPlane, GlobalId, Vec3 } from "./types";
import type { Viewport } from "./viewport";

export class Cuts {
  readonly #building: Building;
  readonly #view: Viewport;
  #planes: readonly ClipPlane[] = [];

  constructor(building: Building, view: Viewport) {
    this.#building = building;
    this.#view = view;
  }

  above(storeyId: string | null, height?: number): void {
    const at = storeyId === null ? null : this.#building.cutHeight(storeyId, height);
    this.#view.setCut(at === null ? null : this.#building.pointInScene([0, 0, at])[2]);
  }

  set(planes: readonly ClipPlane[]): void {
    this.#planes = planes.filter(({ direction }) => direction.some((c) => c !== 0));
    this.place();
  }

  /** Every plane that cuts the building open now, the one above a storey among them. */
  get all(): readonly ClipPlane[] {
    const height = this.#height;
    return height === Infinity ? this.#planes : [...this.#planes, { location: [0, 0, height], direction: [0, 0, 1] }];
  }

  get #height(): number {
    return this.#view.cut === NO_CUT ? Infinity : this.#building.toBuilding([0, 0, this.#view.cut])[2];
  }

  /** Tell the view where the planes are; the scene's origin may be another now. */
  place(): void {
    this.#view.setPlanes(this.#planes.map(({ location, direction }) => {
      const length = Math.hypot(...direction);
      const [x, y, z] = direction.map((c) => c / length) as [number, number, number];
      const p = this.#building.pointInScene(location);
      return [x, y, z, -(x * p[0] + y * p[1] + z * p[2])] as const;
    }));
  }

  /** Top centre of an element, below the cut; null where it is not drawn at all. */
  anchorOf(globalId: GlobalId): Vec3 | null {
    const box = this.#building.table.boxOf(globalId);
    if (!box || !this.#building.table.isShown(globalId)) return null;
    const lift = this.#building.liftOf(globalId);
    const [x0, y0, low, x1, y1, high] = box as unknown as [number, number, number, number, number, number];
    const anchor: Vec3 = [(x0 + x1) / 2, (y0 + y1) / 2, Math.min(high + lift, this.#height)];
    return low + lift > this.#height || this.#takes(anchor) ? null : anchor;
  }

  #takes(point: Vec3): boolean {
    return this.#planes.some(({ location, direction }) =>
      direction.reduce((sum, c, i) => sum + c * ((point[i] as number) - (location[i] as number)), 0) > 0);
  }
}
