/** Where exactly on an element the pointer is: a corner, an edge or its face. Pure; scene coordinates, metres. */
import { add, dot, length, scale, sub, type V3 } from "./rig";
import type { SnapKind, Vec3 } from "./types";

export interface Ray {
  readonly from: V3;
  /** Unit. */
  readonly along: V3;
}

export interface Snapped {
  readonly kind: SnapKind;
  readonly point: V3;
  /** Of the face under the pointer, unit, towards the eye. */
  readonly normal: V3 | null;
  /** Ends of the edge that was hit. */
  readonly edge: readonly [V3, V3] | null;
}

/** How near the pointer must be, CSS px. */
const CORNER_PX = 11;
const EDGE_PX = 8;

export const cross = (a: Vec3, b: Vec3): V3 => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
export const unit = (a: Vec3): V3 => scale(a, 1 / (length(a) || 1));

const at = (array: Float64Array, i: number): V3 => [array[i] as number, array[i + 1] as number, array[i + 2] as number];

/** The first triangle that a ray meets from `after` metres on, its unit normal towards the ray's start. Möller and Trumbore. */
export function firstHit(ray: Ray, triangles: Float64Array, after = 1e-6): { distance: number; point: V3; normal: V3 } | null {
  let best: { distance: number; normal: V3 } | null = null;
  for (let i = 0; i < triangles.length; i += 9) {
    const a = at(triangles, i);
    const [ab, ac] = [sub(at(triangles, i + 3), a), sub(at(triangles, i + 6), a)];
    const p = cross(ray.along, ac);
    const det = dot(ab, p);
    if (Math.abs(det) < 1e-14) continue;
    const from = sub(ray.from, a);
    const u = dot(from, p) / det;
    if (u < -1e-9 || u > 1 + 1e-9) continue;
    const q = cross(from, ab);
    const v = dot(ray.along, q) / det;
    if (v < -1e-9 || u + v > 1 + 1e-9) continue;
    const distance = dot(ac, q) / det;
    if (distance > after && (!best || distance < best.distance)) best = { distance, normal: cross(ab, ac) };
  }
  if (!best) return null;
  const normal = unit(best.normal);
  return {
    distance: best.distance, point: add(ray.from, scale(ray.along, best.distance)),
    normal: dot(normal, ray.along) > 0 ? scale(normal, -1) : normal,
  };
}

/** The point of a segment that is nearest to a ray. */
export function nearestOnSegment(ray: Ray, a: V3, b: V3): V3 {
  const ab = sub(b, a);
  const from = sub(a, ray.from);
  const [along, across] = [dot(ab, ray.along), dot(ab, ab)];
  const det = across - along * along;
  const t = det < 1e-12 ? 0 : (dot(from, ray.along) * along - dot(from, ab)) / det;
  return add(a, scale(ab, Math.min(1, Math.max(0, t))));
}

/**
 * Snap to what is near the pointer: a corner wins over an edge, an edge over the face.
 *
 * `rough`: the point that was picked; what lies behind it by more than the snap distance is out of sight and does not
 * count. `toScreen`: CSS px of a point, null behind the camera.
 */
export function snap(
  ray: Ray, rough: V3, pointer: { x: number; y: number }, segments: Float64Array, triangles: Float64Array,
  toScreen: (point: V3) => { x: number; y: number } | null,
): Snapped {
  // What a section took away stands in front of what was picked.
  const face = firstHit(ray, triangles, dot(sub(rough, ray.from), ray.along) - 0.02);
  const ground = face?.point ?? rough;
  const depth = dot(sub(ground, ray.from), ray.along);
  const away = (point: V3): number => {
    const seen = toScreen(point);
    return seen ? Math.hypot(seen.x - pointer.x, seen.y - pointer.y) : Infinity;
  };
  const here = toScreen(ground);
  const beside = toScreen(add(ground, scale(unit(Math.abs(ray.along[2]) < 0.9 ? cross(ray.along, [0, 0, 1]) : cross(ray.along, [0, 1, 0])), 0.1)));
  const metre = here && beside ? Math.hypot(here.x - beside.x, here.y - beside.y) * 10 : 1;
  const hidden = (point: V3): boolean => dot(sub(point, ray.from), ray.along) > depth + (3 * CORNER_PX) / Math.max(metre, 1e-6);
  let corner: { point: V3; px: number } | null = null;
  let edge: { point: V3; ends: readonly [V3, V3]; px: number } | null = null;
  for (let i = 0; i < segments.length; i += 6) {
    const [a, b] = [at(segments, i), at(segments, i + 3)];
    for (const end of [a, b]) {
      const px = away(end);
      if (px <= CORNER_PX && px < (corner?.px ?? Infinity) && !hidden(end)) corner = { point: end, px };
    }
    const near = nearestOnSegment(ray, a, b);
    const px = away(near);
    if (px <= EDGE_PX && px < (edge?.px ?? Infinity) && !hidden(near)) edge = { point: near, ends: [a, b], px };
  }
  const normal = face?.normal ?? null;
  if (corner) return { kind: "corner", point: corner.point, normal, edge: edge?.ends ?? null };
  if (edge) return { kind: "edge", point: edge.point, normal, edge: edge.ends };
  return { kind: "face", point: ground, normal, edge: null };
}
