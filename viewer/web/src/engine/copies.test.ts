import { expect, test } from "vitest";
import { layOut, type Copy } from "./copies";
import type { Attribute, Primitive } from "./glb";
import { IDENTITY } from "./matrix";

const valuesOf = (a: Attribute<never>): ((i: number, c: number) => number) => {
  const { array, size, normalized } = a as unknown as Attribute<Float32Array | Int8Array | Uint8Array>;
  const scale = !normalized ? 1 : array instanceof Int8Array ? 1 / 127 : 1 / 255;
  return (i, c) => (array[i * size + c] as number) * scale;
};

const corners = (): Float32Array => new Float32Array([0, 0, 0, 2, 0, 0, 0, 1, 0]);

/** One triangle in the plane z = 0 with its first side as an edge. */
function triangle(kind: Primitive["kind"], feature: number, array = corners()): Primitive {
  const edges = kind === "edges";
  return {
    kind,
    position: { array, size: 3, normalized: false },
    normal: edges ? null : { array: new Int8Array([0, 0, 127, 0, 0, 0, 127, 0, 0, 0, 127, 0]), size: 4, normalized: true },
    color: edges ? null : { array: new Uint8Array(12).fill(51), size: 4, normalized: true },
    baseColor: [1, 1, 1, 1],
    feature: new Uint32Array(3).fill(feature),
    index: new Uint16Array(edges ? [0, 1] : [0, 1, 2]),
    vertices: 3,
    matrix: IDENTITY,
  };
}

const at = (p: Primitive, v: number): number[] => [0, 1, 2].map((c) => Math.round((p.position.array[v * p.position.size + c] as number) * 1e5) / 1e5);

test("copies are turned, moved, named one by one, and stay one primitive per kind", () => {
  const moves = [[10, 0, 0], [0, 20, 0]];
  const half = Math.SQRT1_2;
  const turns = [[0, 0, 0, 1], [half, 0, 0, half]]; // the second a quarter about x: y becomes z
  const copy: Copy = {
    primitives: [triangle("opaque", 0), triangle("edges", 0)],
    count: 2,
    translation: (i, c) => moves[i]?.[c] ?? 0,
    rotation: (i, c) => turns[i]?.[c] ?? 0,
    scale: null,
    feature: new Uint32Array([7, 8]),
  };
  const placed = corners();
  const [opaque, edges, ...more] = layOut([triangle("opaque", 3, placed), triangle("edges", 3, placed)], [copy], valuesOf) as [Primitive, Primitive];
  expect(more).toEqual([]);
  expect([opaque.kind, edges.kind]).toEqual(["opaque", "edges"]);
  expect(Array.from(opaque.feature)).toEqual([3, 3, 3, 7, 7, 7, 8, 8, 8]);
  expect(Array.from(opaque.index as Uint16Array)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(Array.from(edges.index as Uint16Array)).toEqual([0, 1, 3, 4, 6, 7]);
  expect(at(opaque, 1)).toEqual([2, 0, 0]);
  expect(at(opaque, 4)).toEqual([12, 0, 0]);
  expect(at(opaque, 8)).toEqual([0, 20, 1]);
  expect(Array.from((opaque.normal as Attribute<Int8Array>).array.subarray(8 * 4, 8 * 4 + 3))).toEqual([0, -127, 0]);
  expect((opaque.color as Attribute<Uint8Array>).array.every((c) => c === 51)).toBe(true);
  expect(edges.position.array).toBe(opaque.position.array);
});

test("only the vertices that a copy uses are repeated", () => {
  const shared = triangle("opaque", 0);
  const first: Copy = {
    primitives: [{ ...shared, index: new Uint16Array([1, 2]), kind: "edges" }],
    count: 3, translation: () => 0, rotation: null, scale: null, feature: new Uint32Array([1, 2, 3]),
  };
  const [edges] = layOut([], [first], valuesOf) as [Primitive];
  expect(edges.vertices).toBe(6);
  expect(Array.from(edges.index as Uint16Array)).toEqual([0, 1, 2, 3, 4, 5]);
});

test("primitives with another matrix stay as they are", () => {
  const elsewhere = { ...triangle("opaque", 1), matrix: IDENTITY.map((v, i) => (i === 12 ? 5 : v)) };
  const copy: Copy = {
    primitives: [triangle("opaque", 0)], count: 1, translation: () => 0, rotation: null, scale: null, feature: new Uint32Array([2]),
  };
  const out = layOut([elsewhere], [copy], valuesOf);
  expect(out).toHaveLength(2);
  expect(out[0]).toBe(elsewhere);
});
