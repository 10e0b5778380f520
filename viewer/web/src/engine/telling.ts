/**
 * What tells most for its triangles comes first: walls before chairs. A tile's elements are numbered in that order when it
 * is decoded, so that a picture with fewer triangles draws the beginning of each tile.
 */
import type { Primitive, TileData } from "./glb";

/** Keeps what has no size from being free. */
const LEAST = 1e-6; // m²
const ROUNDS = 6;

/** Number the features anew, the most telling first. `prices`: triangles for each square metre of a feature's box, ascending. */
export function mostTellingFirst<T extends Primitive>(tile: { primitives: readonly T[]; globalIds: readonly string[]; boxes: Float64Array }):
    { globalIds: string[]; boxes: Float64Array; prices: Float32Array } {
  const { primitives, globalIds, boxes } = tile;
  const price = pricesOf(primitives, boxes);
  const order = Uint32Array.from(globalIds, (_, f) => f).sort((a, b) => (price[a] as number) - (price[b] as number) || a - b);
  const place = new Uint32Array(order.length);
  order.forEach((feature, i) => (place[feature] = i));
  for (const feature of new Set(primitives.map((primitive) => primitive.feature)))
    for (let v = 0; v < feature.length; v++) feature[v] = place[feature[v] as number] as number;
  const sorted = new Float64Array(boxes.length);
  order.forEach((feature, i) => sorted.set(boxes.subarray(feature * 6, feature * 6 + 6), i * 6));
  return { globalIds: Array.from(order, (f) => globalIds[f] as string), boxes: sorted, prices: price.sort() };
}

function pricesOf(primitives: readonly Primitive[], boxes: Float64Array): Float32Array {
  const prices = new Float32Array(boxes.length / 6);
  for (const { kind, index, feature, vertices } of primitives) {
    if (kind === "edges") continue;
    const length = index?.length ?? vertices;
    for (let i = 0; i + 2 < length; i += 3) {
      const f = feature[index ? (index[i] as number) : i] as number;
      prices[f] = (prices[f] as number) + 1;
    }
  }
  return prices.map((triangles, f) => (triangles === 0 ? 0 : triangles / (LEAST + diagonal(boxes, f * 6))));
}

/** Of a box, squared. */
function diagonal(boxes: Float64Array, at: number): number {
  return [0, 1, 2].reduce((sum, c) => sum + Math.max(0, (boxes[at + 3 + c] as number) - (boxes[at + c] as number)) ** 2, 0);
}

/** A tile as `fitting` sees it. */
export interface Listed extends Pick<TileData, "prices"> {
  /** By how much everything in it tells less, because it is far away. */
  readonly far: number;
  /** Triangles of its first `count` features. */
  readonly triangles: (count: number) => number;
}

/** How many features of each tile to draw within a budget of triangles: those that tell most for theirs, one at least. */
export function fitting(tiles: readonly Listed[], budget: number): number[] {
  const shown: number[] = tiles.map(() => 0);
  const open = new Set(tiles.keys());
  let left = budget;
  // What does not fit leaves its place to what does: each round closes the tile whose next feature is too much.
  for (let round = 0; round < ROUNDS && open.size > 0; round++) {
    const price = highest((price) => sum(open, (i) => more(i, at(i, price))) <= left);
    for (const i of open) take(i, at(i, price));
    const next = [...open].reduce((a, b) => (dearness(b) < dearness(a) ? b : a));
    take(next, search((tiles[next] as Listed).prices.length, (count) => more(next, count) <= left));
    open.delete(next);
  }
  if (tiles.length > 0 && !shown.some((count) => count > 0)) shown[cheapest(tiles)] = 1;
  return shown;

  function at(i: number, price: number): number {
    const { prices, far } = tiles[i] as Listed;
    return Math.max(shown[i] as number, search(prices.length, (count) => (prices[count - 1] as number) * far <= price));
  }
  function more(i: number, count: number): number {
    const { triangles } = tiles[i] as Listed;
    return triangles(count) - triangles(shown[i] as number);
  }
  function take(i: number, count: number): void {
    left -= more(i, count);
    shown[i] = count;
  }
  function dearness(i: number): number {
    const { prices, far } = tiles[i] as Listed;
    return (prices[shown[i] as number] ?? Infinity) * far;
  }
}

function cheapest(tiles: readonly Listed[]): number {
  const first = tiles.map(({ prices, far }) => (prices[0] ?? Infinity) * far);
  return first.indexOf(Math.min(...first));
}

const sum = (of: Iterable<number>, value: (i: number) => number): number => {
  let total = 0;
  for (const i of of) total += value(i);
  return total;
};

/** The largest count up to `most` that is fine; what is fine for one is so for all below it. */
function search(most: number, fine: (count: number) => boolean): number {
  let [low, high] = [0, most];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (fine(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** About the highest price that is fine. */
function highest(fine: (price: number) => boolean): number {
  let [low, high] = [-60, 60];
  if (fine(2 ** high)) return 2 ** high;
  for (let step = 0; step < 24; step++) {
    const middle = (low + high) / 2;
    if (fine(2 ** middle)) low = middle;
    else high = middle;
  }
  return 2 ** low;
}
