/**
 * Camera maths: pure functions of a pose. A pose has no roll; z is up. Coordinates are whatever the caller uses
 * (the scene's own); lengths in metres, angles in radians.
 */

export type V3 = readonly [number, number, number];

export interface Pose {
  readonly eye: V3;
  /** Heading of the view direction, counter-clockwise from +x (east); π/2 looks north. */
  readonly yaw: number;
  /** Elevation of the view direction; -π/2 looks straight down. */
  readonly pitch: number;
  /** How far the point looked at lies ahead; also the size of an orthographic picture. */
  readonly distance: number;
  readonly ortho: boolean;
  /** Vertical field of view, where it is not `FOV`: a camera that somebody else has set. */
  readonly fov?: number;
}

/** Vertical field of view of the perspective camera. */
export const FOV = (42 * Math.PI) / 180;
/** Half the height of the picture at a distance of one. */
export const slopeOf = (pose: Pose): number => Math.tan((pose.ortho ? FOV : (pose.fov ?? FOV)) / 2);
const STEEPEST = Math.PI / 2;
const CLOSEST = 0.15;

export const add = (a: V3, b: V3): V3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const sub = (a: V3, b: V3): V3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: V3, s: number): V3 => [a[0] * s, a[1] * s, a[2] * s];
export const dot = (a: V3, b: V3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const length = (a: V3): number => Math.hypot(a[0], a[1], a[2]);

export interface Basis {
  readonly right: V3;
  readonly up: V3;
  readonly forward: V3;
}

/** Unit axes of the picture. `up` is continuous through straight down, where it is the heading. */
export function basis(yaw: number, pitch: number): Basis {
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  return { right: [sy, -cy, 0], up: [-sp * cy, -sp * sy, cp], forward: [cp * cy, cp * sy, sp] };
}

export function targetOf(pose: Pose): V3 {
  return add(pose.eye, scale(basis(pose.yaw, pose.pitch).forward, pose.distance));
}

/** The pose that looks from `eye` to `target`; straight up or down it keeps the heading `yaw`. */
export function lookAt(eye: V3, target: V3, ortho = false, yaw = Math.PI / 2): Pose {
  const d = sub(target, eye);
  const flat = Math.hypot(d[0], d[1]);
  return {
    eye,
    yaw: flat < 1e-6 * Math.max(1, Math.abs(d[2])) ? yaw : Math.atan2(d[1], d[0]),
    pitch: Math.atan2(d[2], flat),
    distance: Math.max(length(d), CLOSEST),
    ortho,
  };
}

/** Turn around `pivot`, which keeps its place in the picture. */
export function orbit(pose: Pose, pivot: V3, dYaw: number, dPitch: number): Pose {
  const before = basis(pose.yaw, pose.pitch);
  const yaw = pose.yaw + dYaw;
  const pitch = Math.min(STEEPEST, Math.max(-STEEPEST, pose.pitch + dPitch));
  const after = basis(yaw, pitch);
  const from = sub(pose.eye, pivot);
  const eye = add(
    pivot,
    add(
      add(scale(after.right, dot(from, before.right)), scale(after.up, dot(from, before.up))),
      scale(after.forward, dot(from, before.forward)),
    ),
  );
  return { ...pose, eye, yaw, pitch };
}

/** Move towards `point` (factor < 1) or away from it; the point keeps its place in the picture. */
export function zoom(pose: Pose, point: V3, factor: number): Pose {
  if (pose.ortho) {
    const distance = Math.min(1e5, Math.max(0.2, pose.distance * factor));
    const eye = add(point, scale(sub(pose.eye, point), distance / pose.distance));
    return { ...pose, eye, distance };
  }
  const away = sub(pose.eye, point);
  // Close to a surface one steps through it rather than creeping up to it for ever.
  const step = factor < 1 && length(away) * (1 - factor) < 0.05 ? scale(basis(pose.yaw, pose.pitch).forward, 0.25) : scale(away, factor - 1);
  const eye = add(pose.eye, step);
  return { ...pose, eye, distance: Math.min(1e5, Math.max(1, pose.distance * factor)) };
}

/** Shift the picture: `dx`, `dy` metres to the right and up at the depth of interest. */
export function pan(pose: Pose, dx: number, dy: number): Pose {
  const { right, up } = basis(pose.yaw, pose.pitch);
  return { ...pose, eye: add(pose.eye, add(scale(right, dx), scale(up, dy))) };
}

export interface Bounds {
  readonly min: V3;
  readonly max: V3;
}

export const centerOf = (b: Bounds): V3 => scale(add(b.min, b.max), 0.5);

/**
 * The pose that shows the whole box from this direction, in the middle of the picture; `margin` 1 fits exactly.
 * `aspect` is width / height.
 */
export function frame(box: Bounds, yaw: number, pitch: number, aspect: number, margin: number, ortho: boolean): Pose {
  const { right, up, forward } = basis(yaw, pitch);
  const tall = Math.tan(FOV / 2) / margin;
  const wide = tall * aspect;
  const center = centerOf(box);
  const corners = Array.from({ length: 8 }, (_, i): V3 => {
    const p = sub([(i & 1 ? box.max : box.min)[0], (i & 2 ? box.max : box.min)[1], (i & 4 ? box.max : box.min)[2]], center);
    return [dot(p, right), dot(p, up), dot(p, forward)];
  });
  // Along each axis of the picture the box touches both sides: the lines of sight through the outermost corners meet
  // in the eye. x/slope + z is where a corner's line of sight crosses the axis.
  const fit = (axis: 0 | 1, slope: number): { shift: number; back: number } => {
    const depth = (c: V3): number => (ortho ? 0 : c[2]);
    const high = Math.max(...corners.map((c) => c[axis] / slope - depth(c)));
    const low = Math.max(...corners.map((c) => -c[axis] / slope - depth(c)));
    return { shift: ((high - low) / 2) * slope, back: (high + low) / 2 };
  };
  const [h, v] = [fit(0, wide), fit(1, tall)];
  const distance = Math.max(h.back, v.back, CLOSEST);
  const eye = add(center, add(add(scale(right, h.shift), scale(up, v.shift)), scale(forward, -distance)));
  return { eye, yaw, pitch, distance, ortho };
}

const turn = (from: number, to: number): number => Math.atan2(Math.sin(to - from), Math.cos(to - from));

/** The pose `t` (0…1) of the way, along the shorter turn; size changes geometrically, so that zooming looks even. */
export function between(a: Pose, b: Pose, t: number): Pose {
  const mix = (x: number, y: number): number => x + (y - x) * t;
  const [from, to] = [targetOf(a), targetOf(b)];
  const target: V3 = [mix(from[0], to[0]), mix(from[1], to[1]), mix(from[2], to[2])];
  const yaw = a.yaw + turn(a.yaw, b.yaw) * t;
  const pitch = mix(a.pitch, b.pitch);
  const distance = Math.exp(mix(Math.log(a.distance), Math.log(b.distance)));
  const eye = sub(target, scale(basis(yaw, pitch).forward, distance));
  const [wide, wanted] = [a.fov ?? FOV, b.fov ?? FOV];
  return { eye, yaw, pitch, distance, ortho: t < 0.5 ? a.ortho : b.ortho, ...(wide === FOV && wanted === FOV ? {} : { fov: mix(wide, wanted) }) };
}

/** Slow, fast, slow. */
export const ease = (t: number): number => (t < 0.5 ? 4 * t ** 3 : 1 - (-2 * t + 2) ** 3 / 2);

/** Near and far distance that just hold the box, as far apart as 24 bits of depth allow. */
export function clipDistances(pose: Pose, box: Bounds): { near: number; far: number } {
  const { forward } = basis(pose.yaw, pose.pitch);
  let [low, high] = [Infinity, -Infinity];
  for (let corner = 0; corner < 8; corner++) {
    const p: V3 = [(corner & 1 ? box.max : box.min)[0], (corner & 2 ? box.max : box.min)[1], (corner & 4 ? box.max : box.min)[2]];
    const depth = dot(sub(p, pose.eye), forward);
    low = Math.min(low, depth);
    high = Math.max(high, depth);
  }
  if (pose.ortho) return { near: low - 1, far: Math.max(high, low) + 1 };
  const far = Math.max(high * 1.02 + 1, 10);
  return { near: Math.max(low * 0.9, far / 20000, 0.05), far };
}
