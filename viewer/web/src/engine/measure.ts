/** Lengths, heights, angles and areas of what was clicked. Pure; metres and radians, any frame. */
import { dot, length, sub, type V3 } from "./rig";
import { cross, unit } from "./snap";
import type { Vec3 } from "./types";

/** Metres along a line of points. */
export const distanceOf = (points: readonly Vec3[]): number =>
  points.reduce((sum, p, i) => (i === 0 ? 0 : sum + length(sub(p, points[i - 1] as V3))), 0);

/** The straight way between two points, and its share level and upright. */
export function spans(a: Vec3, b: Vec3): { straight: number; level: number; height: number } {
  const d = sub(b, a);
  return { straight: length(d), level: Math.hypot(d[0], d[1]), height: d[2] };
}

/** The angle at the middle one of three points, 0…π; null where two of them are one. */
export function angleAt(a: Vec3, middle: Vec3, b: Vec3): number | null {
  const [u, v] = [sub(a, middle), sub(b, middle)];
  const scale = length(u) * length(v);
  return scale < 1e-12 ? null : Math.atan2(length(cross(u, v)), dot(u, v));
}

/**
 * Area of a closed ring of points, its perimeter, its unit normal and how far the points lie off one plane (m).
 *
 * Newell's sums: right for any flat ring, and for one that is not quite flat the area of its shadow on the mean plane.
 * Null for fewer than three points, and for points on a line.
 */
export function areaOf(ring: readonly Vec3[]): { area: number; perimeter: number; normal: Vec3; offPlane: number } | null {
  if (ring.length < 3) return null;
  const origin = ring[0] as V3;
  let sum: V3 = [0, 0, 0];
  for (let i = 0; i < ring.length; i++) {
    const part = cross(sub(ring[i] as V3, origin), sub(ring[(i + 1) % ring.length] as V3, origin));
    sum = [sum[0] + part[0], sum[1] + part[1], sum[2] + part[2]];
  }
  const double = length(sum);
  const perimeter = distanceOf([...ring, ring[0] as Vec3]);
  if (double < 1e-9 * perimeter * perimeter) return null;
  const normal = unit(sum);
  const heights = ring.map((p) => dot(sub(p, origin), normal));
  return { area: double / 2, perimeter, normal, offPlane: (Math.max(...heights) - Math.min(...heights)) / 2 };
}

/** Whether a ring crosses itself as seen along its normal: its area would mean nothing. */
export function crossesItself(ring: readonly Vec3[], normal: Vec3): boolean {
  const u = unit(Math.abs(normal[2]) < 0.9 ? cross(normal, [0, 0, 1]) : cross(normal, [1, 0, 0]));
  const v = cross(normal, u);
  const flat = ring.map((p) => [dot(p, u), dot(p, v)] as const);
  const side = (a: readonly [number, number], b: readonly [number, number], c: readonly [number, number]): number =>
    Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
  const n = flat.length;
  for (let i = 0; i < n; i++)
    for (let j = i + 2; j < n; j++) {
      if (i === 0 && j === n - 1) continue;
      const [a, b, c, d] = [flat[i], flat[(i + 1) % n], flat[j], flat[(j + 1) % n]] as [
        readonly [number, number], readonly [number, number], readonly [number, number], readonly [number, number]];
      if (side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0) return true;
    }
  return false;
}
