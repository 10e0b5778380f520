import { MeshoptDecoder } from "meshoptimizer/decoder";
import { MeshoptEncoder } from "meshoptimizer/encoder";
import { beforeAll, expect, test } from "vitest";
import { BadTile, parseTile, type TileData } from "./glb";
import { bytesFromGlobalId } from "./guid";

const IDS = ["1CsQ7ufCrFZPfV3NvDdebQ", "0CsQ7ufCrFZPfV3NvDdebQ"];
const EAST = 500_000.25; // a real project's easting: float32 keeps 3 cm there
const NORTH = 3_400_000.5;

beforeAll(async () => {
  await MeshoptDecoder.ready;
  await MeshoptEncoder.ready;
});

const parse = (glb: ArrayBuffer): TileData => parseTile(glb, MeshoptDecoder.decodeGltfBuffer);

interface Part { bytes: Uint8Array; view: Record<string, unknown> }

function meshopt(bytes: Uint8Array, count: number, stride: number, mode: "ATTRIBUTES" | "TRIANGLES" | "INDICES"): Part {
  const encoded = MeshoptEncoder.encodeGltfBuffer(bytes, count, stride, mode);
  const packed = { buffer: 0, byteLength: encoded.length, byteStride: stride, count, mode };
  return {
    bytes: encoded,
    view: { buffer: 1, byteLength: count * stride, ...(mode === "ATTRIBUTES" ? { byteStride: stride } : {}), extensions: { EXT_meshopt_compression: packed } },
  };
}

const plain = (bytes: Uint8Array): Part => ({ bytes, view: { buffer: 0, byteLength: bytes.length } });
const bytesOf = (array: { buffer: ArrayBufferLike }): Uint8Array => new Uint8Array(array.buffer);

/** A GLB as viewer/glb.py writes it: two triangles (an opaque one, a clear one) of two elements, 2 m wide, and an edge. */
function makeGlb(change: (gltf: Record<string, unknown>) => void = () => undefined): ArrayBuffer {
  const full = 65535;
  const corners = [[0, 0, 0], [full, 0, 0], [0, full, 0], [0, 0, full], [full, 0, full], [0, full, full]];
  const packed = new Uint16Array(corners.flatMap(([x, y, z], i) => [x as number, y as number, z as number, i < 3 ? 0 : 1]));
  const normals = new Int8Array(corners.flatMap(() => [0, 0, 127, 0]));
  const colors = new Uint8Array(corners.flatMap((_, i) => [200, 100, 50, i < 3 ? 255 : 80]));
  const names = new Uint8Array(IDS.flatMap((id) => [...bytesFromGlobalId(id)]));
  const parts = [
    meshopt(bytesOf(packed), 6, 8, "ATTRIBUTES"), meshopt(bytesOf(normals), 6, 4, "ATTRIBUTES"), meshopt(bytesOf(colors), 6, 4, "ATTRIBUTES"),
    meshopt(bytesOf(new Uint16Array([0, 1, 2])), 3, 2, "TRIANGLES"), meshopt(bytesOf(new Uint16Array([0, 1])), 2, 2, "INDICES"), plain(names),
  ];
  let at = 0;
  for (const part of parts) {
    const packedView = (part.view["extensions"] as { EXT_meshopt_compression?: Record<string, unknown> } | undefined)?.EXT_meshopt_compression;
    (packedView ?? part.view)["byteOffset"] = at;
    at += part.bytes.length + (-part.bytes.length & 7);
  }
  const accessor = (bufferView: number, componentType: number, type: string, count: number, more = {}): object => ({ bufferView, componentType, type, count, ...more });
  const features = { EXT_mesh_features: { featureIds: [{ featureCount: 2, attribute: 0, propertyTable: 0 }] } };
  const surface = (first: number): object => ({ POSITION: first, _FEATURE_ID_0: first + 1, NORMAL: first + 2, COLOR_0: first + 3 });
  const gltf: Record<string, unknown> = {
    asset: { version: "2.0" }, scene: 0, scenes: [{ nodes: [0] }],
    nodes: [{ rotation: [-Math.SQRT1_2, 0, 0, Math.SQRT1_2], children: [1] }, { mesh: 0, translation: [EAST, NORTH, 12], scale: [2, 2, 2] }],
    meshes: [{ primitives: [
      { attributes: surface(0), indices: 8, material: 0, mode: 4, extensions: features },
      { attributes: surface(4), indices: 8, material: 1, mode: 4, extensions: features },
      { attributes: { POSITION: 10, _FEATURE_ID_0: 11 }, indices: 9, material: 0, mode: 1, extensions: features },
    ] }],
    materials: [{}, { alphaMode: "BLEND" }],
    accessors: [
      ...[0, 3].flatMap((first) => [
        accessor(0, 5123, "VEC3", 3, { normalized: true, byteOffset: first * 8 }), accessor(0, 5123, "SCALAR", 3, { byteOffset: first * 8 + 6 }),
        accessor(1, 5120, "VEC3", 3, { normalized: true, byteOffset: first * 4 }), accessor(2, 5121, "VEC4", 3, { normalized: true, byteOffset: first * 4 }),
      ]),
      accessor(3, 5123, "SCALAR", 3), accessor(4, 5123, "SCALAR", 2),
      accessor(0, 5123, "VEC3", 6, { normalized: true }), accessor(0, 5123, "SCALAR", 6, { byteOffset: 6 }),
    ],
    bufferViews: parts.map((p) => p.view),
    buffers: [{ byteLength: at }, { byteLength: 1000 }],
    extensionsRequired: ["EXT_meshopt_compression", "KHR_mesh_quantization"],
    extensions: { EXT_structural_metadata: {
      schema: { classes: { element: { properties: { global_id: { type: "SCALAR", componentType: "UINT8", array: true, count: 16 } } } } },
      propertyTables: [{ class: "element", count: 2, properties: { global_id: { values: 5 } } }],
    } },
  };
  change(gltf);
  const text = new TextEncoder().encode(JSON.stringify(gltf));
  const json = text.length + (-text.length & 3);
  const glb = new ArrayBuffer(12 + 8 + json + 8 + at);
  const view = new DataView(glb);
  const out = new Uint8Array(glb);
  [0x46546c67, 2, glb.byteLength, json, 0x4e4f534a].forEach((n, i) => view.setUint32(i * 4, n, true));
  out.fill(32, 20, 20 + json);
  out.set(text, 20);
  view.setUint32(20 + json, at, true);
  view.setUint32(24 + json, 0x004e4942, true);
  let to = 28 + json;
  for (const part of parts) {
    out.set(part.bytes, to);
    to += part.bytes.length + (-part.bytes.length & 7);
  }
  return glb;
}

test("a tile is an opaque, a transparent and an edge primitive and the names of its features", () => {
  const tile = parse(makeGlb());
  expect(tile.primitives.map((p) => p.kind)).toEqual(["opaque", "transparent", "edges"]);
  expect(tile.globalIds).toEqual(IDS);
  const [opaque, clear] = tile.primitives;
  expect([...(opaque?.feature.subarray(0, 3) ?? [])]).toEqual([0, 0, 0]);
  expect([...(clear?.feature.subarray(0, 3) ?? [])]).toEqual([1, 1, 1]);
  expect(opaque?.color?.array[3]).toBe(255);
  expect(clear?.color?.array[3]).toBe(80);
});

test("boxes are in the building frame, z up, and exact half a million metres from its origin", () => {
  const { boxes } = parse(makeGlb());
  // The inner node's axes are the building's; the outer one only turns them for glTF.
  const expected = [EAST, NORTH, 12, EAST + 2, NORTH + 2, 12];
  expected.forEach((value, i) => expect(boxes[i]).toBeCloseTo(value, 6));
  expect(boxes[6 + 2]).toBeCloseTo(14, 6);
});

test("primitives that share vertices share the arrays", () => {
  const [opaque, , edges] = parse(makeGlb()).primitives;
  expect(edges?.position.array).toBe(opaque?.position.array);
  expect(edges?.feature).toBe(opaque?.feature);
});

test("GlobalIds that are no UUIDs come as text", () => {
  const tile = parse(makeGlb((gltf) => {
    const views = gltf["bufferViews"] as Record<string, unknown>[];
    const names = views[5] as { byteOffset: number };
    // The 32 bytes of the table hold "…": read them as two texts of 1 and 2 bytes through offsets of their own.
    views.push({ buffer: 0, byteOffset: names.byteOffset, byteLength: 3 }, { buffer: 0, byteOffset: names.byteOffset, byteLength: 3 });
    const metadata = (gltf["extensions"] as { EXT_structural_metadata: { schema: { classes: object }; propertyTables: object[] } }).EXT_structural_metadata;
    metadata.schema.classes = { element: { properties: { global_id: { type: "STRING" } } } };
    metadata.propertyTables = [{ class: "element", count: 2, properties: { global_id: { values: 6, stringOffsets: 7, stringOffsetType: "UINT8" } } }];
  }));
  expect(tile.globalIds).toHaveLength(2);
});

test("a tile that cannot be used says why", () => {
  expect(() => parse(new ArrayBuffer(4))).toThrow("not a GLB");
  expect(() => parse(makeGlb().slice(0, 400))).toThrow("cut off");
  expect(() => parse(makeGlb((g) => void (g["extensionsRequired"] = ["KHR_draco_mesh_compression"])))).toThrow(/requires KHR_draco/);
  expect(() => parse(makeGlb((g) => void ((g["accessors"] as { count: number }[])[0] = { ...(g["accessors"] as { count: number }[])[0], count: 99 })))).toThrow(BadTile);
});
