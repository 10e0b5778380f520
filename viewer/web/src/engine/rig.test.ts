import { expect, test } from "vitest";
import { FOV, basis, between, clipDistances, dot, frame, length, lookAt, orbit, pan, sub, targetOf, zoom, type Pose, type V3 } from "./rig";

/** Where a point lies in the picture, each axis −1…1 over the height of it. */
function seen(pose: Pose, point: V3): { x: number; y: number; depth: number } {
  const { right, up, forward } = basis(pose.yaw, pose.pitch);
  const from = sub(point, pose.eye);
  const depth = dot(from, forward);
  const size = Math.tan(FOV / 2) * (pose.ortho ? pose.distance : depth);
  return { x: dot(from, right) / size, y: dot(from, up) / size, depth };
}

const near = (a: V3, b: V3): void => a.forEach((value, i) => expect(value).toBeCloseTo(b[i] as number, 9));

test("looking at a point keeps eye and target", () => {
  const pose = lookAt([10, -20, 30], [1, 2, 3]);
  near(targetOf(pose), [1, 2, 3]);
  near(lookAt([0, 0, 9], [0, 0, 0]).eye, [0, 0, 9]);
  expect(lookAt([0, 0, 9], [0, 0, 0]).pitch).toBeCloseTo(-Math.PI / 2);
});

test("orbiting leaves the pivot where it is in the picture", () => {
  let pose = lookAt([30, -40, 20], [0, 0, 0]);
  const pivot: V3 = [5, 8, 2];
  const before = seen(pose, pivot);
  for (let i = 0; i < 40; i++) pose = orbit(pose, pivot, 0.21, i % 2 ? 0.07 : -0.11);
  const after = seen(pose, pivot);
  expect(after.x).toBeCloseTo(before.x, 9);
  expect(after.y).toBeCloseTo(before.y, 9);
});

test("orbiting never rolls over the top", () => {
  const pose = orbit(lookAt([10, 0, 10], [0, 0, 0]), [0, 0, 0], 0, -9);
  expect(pose.pitch).toBe(-Math.PI / 2);
  near(basis(pose.yaw, pose.pitch).up, [Math.cos(pose.yaw), Math.sin(pose.yaw), 6.123233995736766e-17]);
});

test.each([false, true])("zooming keeps the point under the cursor (orthographic: %s)", (ortho) => {
  const pose = lookAt([30, -40, 20], [0, 0, 0], ortho);
  const point: V3 = [3, 4, 1];
  const before = seen(pose, point);
  const after = seen(zoom(pose, point, 0.7), point);
  expect(after.x).toBeCloseTo(before.x, 9);
  expect(after.y).toBeCloseTo(before.y, 9);
});

test("zooming goes through a wall instead of stopping at it", () => {
  let pose = lookAt([0, -1, 0], [0, 0, 0]);
  for (let i = 0; i < 60; i++) pose = zoom(pose, [0, 0, 0], 0.85);
  expect(pose.eye[1]).toBeGreaterThan(0);
});

test("panning moves the picture by as much as the hand", () => {
  const pose = lookAt([0, -10, 0], [0, 0, 0]);
  near(pan(pose, 2, 1).eye, [2, -10, 1]);
});

test.each([[1.6, false], [0.5, false], [1.6, true], [0.5, true]] as const)("a framed box fills the picture and no more (aspect %s, orthographic %s)", (aspect, ortho) => {
  const box = { min: [-4, -30, 0] as V3, max: [9, 12, 24] as V3 };
  const pose = frame(box, 0.9, -0.5, aspect, 1, ortho);
  let [x, y] = [[1e9, -1e9], [1e9, -1e9]] as [[number, number], [number, number]];
  for (let i = 0; i < 8; i++) {
    const p = seen(pose, [(i & 1 ? box.max : box.min)[0], (i & 2 ? box.max : box.min)[1], (i & 4 ? box.max : box.min)[2]]);
    x = [Math.min(x[0], p.x / aspect), Math.max(x[1], p.x / aspect)];
    y = [Math.min(y[0], p.y), Math.max(y[1], p.y)];
  }
  expect(Math.max(-x[0], x[1], -y[0], y[1])).toBeCloseTo(1, 6);
  expect(Math.min(x[0], y[0])).toBeGreaterThanOrEqual(-1.000001);
});

test("a flight starts and ends where it should and takes the shorter turn", () => {
  const a = lookAt([10, 0, 5], [0, 0, 0]);
  const b = { ...lookAt([-20, 1, 50], [3, 0, 0]), yaw: a.yaw + 2 * Math.PI - 0.2 };
  near(between(a, b, 0).eye, a.eye);
  near(targetOf(between(a, b, 1)), targetOf(b));
  expect(Math.abs(between(a, b, 0.5).yaw - a.yaw)).toBeCloseTo(0.1, 6);
});

test("near and far hold the building from outside and from within", () => {
  const box = { min: [-10, -10, 0] as V3, max: [10, 10, 30] as V3 };
  const outside = clipDistances(lookAt([100, 0, 10], [0, 0, 10]), box);
  expect(outside.near).toBeGreaterThan(50);
  expect(outside.far).toBeGreaterThan(110);
  const inside = clipDistances(lookAt([0, 0, 10], [5, 0, 10]), box);
  expect(inside.near).toBeCloseTo(0.05);
  expect(length(sub([10, 10, 30], [0, 0, 10]))).toBeLessThan(inside.far * 3);
});
