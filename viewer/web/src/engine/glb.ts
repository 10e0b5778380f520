/**
 * Reads a tile: a GLB with the handful of extensions that our tiles use, into arrays that go to the GPU as they are.
 *
 * three's GLTFLoader would make a scene graph with materials per primitive; a tile is three draws and a table of
 * names, so this is smaller and several times faster, and it runs in a worker without three.js.
 */
import { layOut, type Copy, type Values } from "./copies";
import { joined, withNormals } from "./flat";
import { grouped, type Grouped } from "./grouped";
import { globalIdFromBytes } from "./guid";
import { mostTellingFirst } from "./telling";
import { Y_UP_TO_Z_UP, apply, compose, multiply, type Matrix } from "./matrix";

export type PrimitiveKind = "opaque" | "transparent" | "edges";

/** Vertices are padded to four components where the file pads them: `size` components per vertex, three of them used. */
export interface Attribute<T> {
  readonly array: T;
  readonly size: number;
  readonly normalized: boolean;
}

export interface Primitive {
  readonly kind: PrimitiveKind;
  readonly position: Attribute<Uint16Array | Int16Array | Uint8Array | Int8Array | Float32Array>;
  /** Missing on edges only, once a tile is read. */
  readonly normal: Attribute<Int8Array | Int16Array | Float32Array> | null;
  /** Linear RGBA, as glTF wants it. */
  readonly color: Attribute<Uint8Array | Uint16Array | Float32Array> | null;
  /** Used for every vertex where there is no `color`. */
  readonly baseColor: readonly [number, number, number, number];
  /** Feature of each vertex, counted over the tile. */
  readonly feature: Uint32Array;
  readonly index: Uint8Array | Uint16Array | Uint32Array | null;
  /** Vertices of this primitive; the arrays may go on beyond, where another primitive shares them. */
  readonly vertices: number;
  /** Vertex → building frame (z up, m), float64, column-major. */
  readonly matrix: Matrix;
}

export interface TileData {
  readonly primitives: readonly Grouped[];
  /** GlobalId per feature; "" for one that the property table does not name. */
  readonly globalIds: readonly string[];
  /** (features, 6) min and max of each feature in the building frame, m; min > max for one without vertices. */
  readonly boxes: Float64Array;
  /** (features) what each costs to draw for what it tells, ascending: see telling.ts. */
  readonly prices: Float32Array;
}

/** Fills `target` with `count` elements of `size` bytes, as meshoptimizer's decoder does. */
export type MeshoptDecode = (
  target: Uint8Array, count: number, size: number, source: Uint8Array, mode: string, filter?: string,
) => void;

/** A GLB that cannot be used; the message says what is wrong with it. */
export class BadTile extends Error {
  override readonly name = "BadTile";
}

interface Meshopt {
  buffer: number; byteOffset?: number; byteLength: number; byteStride: number; count: number; mode: string; filter?: string;
}
interface BufferView {
  buffer: number; byteOffset?: number; byteLength: number; byteStride?: number;
  extensions?: { EXT_meshopt_compression?: Meshopt; KHR_meshopt_compression?: Meshopt };
}
interface Accessor {
  bufferView?: number; byteOffset?: number; componentType: number; count: number; type: string; normalized?: boolean;
}
interface FeatureIds { featureCount: number; attribute?: number; propertyTable?: number }
interface GltfPrimitive {
  attributes: Record<string, number>; indices?: number; material?: number; mode?: number;
  extensions?: { EXT_mesh_features?: { featureIds: FeatureIds[] } };
}
interface GltfNode {
  mesh?: number; children?: number[]; matrix?: number[]; translation?: number[]; rotation?: number[]; scale?: number[];
  extensions?: {
    EXT_mesh_gpu_instancing?: { attributes: Record<string, number> };
    EXT_instance_features?: { featureIds: FeatureIds[] };
  };
}
interface PropertyTable {
  class: string; count: number;
  properties?: Record<string, { values: number; stringOffsets?: number; stringOffsetType?: string }>;
}
interface Metadata {
  schema?: { classes?: Record<string, { properties?: Record<string, { type: string; componentType?: string; count?: number }> }> };
  propertyTables?: PropertyTable[];
}
interface Gltf {
  asset?: { version?: string }; scene?: number; scenes?: { nodes?: number[] }[]; nodes?: GltfNode[];
  meshes?: { primitives: GltfPrimitive[] }[]; bufferViews?: BufferView[]; accessors?: Accessor[];
  materials?: { alphaMode?: string; pbrMetallicRoughness?: { baseColorFactor?: number[] } }[];
  extensionsRequired?: string[]; extensions?: { EXT_structural_metadata?: Metadata };
}

const UNDERSTOOD = new Set([
  "KHR_mesh_quantization", "EXT_meshopt_compression", "KHR_meshopt_compression", "EXT_mesh_features",
  "EXT_structural_metadata", "KHR_materials_unlit", "EXT_mesh_gpu_instancing", "EXT_instance_features",
]);
const COMPONENTS: Record<string, number> = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4 };
const ARRAYS = {
  5120: Int8Array, 5121: Uint8Array, 5122: Int16Array, 5123: Uint16Array, 5125: Uint32Array, 5126: Float32Array,
} as const;
type AnyArray = Int8Array | Uint8Array | Int16Array | Uint16Array | Uint32Array | Float32Array;
const LINES = 1;
const TRIANGLES = 4;

/** Split a GLB into its JSON and its binary chunk. Throws BadTile. */
export function readContainer(buffer: ArrayBuffer): { json: unknown; binary: Uint8Array } {
  const view = new DataView(buffer);
  if (buffer.byteLength < 20 || view.getUint32(0, true) !== 0x46546c67) throw new BadTile("not a GLB: no glTF magic");
  const length = view.getUint32(8, true);
  if (length > buffer.byteLength) throw new BadTile(`cut off: ${buffer.byteLength} of ${length} bytes`);
  let json: unknown = null;
  let binary = new Uint8Array(0);
  for (let at = 12; at + 8 <= length; ) {
    const size = view.getUint32(at, true);
    const kind = view.getUint32(at + 4, true);
    if (at + 8 + size > length) throw new BadTile("cut off inside a chunk");
    const bytes = new Uint8Array(buffer, at + 8, size);
    if (kind === 0x4e4f534a) json = JSON.parse(new TextDecoder().decode(bytes)) as unknown;
    else if (kind === 0x004e4942) binary = bytes;
    at += 8 + size;
  }
  if (json === null) throw new BadTile("no JSON chunk");
  return { json, binary };
}

/** Decode a tile. `decode` is meshoptimizer's `decodeGltfBuffer`, whose wasm must be ready. Throws BadTile. */
export function parseTile(buffer: ArrayBuffer, decode: MeshoptDecode): TileData {
  const { json, binary } = readContainer(buffer);
  return new Reader(json as Gltf, binary, decode).read();
}

class Reader {
  readonly #gltf: Gltf;
  readonly #binary: Uint8Array;
  readonly #decode: MeshoptDecode;
  readonly #views = new Map<number, { bytes: Uint8Array; stride: number | undefined }>();
  /** Arrays by what they show, so that primitives that share vertices share them on the GPU too. */
  readonly #shared = new Map<string, Attribute<AnyArray>>();
  readonly #sharedFeatures = new Map<string, Uint32Array>();
  /** First feature of each property table: ids of several tables are laid one behind the other. */
  readonly #tableStart: number[] = [];
  readonly #copies: Copy[] = [];
  #features = 0;

  constructor(gltf: Gltf, binary: Uint8Array, decode: MeshoptDecode) {
    this.#gltf = gltf;
    this.#binary = binary;
    this.#decode = decode;
  }

  read(): TileData {
    const strange = (this.#gltf.extensionsRequired ?? []).filter((name) => !UNDERSTOOD.has(name));
    if (strange.length > 0) throw new BadTile(`requires ${strange.join(", ")}, which this viewer does not know`);
    const globalIds = this.#readNames();
    const placed: Primitive[] = [];
    const scene = this.#gltf.scenes?.[this.#gltf.scene ?? 0];
    for (const node of scene?.nodes ?? []) this.#readNode(node, Y_UP_TO_Z_UP, placed, 0);
    const primitives = this.#laidOut(placed);
    for (const { feature, vertices } of primitives)
      for (let v = 0; v < vertices; v++) if ((feature[v] as number) >= this.#features) this.#features = (feature[v] as number) + 1;
    while (globalIds.length < this.#features) globalIds.push("");
    const named = mostTellingFirst({ primitives, globalIds, boxes: featureBoxes(primitives, globalIds.length) });
    return { primitives: primitives.map((one) => grouped(one, globalIds.length)), ...named };
  }

  /** Everything with normals of its own, copies laid out. */
  #laidOut(placed: readonly Primitive[]): Primitive[] {
    const all = withNormals([...placed, ...this.#copies.flatMap((copy) => copy.primitives)]);
    const ready = joined(all.splice(0, placed.length));
    if (this.#copies.length === 0) return ready;
    const copies = this.#copies.map((copy) => ({ ...copy, primitives: all.splice(0, copy.primitives.length) }));
    return layOut(ready, copies, valuesOf);
  }

  #readNode(index: number, parent: Matrix, out: Primitive[], depth: number): void {
    const node = this.#gltf.nodes?.[index];
    if (!node || depth > 32) throw new BadTile(`node ${index} is missing or nested too deep`);
    const own = node.matrix ?? compose(node.translation ?? [0, 0, 0], node.rotation ?? [0, 0, 0, 1], node.scale ?? [1, 1, 1]);
    const matrix = multiply(parent, own);
    if (node.mesh !== undefined) {
      const read: Primitive[] = [];
      for (const primitive of this.#gltf.meshes?.[node.mesh]?.primitives ?? []) {
        const one = this.#readPrimitive(primitive, matrix);
        if (one) read.push(one);
      }
      if (node.extensions?.EXT_mesh_gpu_instancing) this.#readCopies(node, node.extensions.EXT_mesh_gpu_instancing.attributes, read);
      else out.push(...read);
    }
    for (const child of node.children ?? []) this.#readNode(child, matrix, out, depth + 1);
  }

  #readCopies(node: GltfNode, attributes: Record<string, number>, primitives: readonly Primitive[]): void {
    const { TRANSLATION, ROTATION, SCALE } = attributes;
    const any = TRANSLATION ?? ROTATION ?? SCALE;
    if (any === undefined) throw new BadTile("instances without a transform");
    const values = (accessor: number | undefined): Values | null =>
      accessor === undefined ? null : valuesOf(this.#attribute<AnyArray>(accessor));
    const count = this.#accessor(any).count;
    const ids = node.extensions?.EXT_instance_features?.featureIds[0];
    const named = values(attributes[`_FEATURE_ID_${ids?.attribute ?? 0}`]);
    const start = this.#tableStart[ids?.propertyTable ?? 0] ?? 0;
    const feature = Uint32Array.from({ length: count }, (_, i) => start + (named?.(i, 0) ?? 0));
    this.#copies.push({ primitives, count, translation: values(TRANSLATION), rotation: values(ROTATION), scale: values(SCALE), feature });
  }

  #readPrimitive(primitive: GltfPrimitive, matrix: Matrix): Primitive | null {
    const mode = primitive.mode ?? TRIANGLES;
    if (mode !== TRIANGLES && mode !== LINES) throw new BadTile(`primitive mode ${mode}: only triangles and lines`);
    const { POSITION, NORMAL, COLOR_0: COLOR } = primitive.attributes;
    if (POSITION === undefined) throw new BadTile("a primitive without POSITION");
    const position = this.#attribute<Primitive["position"]["array"]>(POSITION);
    const vertices = this.#accessor(POSITION).count;
    if (vertices === 0) return null;
    const material = primitive.material === undefined ? undefined : this.#gltf.materials?.[primitive.material];
    const base = material?.pbrMetallicRoughness?.baseColorFactor ?? [1, 1, 1, 1];
    return {
      kind: mode === LINES ? "edges" : material?.alphaMode === "BLEND" ? "transparent" : "opaque",
      position,
      normal: NORMAL === undefined ? null : this.#attribute<Int8Array | Int16Array | Float32Array>(NORMAL),
      color: COLOR === undefined ? null : this.#attribute<Uint8Array | Uint16Array | Float32Array>(COLOR),
      baseColor: [base[0] ?? 1, base[1] ?? 1, base[2] ?? 1, base[3] ?? 1],
      feature: this.#featureIds(primitive, vertices),
      index: primitive.indices === undefined ? null : this.#indices(primitive.indices),
      vertices,
      matrix,
    };
  }

  #featureIds(primitive: GltfPrimitive, vertices: number): Uint32Array {
    const ids = primitive.extensions?.EXT_mesh_features?.featureIds[0];
    const accessor = primitive.attributes[`_FEATURE_ID_${ids?.attribute ?? 0}`];
    const start = this.#tableStart[ids?.propertyTable ?? 0] ?? 0;
    if (accessor === undefined) return new Uint32Array(vertices).fill(start);
    const { bufferView, byteOffset } = this.#accessor(accessor);
    const key = `${bufferView}/${byteOffset ?? 0}/${start}`;
    const { array, size } = this.#attribute<AnyArray>(accessor);
    const count = Math.ceil(array.length / size);
    const known = this.#sharedFeatures.get(key);
    if (known?.length === count) return known;
    const out = new Uint32Array(count);
    for (let i = 0; i < count; i++) out[i] = start + (array[i * size] as number);
    this.#sharedFeatures.set(key, out);
    return out;
  }

  #indices(accessor: number): Uint8Array | Uint16Array | Uint32Array {
    const { array, size } = this.#attribute<Uint16Array | Uint32Array>(accessor);
    if (size !== 1) throw new BadTile("indices with a stride");
    return array;
  }

  #accessor(index: number): Accessor {
    const accessor = this.#gltf.accessors?.[index];
    if (!accessor) throw new BadTile(`accessor ${index} is missing`);
    return accessor;
  }

  /** An accessor's values, without a copy where its buffer view holds nothing else. */
  #attribute<T extends AnyArray>(index: number): Attribute<T> {
    const accessor = this.#accessor(index);
    const Type = ARRAYS[accessor.componentType as keyof typeof ARRAYS];
    const components = COMPONENTS[accessor.type];
    if (!Type || !components) throw new BadTile(`accessor ${index}: ${accessor.type} of ${accessor.componentType}`);
    if (accessor.bufferView === undefined) throw new BadTile(`accessor ${index} has no buffer view`);
    const view = this.#view(accessor.bufferView);
    const bytes = Type.BYTES_PER_ELEMENT;
    const stride = view.stride ?? components * bytes;
    const offset = accessor.byteOffset ?? 0;
    const normalized = accessor.normalized ?? false;
    const end = offset + stride * (accessor.count - 1) + components * bytes;
    if (accessor.count > 0 && end > view.bytes.byteLength) throw new BadTile(`accessor ${index} reaches beyond its view`);
    const start = view.bytes.byteOffset + offset;
    // Everything from here to the end of the view: a primitive that uses more of it then shares the array.
    const rows = view.stride === undefined ? accessor.count : Math.floor((view.bytes.byteLength - offset - components * bytes) / stride) + 1;
    const key = `${accessor.bufferView}/${offset}/${accessor.componentType}/${accessor.type}/${rows}/${normalized}`;
    const known = this.#shared.get(key);
    if (known) return known as Attribute<T>;
    const size = stride / bytes;
    let made: Attribute<AnyArray>;
    if (start % bytes === 0 && Number.isInteger(size) && size <= 4 && offset % stride === 0) {
      const values = Math.min(rows * size, Math.floor((view.bytes.byteLength - offset) / bytes));
      made = { array: new Type(view.bytes.buffer as ArrayBuffer, start, values), size, normalized };
    } else {
      const out = new Type(rows * components);
      const source = new DataView(view.bytes.buffer, start);
      for (let i = 0; i < rows; i++)
        for (let c = 0; c < components; c++) out[i * components + c] = readNumber(source, i * stride + c * bytes, accessor.componentType);
      made = { array: out, size: components, normalized };
    }
    this.#shared.set(key, made);
    return made as Attribute<T>;
  }

  #view(index: number): { bytes: Uint8Array; stride: number | undefined } {
    const known = this.#views.get(index);
    if (known) return known;
    const view = this.#gltf.bufferViews?.[index];
    if (!view) throw new BadTile(`buffer view ${index} is missing`);
    const packed = view.extensions?.EXT_meshopt_compression ?? view.extensions?.KHR_meshopt_compression;
    const from = packed ?? view;
    const start = from.byteOffset ?? 0;
    if (from.buffer !== 0 || start + from.byteLength > this.#binary.byteLength)
      throw new BadTile(`buffer view ${index} lies outside of the binary chunk`);
    const source = this.#binary.subarray(start, start + from.byteLength);
    let bytes = source;
    if (packed) {
      bytes = new Uint8Array(packed.count * packed.byteStride);
      this.#decode(bytes, packed.count, packed.byteStride, source, packed.mode, packed.filter);
    }
    const made = { bytes, stride: view.byteStride };
    this.#views.set(index, made);
    return made;
  }

  /** GlobalIds of all property tables, one behind the other. */
  #readNames(): string[] {
    const metadata = this.#gltf.extensions?.EXT_structural_metadata;
    const names: string[] = [];
    for (const table of metadata?.propertyTables ?? []) {
      this.#tableStart.push(names.length);
      const property = table.properties?.["global_id"];
      const declared = metadata?.schema?.classes?.[table.class]?.properties?.["global_id"];
      if (!property || !declared) {
        for (let i = 0; i < table.count; i++) names.push("");
        continue;
      }
      const values = this.#view(property.values).bytes;
      if (declared.type === "STRING") this.#readStrings(names, values, table.count, property);
      else for (let i = 0; i < table.count; i++) names.push(globalIdFromBytes(values, i * (declared.count ?? 16)));
    }
    this.#features = names.length;
    return names;
  }

  #readStrings(out: string[], values: Uint8Array, count: number, property: { stringOffsets?: number; stringOffsetType?: string }): void {
    if (property.stringOffsets === undefined) throw new BadTile("a string property without offsets");
    const offsets = this.#view(property.stringOffsets).bytes;
    const view = new DataView(offsets.buffer, offsets.byteOffset, offsets.byteLength);
    const type = property.stringOffsetType ?? "UINT32";
    const at = (i: number): number =>
      type === "UINT8" ? view.getUint8(i)
      : type === "UINT16" ? view.getUint16(i * 2, true)
      : type === "UINT64" ? Number(view.getBigUint64(i * 8, true))
      : view.getUint32(i * 4, true);
    const decoder = new TextDecoder();
    for (let i = 0; i < count; i++) out.push(decoder.decode(values.subarray(at(i), at(i + 1))));
  }
}

function readNumber(view: DataView, at: number, type: number): number {
  switch (type) {
    case 5120: return view.getInt8(at);
    case 5121: return view.getUint8(at);
    case 5122: return view.getInt16(at, true);
    case 5123: return view.getUint16(at, true);
    case 5125: return view.getUint32(at, true);
    default: return view.getFloat32(at, true);
  }
}

/** An attribute's numbers, what is normalised as a fraction. */
function valuesOf({ array, size, normalized }: Attribute<AnyArray>): Values {
  const scale = unitOf({ array, size, normalized });
  return (index, component) => (array[index * size + component] as number) * scale;
}

/** What a stored integer counts for when it is normalised. */
export function unitOf(attribute: Attribute<AnyArray>): number {
  if (!attribute.normalized) return 1;
  const a = attribute.array;
  return a instanceof Uint16Array ? 1 / 65535 : a instanceof Int16Array ? 1 / 32767
    : a instanceof Uint8Array ? 1 / 255 : a instanceof Int8Array ? 1 / 127 : 1;
}

/**
 * (features, 6) boxes in the building frame. Boxes are taken in the mesh's own frame and their corners turned, which
 * is exact for the axis-parallel turns that tiles have.
 */
function featureBoxes(primitives: readonly Primitive[], features: number): Float64Array {
  const boxes = new Float64Array(features * 6);
  for (let f = 0; f < features; f++) boxes.set([Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity], f * 6);
  const own = new Float64Array(features * 6);
  for (const { kind, position, feature, vertices, matrix } of primitives) {
    if (kind === "edges") continue;
    const { array, size } = position;
    const scale = unitOf(position);
    for (let f = 0; f < features; f++) own.set([Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity], f * 6);
    for (let v = 0; v < vertices; v++) {
      const to = (feature[v] as number) * 6;
      for (let c = 0; c < 3; c++) {
        const value = (array[v * size + c] as number) * scale;
        if (value < (own[to + c] as number)) own[to + c] = value;
        if (value > (own[to + 3 + c] as number)) own[to + 3 + c] = value;
      }
    }
    for (let f = 0; f < features; f++) if ((own[f * 6] as number) !== Infinity) growByCorners(boxes, own, f * 6, matrix);
  }
  return boxes;
}

function growByCorners(boxes: Float64Array, own: Float64Array, at: number, matrix: Matrix): void {
  for (let corner = 0; corner < 8; corner++) {
    const p = apply(
      matrix,
      own[at + (corner & 1 ? 3 : 0)] as number,
      own[at + (corner & 2 ? 4 : 1)] as number,
      own[at + (corner & 4 ? 5 : 2)] as number,
    );
    for (let c = 0; c < 3; c++) {
      boxes[at + c] = Math.min(boxes[at + c] as number, p[c] as number);
      boxes[at + 3 + c] = Math.max(boxes[at + 3 + c] as number, p[c] as number);
    }
  }
}

