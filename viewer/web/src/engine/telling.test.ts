import { expect, test } from "vitest";
import type { Primitive } from "./glb";
import { fitting, mostTellingFirst, type Listed } from "./telling";

/** A tile by what its elements cost (triangles, price), the cheapest first. */
function tile(elements: readonly (readonly [triangles: number, price: number])[], far = 1): Listed {
  return { prices: Float32Array.from(elements, ([, price]) => price), far, triangles: (count) => elements.slice(0, count).reduce((sum, [n]) => sum + n, 0) };
}

test("elements are numbered by what they tell for their triangles, everything that goes by their numbers with them", () => {
  const feature = Uint32Array.of(0, 0, 0, 1, 1, 1); // a chair of three triangles and a wall of one
  const edge: Primitive = {
    kind: "edges", position: { array: new Float32Array(18), size: 3, normalized: false }, normal: null, color: null, baseColor: [1, 1, 1, 1],
    feature, index: Uint16Array.of(0, 1), vertices: 6, matrix: [],
  };
  const surface: Primitive = { ...edge, kind: "opaque", index: Uint16Array.of(0, 1, 2, 0, 2, 1, 1, 0, 2, 3, 4, 5) };
  const boxes = Float64Array.of(0, 0, 0, 1, 1, 1, 2, 0, 0, 8, 0, 3);
  const made = mostTellingFirst({ primitives: [surface, edge], globalIds: ["chair", "wall"], boxes });
  expect(made.globalIds).toEqual(["wall", "chair"]);
  expect([...made.boxes]).toEqual([2, 0, 0, 8, 0, 3, 0, 0, 0, 1, 1, 1]);
  expect([...feature]).toEqual([1, 1, 1, 0, 0, 0]); // once, though two draws share it
  expect(made.prices[0]).toBeCloseTo(1 / 45);
  expect(made.prices[1]).toBeCloseTo(1);
});

test("within a budget each tile shows what tells most, near things rather than far ones", () => {
  const shell = tile([[12, 0.1], [12, 0.2], [4000, 900]]);
  const near = tile([[100, 2], [100, 3]]);
  const far = tile([[100, 2], [100, 3]], 1000);
  expect(fitting([shell, near, far], 1e9)).toEqual([3, 2, 2]);
  expect(fitting([shell, near, far], 230)).toEqual([2, 2, 0]);
  expect(fitting([shell, near, far], 330)).toEqual([2, 2, 1]);
});

test("what does not fit leaves its place to what does", () => {
  const terrain = tile([[12, 0.1], [400_000, 1]]);
  const house = tile([[12, 0.5], [300, 50], [300, 60]]);
  expect(fitting([terrain, house], 1000)).toEqual([1, 3]);
  const chairs = tile(Array.from({ length: 400 }, () => [3700, 2000])); // as many as fit of what costs the same
  expect(fitting([chairs, house], 40_000)).toEqual([10, 3]);
});

test("something is always shown", () => {
  expect(fitting([tile([[50_000, 9]]), tile([[40_000, 1], [9, 2]])], 1000)).toEqual([0, 1]);
  expect(fitting([], 1000)).toEqual([]);
});
