/** 4 × 4 matrices as 16 float64, column-major as in glTF. three.js' Matrix4 would do, but not in a small worker. */

export type Matrix = readonly number[];

export const IDENTITY: Matrix = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

/** glTF's frame (y up) → building frame (z up): (x, y, z) → (x, -z, y). */
export const Y_UP_TO_Z_UP: Matrix = [1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1];

const cell = (m: Matrix, i: number): number => m[i] as number;

/** a · b: apply `b` first. */
export function multiply(a: Matrix, b: Matrix): number[] {
  const out = new Array<number>(16).fill(0);
  for (let column = 0; column < 4; column++)
    for (let row = 0; row < 4; row++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += cell(a, k * 4 + row) * cell(b, column * 4 + k);
      out[column * 4 + row] = sum;
    }
  return out;
}

/** Matrix of a translation, a unit quaternion (x, y, z, w) and a scale, applied right to left. */
export function compose(t: readonly number[], q: readonly number[], s: readonly number[]): number[] {
  const [x, y, z, w] = q as [number, number, number, number];
  const [sx, sy, sz] = s as [number, number, number];
  const [tx, ty, tz] = t as [number, number, number];
  return [
    (1 - 2 * (y * y + z * z)) * sx, 2 * (x * y + z * w) * sx, 2 * (x * z - y * w) * sx, 0,
    2 * (x * y - z * w) * sy, (1 - 2 * (x * x + z * z)) * sy, 2 * (y * z + x * w) * sy, 0,
    2 * (x * z + y * w) * sz, 2 * (y * z - x * w) * sz, (1 - 2 * (x * x + y * y)) * sz, 0,
    tx, ty, tz, 1,
  ];
}

/** The point transformed. */
export function apply(m: Matrix, x: number, y: number, z: number): [number, number, number] {
  return [
    cell(m, 0) * x + cell(m, 4) * y + cell(m, 8) * z + cell(m, 12),
    cell(m, 1) * x + cell(m, 5) * y + cell(m, 9) * z + cell(m, 13),
    cell(m, 2) * x + cell(m, 6) * y + cell(m, 10) * z + cell(m, 14),
  ];
}
