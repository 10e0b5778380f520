/**
 * What an element is made of, read back from the arrays that its tile sent to the GPU: edges and triangles for snapping,
 * measuring and walking. Nothing is kept twice; which rows belong to which feature is counted once per draw, when first asked.
 */
import type { BufferAttribute, BufferGeometry, Matrix4 } from "three";

/** Rows (segments or triangles) of each feature of a draw. */
interface Rows {
  readonly first: number;
  readonly starts: Uint32Array;
  readonly rows: Uint32Array;
}

const counted = new WeakMap<BufferGeometry, Rows>();

/** Corners of every segment (`corners` 2) or triangle (3) of a feature, x y z after x y z, scene coordinates. */
export function rowsOf(geometry: BufferGeometry, matrix: Matrix4, feature: number, corners: 2 | 3): Float64Array {
  const known = counted.get(geometry) ?? count(geometry, corners);
  counted.set(geometry, known);
  const at = feature - known.first;
  if (at < 0 || at >= known.starts.length - 1) return new Float64Array();
  return corner(geometry, matrix, known.rows.subarray(known.starts[at], known.starts[at + 1]), corners);
}

/** The same of every row whose feature is wanted. */
export function allRows(geometry: BufferGeometry, matrix: Matrix4, wanted: (feature: number) => boolean, corners: 2 | 3): Float64Array {
  const features = geometry.getAttribute("feature").array;
  const vertex = vertexOf(geometry);
  const rows: number[] = [];
  for (let row = 0; row < rowCount(geometry, corners); row++) if (wanted(features[vertex(row * corners)] as number)) rows.push(row);
  return corner(geometry, matrix, rows, corners);
}

const vertexOf = (geometry: BufferGeometry): ((i: number) => number) => {
  const index = geometry.getIndex()?.array;
  return index ? (i) => index[i] as number : (i) => i;
};

function rowCount(geometry: BufferGeometry, corners: number): number {
  const { start, count: drawn } = geometry.drawRange;
  const most = geometry.getIndex()?.count ?? geometry.getAttribute("position").count;
  return Math.floor((Math.min(most, start + drawn) - start) / corners);
}

function count(geometry: BufferGeometry, corners: number): Rows {
  const features = geometry.getAttribute("feature").array;
  const vertex = vertexOf(geometry);
  const total = rowCount(geometry, corners);
  const of = new Uint32Array(total);
  let [first, last] = [Infinity, -1];
  for (let row = 0; row < total; row++) {
    const feature = (of[row] = features[vertex(row * corners)] as number);
    first = Math.min(first, feature);
    last = Math.max(last, feature);
  }
  const starts = new Uint32Array(Math.max(0, last - first + 1) + 1);
  if (total === 0) return { first: 0, starts, rows: new Uint32Array() };
  for (const feature of of) starts[feature - first + 1] = (starts[feature - first + 1] as number) + 1;
  for (let i = 1; i < starts.length; i++) starts[i] = (starts[i] as number) + (starts[i - 1] as number);
  const next = starts.slice();
  const rows = new Uint32Array(total);
  for (let row = 0; row < total; row++) {
    const at = (of[row] as number) - first;
    rows[next[at] as number] = row;
    next[at] = (next[at] as number) + 1;
  }
  return { first, starts, rows };
}

function corner(geometry: BufferGeometry, matrix: Matrix4, rows: ArrayLike<number>, corners: number): Float64Array {
  const position = geometry.getAttribute("position") as BufferAttribute;
  const vertex = vertexOf(geometry);
  const m = matrix.elements;
  const out = new Float64Array(rows.length * corners * 3);
  let at = 0;
  for (let i = 0; i < rows.length; i++)
    for (let c = 0; c < corners; c++) {
      const v = vertex((rows[i] as number) * corners + c);
      const [x, y, z] = [position.getX(v), position.getY(v), position.getZ(v)];
      for (let r = 0; r < 3; r++) out[at++] = m[r] as number * x + (m[4 + r] as number) * y + (m[8 + r] as number) * z + (m[12 + r] as number);
    }
  return out;
}
