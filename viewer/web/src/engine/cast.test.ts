import { Matrix4, Vector3 } from "three";
import { describe, expect, test } from "vitest";
import { Cast, uncut, type Placed } from "./cast";
import { BLOCK, grouped } from "./grouped";
import type { Primitive } from "./glb";
import type { V3 } from "./rig";
import { firstHit, unit } from "./snap";

/** Numbers that look random and are the same every time. */
function randoms(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

interface Soup {
  readonly primitive: Primitive;
  /** As the GPU draws it: nine numbers a triangle, scene coordinates, and each one's feature. */
  readonly triangles: Float64Array;
  readonly features: readonly number[];
  readonly placed: (first: number) => Placed;
}

/** Features that lie scattered in the index; the first has more triangles than a block. */
function soup(seed: number, features: number, matrix: Matrix4): Soup {
  const random = randoms(seed);
  const of: number[] = [];
  for (let f = 0; f < features; f++) for (let i = 0; i < (f === 0 ? 3 * BLOCK + 5 : 1 + Math.floor(random() * 9)); i++) of.push(f);
  const order = of.map((f) => [random(), f] as const).sort((a, b) => a[0] - b[0]).map(([, f]) => f);
  const position = new Uint16Array(order.length * 9);
  const triangles = new Float64Array(order.length * 9);
  order.forEach((f, row) => {
    const centre = [0, 1, 2].map((c) => ((f * (37 + 11 * c)) % 97) * 600 + 1500);
    for (let corner = 0; corner < 3; corner++) {
      const at = row * 9 + corner * 3;
      for (let c = 0; c < 3; c++) position[at + c] = Math.round((centre[c] as number) + (random() - 0.5) * 2800);
      new Vector3(position[at], position[at + 1], position[at + 2]).applyMatrix4(matrix).toArray(triangles, at);
    }
  });
  const primitive: Primitive = {
    kind: "opaque", position: { array: position, size: 3, normalized: false }, normal: null, color: null, baseColor: [1, 1, 1, 1],
    feature: Uint32Array.from({ length: order.length * 3 }, (_, v) => order[Math.floor(v / 3)] as number),
    index: Uint16Array.from({ length: order.length * 3 }, (_, i) => i), vertices: order.length * 3, matrix: matrix.elements,
  };
  const e = matrix.clone().invert().elements;
  const inverse = Float64Array.from([0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14], (i) => e[i] as number);
  return { primitive, triangles, features: order, placed: (first) => ({ solid: grouped(primitive, features), inverse, first }) };
}

const MATRIX = new Matrix4().makeRotationZ(0.7).setPosition(-20, 3, 5).multiply(new Matrix4().makeScale(1 / 1024, 1 / 1024, 1 / 1024));

/** What one finds who looks at every triangle of the features that are seen. */
function bruteForce(one: Soup, from: V3, along: V3, seen: (feature: number) => boolean): { feature: number; distance: number } | null {
  let best: { feature: number; distance: number } | null = null;
  one.features.forEach((feature, row) => {
    if (!seen(feature)) return;
    const hit = firstHit({ from, along }, one.triangles.subarray(row * 9, row * 9 + 9), 0);
    if (hit && hit.distance < (best?.distance ?? Infinity)) best = { feature, distance: hit.distance };
  });
  return best;
}

describe("a line of sight", () => {
  test("meets what it meets when every triangle is looked at, whatever is hidden, and looks at few", () => {
    const one = soup(5, 300, MATRIX);
    const random = randoms(11);
    let [hits, tested] = [0, 0];
    for (let turn = 0; turn < 400; turn++) {
      const target = Math.floor(random() * one.features.length) * 9;
      const aim = [0, 1, 2].map((c) => (one.triangles[target + c] as number) + (random() - 0.5)) as unknown as V3;
      const from: V3 = [random() * 160 - 80, random() * 160 - 80, random() * 120 - 30];
      const along = unit([aim[0] - from[0], aim[1] - from[1], aim[2] - from[2]]);
      const seen = (f: number): boolean => turn % 3 === 0 || (f * 7 + turn) % 3 > 0;
      const cast = new Cast(from, along, 0, Infinity);
      cast.add(one.placed(1000), (f) => seen(f - 1000));
      const [met, wanted] = [cast.first(), bruteForce(one, from, along, seen)];
      tested += cast.tested;
      if (wanted) hits++;
      expect(met && met.feature - 1000).toBe(wanted && wanted.feature);
      if (met && wanted) expect(met.distance).toBeCloseTo(wanted.distance, 6);
    }
    expect(hits).toBeGreaterThan(150);
    expect(tested / 400).toBeLessThan(one.features.length / 10);
  });

  test("ends where a section begins, and starts where it ends", () => {
    expect(uncut([0, 0, 10], [0, 0, -1], 0, 100, [[0, 0, 1, -4]])).toEqual([6, 100]);
    expect(uncut([0, 0, 10], [0, 0, -1], 0, 100, [[0, 0, -1, 2], [0, 0, 1, -4]])).toEqual([6, 8]);
    expect(uncut([0, 0, 10], [1, 0, 0], 0, 100, [[0, 0, 1, -4]])).toBeNull();
    expect(uncut([0, 0, 1], [1, 0, 0], 2, 100, [[0, 0, 1, -4]])).toEqual([2, 100]);
    expect(uncut([0, 0, 10], [0, 0, -1], 0, 5, [[0, 0, 1, -4]])).toBeNull();
  });

  test("meets of a room only the floor, where it is drawn", () => {
    const box: Primitive = {
      kind: "opaque", position: { array: Float32Array.from([0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 3, 4, 0, 3, 0, 4, 3]), size: 3, normalized: false }, normal: null, color: null,
      baseColor: [1, 1, 1, 1], feature: new Uint32Array(6), index: Uint16Array.from([0, 2, 1, 3, 4, 5]), vertices: 6, matrix: new Matrix4().elements,
    };
    const placed: Placed = { solid: grouped(box, 1), inverse: Float64Array.from([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]), first: 0 };
    const [ceiling, floor] = [new Cast([1, 1, 10], [0, 0, -1], 0, 100), new Cast([1, 1, 10], [0, 0, -1], 0, 100)];
    ceiling.add(placed, () => true);
    expect(ceiling.first()).toEqual({ feature: 0, distance: 7 });
    floor.add(placed, () => true, { lift: 0.03 });
    expect(floor.first()?.distance).toBeCloseTo(9.97, 9);
  });
});

test("rows of each feature lie side by side, none is lost, and an index in order is kept as it is", () => {
  const one = soup(3, 40, MATRIX).primitive;
  const { index, starts, boxes, blocks } = grouped(one, 41);
  const rows = (of: Uint16Array | Uint32Array | Uint8Array): string[] => Array.from({ length: of.length / 3 }, (_, i) => of.subarray(i * 3, i * 3 + 3).join());
  expect(rows(index).sort()).toEqual(rows(one.index as Uint16Array).sort());
  for (let f = 0; f < 41; f++)
    for (let i = (starts[f] as number) * 3; i < (starts[f + 1] as number) * 3; i++) expect(one.feature[index[i] as number]).toBe(f);
  expect([starts[40], starts[41]]).toEqual([index.length / 3, index.length / 3]);
  expect(blocks[1]).toBe(4);
  expect(boxes.length).toBe((41 + 4) * 6);
  const again = grouped({ ...one, index }, 41);
  expect(again.index).toBe(index);
});
