import { expect, test } from "vitest";
import { angleAt, areaOf, crossesItself, distanceOf, spans } from "./measure";
import { FACES, THINNEST, edgesOf, moved, planesOf, sheetOf } from "./section";
import { firstHit, nearestOnSegment, snap } from "./snap";
import type { Box, Vec3 } from "./types";
import { stepFrom, type Cast } from "./walking";
import { alongAxis, visiblePieces } from "./drawings";
import type { V3 } from "./rig";

// Measures ---------------------------------------------------------------------------------------------------------

test("a way has its length, and its share level and upright", () => {
  expect(distanceOf([[0, 0, 0], [3, 4, 0], [3, 4, 12]])).toBe(17);
  expect(spans([1, 1, 1], [4, 5, -11])).toEqual({ straight: 13, level: 5, height: -12 });
});

test("angles keep their exactness where they are tiny or straight", () => {
  expect(angleAt([1, 0, 0], [0, 0, 0], [0, 0, 5])).toBeCloseTo(Math.PI / 2, 12);
  expect(angleAt([1, 0, 0], [0, 0, 0], [1, 1e-7, 0])).toBeCloseTo(1e-7, 12);
  expect(angleAt([1, 0, 0], [0, 0, 0], [-2, 0, 0])).toBeCloseTo(Math.PI, 12);
  expect(angleAt([0, 0, 0], [0, 0, 0], [-2, 0, 0])).toBeNull();
});

test("areas of rings that lean, far from the origin, and are not convex", () => {
  const far = ([x, y, z]: Vec3): Vec3 => [x + 500_000, y + 3_400_000, z];
  const leaning = areaOf(([[0, 0, 0], [4, 0, 0], [4, 3, 4], [0, 3, 4]] as Vec3[]).map(far));
  expect(leaning?.area).toBeCloseTo(20, 9);
  expect(leaning?.perimeter).toBeCloseTo(18, 9);
  expect(areaOf([[0, 0, 0], [4, 0, 0], [4, 1, 0], [1, 1, 0], [1, 4, 0], [0, 4, 0]])?.area).toBeCloseTo(7, 12);
  expect(areaOf([[0, 0, 0], [1, 0, 0], [2, 0, 0]])).toBeNull();
  expect(areaOf([[0, 0, 0], [2, 0, 0], [2, 2, 0.2], [0, 2, 0]])?.offPlane).toBeGreaterThan(0.01);
});

test("a ring that crosses itself is told", () => {
  expect(crossesItself([[0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0]], [0, 0, 1])).toBe(false);
  expect(crossesItself([[0, 0, 0], [2, 2, 0], [2, 0, 0], [0, 2, 0]], [0, 0, 1])).toBe(true);
});

// Snapping ---------------------------------------------------------------------------------------------------------

const RAY = { from: [0, 0, 10] as V3, along: [0, 0, -1] as V3 };
const flat = (...points: Vec3[]): Float64Array => Float64Array.from(points.flat());
/** 100 px per metre, straight from above. */
const above = (p: V3): { x: number; y: number } => ({ x: p[0] * 100, y: -p[1] * 100 });

test("a ray meets the nearest triangle, whichever way it faces", () => {
  const low: Vec3[] = [[-1, -1, 0], [3, -1, 0], [-1, 3, 0]];
  const high: Vec3[] = [[-1, -1, 2], [-1, 3, 2], [3, -1, 2]];
  const hit = firstHit(RAY, flat(...low, ...high));
  expect(hit?.distance).toBeCloseTo(8);
  expect(hit?.normal[2]).toBe(1);
  expect(firstHit({ from: [5, 5, 10], along: [0, 0, -1] }, flat(...low, ...high))).toBeNull();
});

test("a corner wins over an edge and an edge over the face, within reach of the pointer", () => {
  const face = flat([-1, -1, 0], [3, -1, 0], [-1, 3, 0]);
  const edge = flat([0, 0.05, 0], [3, 0.05, 0]);
  const at = (x: number, y: number): ReturnType<typeof snap> =>
    snap({ from: [x, y, 10], along: [0, 0, -1] }, [x, y, 0], { x: x * 100, y: -y * 100 }, edge, face, above);
  expect(at(0.04, 0.02)).toMatchObject({ kind: "corner", point: [0, 0.05, 0] });
  expect(at(0.5, 0.02)).toMatchObject({ kind: "edge", point: [0.5, 0.05, 0] });
  expect(at(0.5, 0.4)).toMatchObject({ kind: "face", point: [0.5, 0.4, 0] });
});

test("what lies behind the face under the pointer is not snapped to", () => {
  const face = flat([-1, -1, 0], [3, -1, 0], [-1, 3, 0]);
  expect(snap(RAY, [0, 0, 0], { x: 0, y: 0 }, flat([0, 0, -5], [1, 0, -5]), face, above).kind).toBe("face");
});

test("the point of a segment nearest to a line of sight", () => {
  expect(nearestOnSegment(RAY, [-1, 0.1, 0], [1, 0.1, 4])).toEqual([0, 0.1, 2]);
  expect(nearestOnSegment(RAY, [2, 0, 0], [4, 0, 0])).toEqual([2, 0, 0]);
});

// Sections ---------------------------------------------------------------------------------------------------------

const BOX: Box = { min: [0, 0, 0], max: [4, 3, 2] };

test("a section box cuts away exactly what lies outside of it", () => {
  const planes = planesOf({ kind: "box", box: BOX });
  const cut = (p: Vec3): boolean => planes.some(({ location, direction }) => direction.reduce((sum, c, i) => sum + c * ((p[i] as number) - (location[i] as number)), 0) > 0);
  expect(cut([2, 1, 1])).toBe(false);
  for (const p of [[-0.1, 1, 1], [4.1, 1, 1], [2, -0.1, 1], [2, 3.1, 1], [2, 1, -0.1], [2, 1, 2.1]] as Vec3[]) expect(cut(p)).toBe(true);
});

test("a face moves outwards and inwards, and never through the one across", () => {
  expect(moved(BOX, { axis: 0, side: "max" }, 1)).toEqual({ min: [0, 0, 0], max: [5, 3, 2] });
  expect(moved(BOX, { axis: 2, side: "min" }, -0.5)).toEqual({ min: [0, 0, 0.5], max: [4, 3, 2] });
  for (const face of FACES) {
    const thin = moved(BOX, face, -100);
    expect(thin.max[face.axis] - thin.min[face.axis]).toBeCloseTo(THINNEST);
  }
  expect(edgesOf(BOX)).toHaveLength(6);
});

test("the sheet that shows a plane lies in it", () => {
  for (const direction of [[0, 0, 2], [1, 1, 0.3], [0, -1, 0]] as Vec3[])
    for (const corner of sheetOf([5, 6, 7], direction, 2))
      expect((corner[0] - 5) * direction[0] + (corner[1] - 6) * direction[1] + (corner[2] - 7) * direction[2]).toBeCloseTo(0, 9);
});

test("a handle follows the pointer along its axis, and says when it cannot", () => {
  expect(alongAxis([0, 0, 0], [1, 0, 0], { from: [3, 0, 10], along: [0, 0, -1] })).toBeCloseTo(3);
  expect(alongAxis([0, 0, 0], [0, 0, 1], { from: [3, 0, 10], along: [0, 0, -1] })).toBeNull();
});

test("a line that passes the eye is drawn up to where it passes", () => {
  const eye = { at: [0, 0, 0] as Vec3, forward: [0, 1, 0] as Vec3 };
  const pieces = visiblePieces([[-1, 5, 0], [0, 5, 0], [0, -5, 0], [0, -5, 1], [1, 5, 0]], eye, ([x, y]) => ({ x, y }));
  expect(pieces).toHaveLength(2);
  expect(pieces[0]?.at(-1)?.y).toBeCloseTo(0.06);
  expect(pieces[1]?.[0]?.y).toBeCloseTo(0.06);
});

// Walking ----------------------------------------------------------------------------------------------------------

interface Slab { axis: 0 | 1 | 2; at: number; from: readonly [number, number]; to: readonly [number, number] }
/** Axis-aligned rectangles as the world; `from` and `to` bound the two other axes, in order. */
const world = (...slabs: Slab[]): Cast => (from, along, most) => {
  let best: ReturnType<Cast> = null;
  for (const { axis, at, from: low, to: high } of slabs) {
    if (Math.abs(along[axis]) < 1e-9) continue;
    const distance = (at - from[axis]) / along[axis];
    const others = ([0, 1, 2] as const).filter((i) => i !== axis);
    const inside = others.every((o, i) => from[o] + along[o] * distance >= (low[i] as number) && from[o] + along[o] * distance <= (high[i] as number));
    if (distance <= 0 || distance > most || !inside || distance >= (best?.distance ?? Infinity)) continue;
    const normal: [number, number, number] = [0, 0, 0];
    normal[axis] = along[axis] > 0 ? -1 : 1;
    best = { distance, normal };
  }
  return best;
};
const FLOOR: Slab = { axis: 2, at: 0, from: [-50, -50], to: [50, 50] };

function walkAlong(start: V3, wish: V3, steps: number, cast: Cast): V3 {
  let feet = start;
  for (let i = 0; i < steps; i++) feet = stepFrom(feet, wish, 1 / 30, cast);
  return feet;
}

test("a wall stops whoever walks into it, and lets slide whoever walks along it", () => {
  const cast = world(FLOOR, { axis: 0, at: 2, from: [-50, 0], to: [50, 3] });
  expect(walkAlong([0, 0, 0], [0.05, 0, 0], 200, cast)[0]).toBeLessThanOrEqual(1.751);
  const slid = walkAlong([0, 0, 0], [0.05, 0.05, 0], 200, cast);
  expect(slid[0]).toBeLessThanOrEqual(1.751);
  expect(slid[1]).toBeGreaterThan(5);
});

test("nobody gets out through a corner", () => {
  const cast = world(FLOOR, { axis: 0, at: 2, from: [-50, 0], to: [50, 3] }, { axis: 1, at: 2, from: [-50, 0], to: [50, 3] });
  const end = walkAlong([0, 0, 0], [0.05, 0.04, 0], 500, cast);
  expect(end[0]).toBeLessThan(2);
  expect(end[1]).toBeLessThan(2);
});

test("one climbs stairs, is stopped by a parapet, and falls no deeper than the floor below", () => {
  const stairs = Array.from({ length: 16 }, (_, i): Slab => ({ axis: 2, at: 0.18 * (i + 1), from: [1 + i * 0.28, -1], to: [1 + (i + 1) * 0.28, 1] }));
  const landing: Slab = { axis: 2, at: 0.18 * 16, from: [5.4, -1], to: [20, 1] };
  expect(walkAlong([0, 0, 0], [0.05, 0, 0], 200, world(FLOOR, ...stairs, landing))[2]).toBeCloseTo(2.88);
  const parapet: Slab = { axis: 0, at: 2, from: [-50, 0], to: [50, 0.9] };
  expect(walkAlong([0, 0, 0], [0.05, 0, 0], 200, world(FLOOR, parapet))[0]).toBeLessThan(2);
  expect(walkAlong([0, 0, 3], [0, 0, 0], 60, world(FLOOR))[2]).toBeCloseTo(0);
  expect(walkAlong([0, 0, 3], [0, 0, 0], 60, world())[2]).toBe(3);
});
