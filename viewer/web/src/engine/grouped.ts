/**
 * The rows of a draw (triangles or lines), those of each feature side by side, and boxes around them: what it takes to
 * find what a line of sight meets without looking at every triangle. Made once, in the worker that decodes the tile.
 */
import type { Primitive } from "./glb";

/** Triangles below one box, where a feature has more of them. */
export const BLOCK = 64;

/** A primitive as it goes to the GPU. */
export interface Grouped extends Primitive {
  readonly index: Uint8Array | Uint16Array | Uint32Array;
  /** (features + 1): rows of feature f are starts[f] … starts[f + 1] - 1. */
  readonly starts: Uint32Array;
  /** (features + blocks, 6): min and max of each feature and then of each block, in the numbers of `position`. None on edges. */
  readonly boxes: Float32Array;
  /** (features + 1): blocks of feature f are blocks[f] … blocks[f + 1] - 1; none where its own box says it all. */
  readonly blocks: Uint32Array;
}

export const cornersOf = (primitive: Pick<Primitive, "kind">): 2 | 3 => (primitive.kind === "edges" ? 2 : 3);

/** `features`: how many the tile has. */
export function grouped(primitive: Primitive, features: number): Grouped {
  const corners = cornersOf(primitive);
  const index = primitive.index ?? Uint32Array.from({ length: primitive.vertices }, (_, i) => i);
  const rows = Math.floor(index.length / corners);
  const starts = new Uint32Array(features + 1);
  let [before, inOrder] = [0, rows * corners === index.length];
  for (let row = 0; row < rows; row++) {
    const feature = primitive.feature[index[row * corners] as number] as number;
    starts[feature + 1] = (starts[feature + 1] as number) + 1;
    inOrder &&= feature >= before;
    before = feature;
  }
  for (let f = 0; f < features; f++) starts[f + 1] = (starts[f + 1] as number) + (starts[f] as number);
  const made = { ...primitive, index: inOrder ? index : inGroups(index, primitive.feature, starts, corners), starts };
  if (corners === 2) return { ...made, boxes: new Float32Array(), blocks: new Uint32Array() };
  return { ...made, ...boxesOf(made, features) };
}

function inGroups<T extends Uint8Array | Uint16Array | Uint32Array>(index: T, feature: Uint32Array, starts: Uint32Array, corners: number): T {
  const next = starts.slice();
  const rows = next[next.length - 1] as number;
  const out = new (index.constructor as new (length: number) => T)(rows * corners);
  for (let row = 0; row < rows; row++) {
    const f = feature[index[row * corners] as number] as number;
    const to = next[f] as number;
    next[f] = to + 1;
    for (let c = 0; c < corners; c++) out[to * corners + c] = index[row * corners + c] as number;
  }
  return out;
}

function boxesOf({ position: { array, size }, index, starts }: Pick<Grouped, "position" | "index" | "starts">, features: number): Pick<Grouped, "boxes" | "blocks"> {
  const blocks = new Uint32Array(features + 1);
  for (let f = 0; f < features; f++) {
    const rows = (starts[f + 1] as number) - (starts[f] as number);
    blocks[f + 1] = (blocks[f] as number) + (rows > BLOCK ? Math.ceil(rows / BLOCK) : 0);
  }
  const boxes = new Float32Array((features + (blocks[features] as number)) * 6);
  const put = (at: number, from: number, to: number): void => {
    let [x0, y0, z0, x1, y1, z1] = [Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity];
    for (let i = from * 3; i < to * 3; i++) {
      const v = (index[i] as number) * size;
      const x = array[v] as number, y = array[v + 1] as number, z = array[v + 2] as number;
      if (x < x0) x0 = x;
      if (y < y0) y0 = y;
      if (z < z0) z0 = z;
      if (x > x1) x1 = x;
      if (y > y1) y1 = y;
      if (z > z1) z1 = z;
    }
    [boxes[at], boxes[at + 1], boxes[at + 2], boxes[at + 3], boxes[at + 4], boxes[at + 5]] = [x0, y0, z0, x1, y1, z1];
  };
  for (let f = 0; f < features; f++) {
    const from = starts[f] as number, to = starts[f + 1] as number;
    const first = blocks[f] as number, last = blocks[f + 1] as number;
    if (first === last) put(f * 6, from, to);
    else {
      for (let b = first; b < last; b++) put((features + b) * 6, from + (b - first) * BLOCK, Math.min(to, from + (b - first + 1) * BLOCK));
      around(boxes, f * 6, (features + first) * 6, (features + last) * 6);
    }
  }
  return { boxes, blocks };
}

/** Write the box around those from `from` up to `to`. */
function around(boxes: Float32Array, at: number, from: number, to: number): void {
  for (let c = 0; c < 6; c++) {
    let value = boxes[from + c] as number;
    for (let b = from + 6 + c; b < to; b += 6) value = c < 3 ? Math.min(value, boxes[b] as number) : Math.max(value, boxes[b] as number);
    boxes[at + c] = value;
  }
}
