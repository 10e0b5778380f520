import { expect, test } from "vitest";
import { joined, withNormals } from "./flat";
import type { Attribute, Primitive } from "./glb";
import { IDENTITY } from "./matrix";

// A wedge: its floor and its slope share two corners; a smooth triangle lies behind in the same array.
const PLACES = new Float32Array([0, 0, 0, 2, 0, 0, 2, 2, 0, 0, 2, 0, 2, 0, 2, 2, 2, 2, 9, 9, 9, 8, 9, 9, 9, 8, 9]);
const COLORS = new Uint8Array(Array.from({ length: 9 }, (_, v) => [v, v, v, 255]).flat());

function primitive(change: Partial<Primitive>): Primitive {
  return {
    kind: "opaque", position: { array: PLACES, size: 3, normalized: false }, normal: null,
    color: { array: COLORS, size: 4, normalized: true }, baseColor: [1, 1, 1, 1],
    feature: Uint32Array.from({ length: 9 }, (_, v) => v), index: new Uint16Array([0, 2, 1, 0, 3, 2, 0, 4, 5, 0, 5, 3]), vertices: 9,
    matrix: IDENTITY, ...change,
  };
}

const smooth = (): Primitive =>
  primitive({
    position: { array: PLACES.subarray(18), size: 3, normalized: false }, color: { array: COLORS.subarray(24), size: 4, normalized: true },
    normal: { array: new Int8Array([0, 127, 0, 0, 0, 127, 0, 0, 0, 127, 0, 0]), size: 4, normalized: true },
    feature: new Uint32Array([6, 7, 8]), index: new Uint16Array([0, 1, 2]), vertices: 3,
  });

const normalAt = (p: Primitive, corner: number): number[] => {
  const { array } = p.normal as Attribute<Int8Array>;
  const v = (p.index as Uint16Array)[corner] as number;
  return Array.from(array.subarray(v * 4, v * 4 + 3));
};

test("a corner where two flat sides meet has a normal of each", () => {
  const [flat] = withNormals([primitive({})]) as [Primitive];
  const slope = Math.round(Math.SQRT1_2 * 127);
  for (let corner = 0; corner < 6; corner++) expect(normalAt(flat, corner)).toEqual([0, 0, -127]);
  for (let corner = 6; corner < 12; corner++) expect(normalAt(flat, corner)).toEqual([-slope, 0, slope]);
  expect(flat.vertices).toBe(11); // corners 0 and 3 twice
  const index = Array.from(flat.index as Uint16Array);
  const place = (i: number): number[] => Array.from(flat.position.array.subarray((index[i] as number) * 3, (index[i] as number) * 3 + 3));
  expect(place(6)).toEqual([0, 0, 0]);
  expect(flat.feature[index[6] as number]).toBe(0);
  expect((flat.color as Attribute<Uint8Array>).array[(index[11] as number) * 4]).toBe(3);
});

test("smooth triangles and edges of the same vertices keep their rows and share the new arrays", () => {
  const edges = primitive({ kind: "edges", color: null, index: new Uint16Array([0, 3, 6, 7]) });
  const [flat, bent, lines] = withNormals([primitive({}), smooth(), edges]) as [Primitive, Primitive, Primitive];
  expect(Array.from(bent.index as Uint16Array)).toEqual([6, 7, 8]);
  expect(normalAt(bent, 1)).toEqual([0, 127, 0]);
  expect(Array.from(lines.index as Uint16Array)).toEqual([0, 3, 6, 7]);
  expect(lines.normal).toBeNull();
  expect(new Set([flat, bent, lines].map((p) => p.position.array)).size).toBe(1);
  expect((flat.color as Attribute<Uint8Array>).array[8 * 4]).toBe(8);
});

test("flat and smooth surfaces of a tile become one draw", () => {
  const [surface, lines, ...more] = joined(withNormals([primitive({}), smooth(), primitive({ kind: "edges", color: null })])) as [Primitive, Primitive];
  expect([surface.kind, lines.kind, more.length]).toEqual(["opaque", "edges", 0]);
  expect(surface.index).toHaveLength(15);
  expect(normalAt(surface, 13)).toEqual([0, 127, 0]);
});

test("primitives with normals, and a triangle without area, are left in peace", () => {
  const bent = smooth();
  expect(withNormals([bent])).toEqual([bent]);
  const [none] = withNormals([primitive({ index: new Uint16Array([0, 0, 1]) })]) as [Primitive];
  expect(normalAt(none, 0)).toEqual([0, 0, 127]);
});
