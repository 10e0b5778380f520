/**
 * What a straight line meets first, computed here rather than drawn: boxes of elements first, nearest first, and then
 * the triangles of those that may be nearer than the best so far. The answer is there at once, exact, and the same on
 * every GPU. See docs/decisions/0032.
 *
 * Each draw is asked in its own numbers: the line is brought there, and a distance along it stays what it is.
 */
import { BLOCK, type Grouped } from "./grouped";
import { unit } from "./snap";
import type { V3 } from "./rig";

/** Faces that look down as a room's floor plate does. */
const DOWN = -0.7;

export type Solid = Pick<Grouped, "position" | "index" | "starts" | "boxes" | "blocks">;

/** A draw where it stands. */
export interface Placed {
  readonly solid: Solid;
  /** Scene → the numbers of `solid.position`, row-major 3 × 4. */
  readonly inverse: Float64Array;
  /** The scene's number of its feature 0. */
  readonly first: number;
}

/** What is seen at a place of the canvas. */
export interface RawHit {
  readonly feature: number;
  /** Metres along the view direction. */
  readonly depth: number;
}

export interface Met {
  readonly feature: number;
  /** m along the line. */
  readonly distance: number;
}

/** A line in the numbers of a draw. */
class Line {
  readonly from: V3;
  readonly along: V3;
  readonly #inverse: V3;

  constructor(m: Float64Array, [x, y, z]: V3, [dx, dy, dz]: V3) {
    const n = (i: number): number => m[i] as number;
    this.from = [n(0) * x + n(1) * y + n(2) * z + n(3), n(4) * x + n(5) * y + n(6) * z + n(7), n(8) * x + n(9) * y + n(10) * z + n(11)];
    this.along = [n(0) * dx + n(1) * dy + n(2) * dz, n(4) * dx + n(5) * dy + n(6) * dz, n(8) * dx + n(9) * dy + n(10) * dz];
    // Along an axis the others never change; a large number rather than infinity, of which zero times is nothing.
    this.#inverse = this.along.map((c) => (Math.abs(c) < 1e-30 ? 1e30 : 1 / c)) as unknown as V3;
  }

  /** Where it enters a box; Infinity where it does not between `near` and `far`. */
  enters(boxes: Float32Array, at: number, near: number, far: number): number {
    const [x, y, z] = this.from;
    const [ix, iy, iz] = this.#inverse;
    const x0 = ((boxes[at] as number) - x) * ix, x1 = ((boxes[at + 3] as number) - x) * ix;
    const y0 = ((boxes[at + 1] as number) - y) * iy, y1 = ((boxes[at + 4] as number) - y) * iy;
    const z0 = ((boxes[at + 2] as number) - z) * iz, z1 = ((boxes[at + 5] as number) - z) * iz;
    const enter = Math.max(Math.min(x0, x1), Math.min(y0, y1), Math.min(z0, z1), near);
    const leave = Math.min(Math.max(x0, x1), Math.max(y0, y1), Math.max(z0, z1), far);
    return enter <= leave + 1e-9 * Math.abs(leave) ? enter : Infinity;
  }
}

interface Candidate {
  readonly near: number;
  readonly placed: Placed;
  readonly line: Line;
  readonly feature: number;
  readonly plates: boolean;
}

export class Cast {
  readonly #from: V3;
  readonly #along: V3;
  readonly #near: number;
  readonly #far: number;
  readonly #candidates: Candidate[] = [];
  /** Triangles that were looked at. */
  tested = 0;

  /** Along a unit vector, between two distances. */
  constructor(from: V3, along: V3, near: number, far: number) {
    this.#from = from;
    this.#along = along;
    this.#near = near;
    this.#far = far;
  }

  /** Ask a draw too. `seen`: of the scene's features. `plates`: only its faces that look down, drawn `lift` m higher. */
  add(placed: Placed, seen: (feature: number) => boolean, plates: { lift: number } | null = null): void {
    const [x, y, z] = this.#from;
    const line = new Line(placed.inverse, plates ? [x, y, z - plates.lift] : this.#from, this.#along);
    const { starts, boxes } = placed.solid;
    for (let feature = 0; feature < starts.length - 1; feature++) {
      if (starts[feature] === starts[feature + 1]) continue;
      const near = line.enters(boxes, feature * 6, this.#near, this.#far);
      if (near !== Infinity && seen(placed.first + feature)) this.#candidates.push({ near, placed, line, feature, plates: plates !== null });
    }
  }

  /** The first triangle, whichever way it faces; null where there is none. */
  first(): Met | null {
    let best: Met | null = null;
    this.#candidates.sort((a, b) => a.near - b.near);
    for (const candidate of this.#candidates) {
      if (best && candidate.near > best.distance) break;
      best = this.#among(candidate, best) ?? best;
    }
    return best;
  }

  /** The first triangle of an element, where it is nearer than the best so far. */
  #among({ placed, line, feature, plates }: Candidate, best: Met | null): Met | null {
    const { solid } = placed;
    const { starts, blocks, boxes } = solid;
    const features = starts.length - 1;
    const [from, to] = [starts[feature] as number, starts[feature + 1] as number];
    const [first, last] = [blocks[feature] as number, blocks[feature + 1] as number];
    let found: Met | null = null;
    const far = (): number => found?.distance ?? best?.distance ?? this.#far;
    const look = (a: number, b: number): void => {
      found = this.#nearest(placed, line, feature, plates, a, b, far()) ?? found;
    };
    if (first === last) look(from, to);
    for (let b = first; b < last; b++)
      if (line.enters(boxes, (features + b) * 6, this.#near, far()) !== Infinity) look(from + (b - first) * BLOCK, Math.min(to, from + (b - first + 1) * BLOCK));
    return found;
  }

  /** Möller and Trumbore, with the normal first: exact for the whole numbers that positions are, so that a triangle without area has none. */
  #nearest({ solid, inverse, first }: Placed, line: Line, feature: number, plates: boolean, from: number, to: number, far: number): Met | null {
    const { position: { array: p, size }, index } = solid;
    const [ox, oy, oz] = line.from;
    const [dx, dy, dz] = line.along;
    let best: number | null = null;
    for (let i = from * 3; i < to * 3; i += 3) {
      const a = (index[i] as number) * size, b = (index[i + 1] as number) * size, c = (index[i + 2] as number) * size;
      const ax = p[a] as number, ay = p[a + 1] as number, az = p[a + 2] as number;
      const ux = (p[b] as number) - ax, uy = (p[b + 1] as number) - ay, uz = (p[b + 2] as number) - az;
      const vx = (p[c] as number) - ax, vy = (p[c + 1] as number) - ay, vz = (p[c + 2] as number) - az;
      const nx = uy * vz - uz * vy, ny = uz * vx - ux * vz, nz = ux * vy - uy * vx;
      const det = -(dx * nx + dy * ny + dz * nz);
      if (det === 0) continue;
      const sx = ox - ax, sy = oy - ay, sz = oz - az;
      const t = (sx * nx + sy * ny + sz * nz) / det;
      if (!(t >= this.#near && t < (best ?? far))) continue;
      const qx = sy * dz - sz * dy, qy = sz * dx - sx * dz, qz = sx * dy - sy * dx;
      const u = (vx * qx + vy * qy + vz * qz) / det, v = -(ux * qx + uy * qy + uz * qz) / det;
      if (u < -1e-9 || v < -1e-9 || u + v > 1 + 1e-9) continue;
      if (plates && inScene(inverse, nx, ny, nz)[2] > DOWN) continue;
      best = t;
    }
    this.tested += to - from;
    return best === null ? null : { feature: first + feature, distance: best };
  }
}

/** A normal of a draw's numbers in the scene, unit; draws are never mirrored. */
function inScene(m: Float64Array, x: number, y: number, z: number): V3 {
  const n = (i: number): number => (m[i] as number) * x + (m[4 + i] as number) * y + (m[8 + i] as number) * z;
  return unit([n(0), n(1), n(2)]);
}

/** The part of a line that no plane (normal and distance, what lies on its positive side is cut away) takes; null where there is none. */
export function uncut(from: V3, along: V3, near: number, far: number, planes: Iterable<readonly [number, number, number, number]>): [number, number] | null {
  let [low, high] = [near, far];
  for (const [x, y, z, w] of planes) {
    const start = x * from[0] + y * from[1] + z * from[2] + w;
    const slope = x * along[0] + y * along[1] + z * along[2];
    if (slope === 0) {
      if (start > 0) return null;
    } else if (slope > 0) high = Math.min(high, -start / slope);
    else low = Math.max(low, -start / slope);
  }
  return low <= high ? [low, high] : null;
}
