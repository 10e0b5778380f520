/** A box or a plane that cuts the building open, as clip planes, lines and handles. Pure; building frame, metres. */
import { add, scale, type V3 } from "./rig";
import type { Box, ClipPlane, Section, Vec3 } from "./types";

/** A box never closes entirely: there would be nothing to grab. */
export const THINNEST = 0.05;

const AXES = [0, 1, 2] as const;
type Axis = (typeof AXES)[number];

export interface Face {
  readonly axis: Axis;
  readonly side: "min" | "max";
}

export const FACES: readonly Face[] = AXES.flatMap((axis) => [{ axis, side: "min" as const }, { axis, side: "max" as const }]);

/** What is cut away: everything outside a box, or the side of a plane that its direction points to. */
export function planesOf(section: Section): ClipPlane[] {
  if (section.kind === "plane") return [{ location: section.location, direction: section.direction }];
  return FACES.map(({ axis, side }) => ({ location: section.box[side], direction: outward({ axis, side }) }));
}

/** Unit vector out of a box through one of its faces. */
export function outward({ axis, side }: Face): Vec3 {
  const sign = side === "max" ? 1 : -1;
  return [axis === 0 ? sign : 0, axis === 1 ? sign : 0, axis === 2 ? sign : 0];
}

/** Middle of a face. */
export function middleOf({ min, max }: Box, { axis, side }: Face): Vec3 {
  const on = side === "max" ? max : min;
  return AXES.map((i) => (i === axis ? on[i] : (min[i] + max[i]) / 2)) as unknown as Vec3;
}

/** The box with one face moved outwards (or, negative, inwards); never thinner than `THINNEST`. */
export function moved(box: Box, { axis, side }: Face, metres: number): Box {
  const [min, max] = [[...box.min], [...box.max]] as [[number, number, number], [number, number, number]];
  if (side === "max") max[axis] = Math.max(box.max[axis] + metres, min[axis] + THINNEST);
  else min[axis] = Math.min(box.min[axis] - metres, max[axis] - THINNEST);
  return { min, max };
}

/** A little more room on all sides. */
export const grown = ({ min, max }: Box, by: number): Box => ({
  min: [min[0] - by, min[1] - by, min[2] - by], max: [max[0] + by, max[1] + by, max[2] + by],
});

/** The rings at the bottom and the top of a box and the four lines between them. */
export function edgesOf({ min, max }: Box): Vec3[][] {
  const ring = (z: number): Vec3[] => [[min[0], min[1], z], [max[0], min[1], z], [max[0], max[1], z], [min[0], max[1], z], [min[0], min[1], z]];
  const [low, high] = [ring(min[2]), ring(max[2])];
  return [low, high, ...AXES.concat(3 as Axis).map((i) => [low[i] as Vec3, high[i] as Vec3])];
}

/** A square in a plane around a point, to show where the plane is. */
export function sheetOf(location: Vec3, direction: Vec3, size: number): Vec3[] {
  const [x, y, z] = direction;
  const u: V3 = Math.abs(z) > 0.9 * Math.hypot(x, y, z) ? [1, 0, 0] : scale([-y, x, 0], 1 / Math.hypot(x, y));
  const n = scale(direction, 1 / Math.hypot(x, y, z));
  const v: V3 = [n[1] * u[2] - n[2] * u[1], n[2] * u[0] - n[0] * u[2], n[0] * u[1] - n[1] * u[0]];
  const corner = (a: number, b: number): Vec3 => add(location, add(scale(u, (a * size) / 2), scale(v, (b * size) / 2)));
  return [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)];
}
