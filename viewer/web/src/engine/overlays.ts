/** What is drawn over the building: a way through it with the one who walks there, and what flows in its pipes. */
import type { Building } from "./building";
import { Ribbon } from "./ribbon";
import { length, sub, type V3 } from "./rig";
import type { FlowLine, Rgb, Theme, Vec3 } from "./types";
import type { Viewport } from "./viewport";

const LIFT = 0.15; // m above the floor
const COLOURS: Record<Theme, { route: Rgb; walker: Rgb; rim: Rgb }> = {
  light: { route: [0, 128, 96], walker: [0, 92, 70], rim: [255, 255, 255] },
  dark: { route: [38, 194, 150], walker: [190, 255, 228], rim: [10, 18, 22] },
};

/** The point at `metres` along a polyline and the direction there; the ends hold beyond it. Null without two points. */
export function alongLine(points: readonly Vec3[], metres: number): { point: Vec3; direction: Vec3 } | null {
  let left = Math.max(0, metres);
  let last: { point: Vec3; direction: Vec3 } | null = null;
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1] as Vec3, points[i] as Vec3];
    const way = sub(b, a);
    const long = length(way);
    if (long < 1e-6) continue;
    const direction: Vec3 = [way[0] / long, way[1] / long, way[2] / long];
    const at = Math.min(left, long);
    last = { point: [a[0] + direction[0] * at, a[1] + direction[1] * at, a[2] + direction[2] * at], direction };
    if (left <= long) return last;
    left -= long;
  }
  return last;
}

/** Metres from the first point to the last. */
export function lineLength(points: readonly Vec3[]): number {
  return points.reduce((sum, p, i) => (i === 0 ? 0 : sum + length(sub(p, points[i - 1] as Vec3))), 0);
}

export class Overlays {
  readonly #building: Building;
  readonly #view: Viewport;
  readonly #route: Ribbon;
  readonly #walker: Ribbon;
  readonly #flow: Ribbon;
  #theme: Theme = "light";
  #points: readonly Vec3[] = [];
  #lines: readonly FlowLine[] = [];
  #metres: number | null = null;

  constructor(building: Building, view: Viewport) {
    this.#building = building;
    this.#view = view;
    this.#flow = new Ribbon(view.extras, view.uniforms, { width: 6, hidden: 1, arrows: true, order: 0 });
    this.#route = new Ribbon(view.extras, view.uniforms, { width: 9, hidden: 0.38, arrows: true, order: 10 });
    this.#walker = new Ribbon(view.extras, view.uniforms, { width: 22, hidden: 1, arrows: false, order: 20 });
  }

  /** Draw a way through the building (a route's polyline, m in the building frame); null takes it away. */
  setRoute(points: readonly Vec3[] | null): void {
    this.#points = points ?? [];
    this.#metres = null;
    this.refresh();
  }

  /** Where on the route somebody is, m from its start; what is behind them fades. Null: nobody. */
  setWalker(metres: number | null): void {
    this.#metres = metres;
    this.#drawWalker();
    this.#view.invalidate();
  }

  /** Draw what flows where, arrows in its direction; null takes it away. One draw, however many lines. */
  setFlow(lines: readonly FlowLine[] | null): void {
    this.#lines = lines ?? [];
    this.refresh();
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    for (const ribbon of [this.#route, this.#walker, this.#flow]) ribbon.rim = COLOURS[theme].rim;
    this.refresh();
  }

  /** Draw all of it anew: after the scene's origin moved (another building). */
  refresh(): void {
    const colours = COLOURS[this.#theme];
    this.#route.set(this.#points.length > 1 ? [{ points: this.#points.map((p) => this.#lifted(p)), colour: colours.route }] : []);
    this.#flow.set(this.#lines.map(({ points, colour, from }) => ({ points: points.map((p) => this.#building.pointInScene(p)), colour, from: from ?? 0 })));
    this.#drawWalker();
    this.#view.animated = this.#route.shown || this.#flow.shown;
    this.#view.invalidate();
  }

  #drawWalker(): void {
    const at = this.#metres === null ? null : alongLine(this.#points, this.#metres);
    this.#walker.set(at ? [{ points: [this.#lifted(at.point)], colour: COLOURS[this.#theme].walker }] : []);
    this.#route.done = this.#metres ?? -1;
  }

  #lifted([x, y, z]: Vec3): V3 {
    return this.#building.pointInScene([x, y, z + LIFT]);
  }

  dispose(): void {
    for (const ribbon of [this.#route, this.#walker, this.#flow]) ribbon.dispose();
    this.#view.animated = false;
  }
}
