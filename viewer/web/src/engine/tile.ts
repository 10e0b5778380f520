/** A tile on the GPU: one draw per kind and pass, made when it is first needed. */
import { Box3, BufferAttribute, BufferGeometry, IntType, LineSegments, Matrix4, Mesh, Sphere, Vector3, type Object3D, type RawShaderMaterial } from "three";
import type { Cast } from "./cast";
import type { FeatureTable } from "./features";
import { unitOf, type Attribute, type Primitive, type TileData } from "./glb";
import type { Grouped } from "./grouped";
import type { Materials } from "./materials";
import { rowsOf } from "./shapes";
import { fitting } from "./telling";
import type { TileRef } from "./tileset";
import type { Vec3 } from "./types";

type AnyArray = ConstructorParameters<typeof BufferAttribute>[0];

/** What the page asks of a draw's arrays; the GPU alone has the others. */
type Kept = Pick<Grouped, "kind" | "position" | "index" | "starts" | "boxes" | "blocks">;

interface Part {
  readonly kind: Primitive["kind"];
  readonly data: Kept;
  /** Scene → the numbers of `data.position`, row-major 3 × 4. */
  readonly inverse: Float64Array;
  readonly base: Mesh | LineSegments;
  ghost: Mesh | null;
  overlay: Mesh | null;
}

export type Pass = "main" | "shadow";

/** How far rooms' floors are drawn above their place, m: see the vertex shader. */
const PLATE_LIFT = 0.03;

export class Tile {
  ref: TileRef;
  readonly number: number;
  /** Scene coordinates. */
  readonly box = new Box3();
  /** Of geometry in memory; 0 while it is thrown away. */
  bytes = 0;
  readonly elements: number;
  /** What each of its elements costs for what it tells, ascending. */
  readonly prices: Float32Array;
  /** How far above its place it is drawn, m: storeys pulled apart. */
  lift = 0;
  readonly #parts: Part[] = [];
  readonly #materials: Materials;
  readonly #root: Object3D;
  readonly #origin: Vec3;
  readonly #base: number;
  readonly #keep: boolean;

  /** `keep`: its arrays stay in the page, for a GPU that loses them; else the tile must be filled again then. */
  constructor(ref: TileRef, data: TileData, table: FeatureTable, materials: Materials, root: Object3D, origin: Vec3, keep = false) {
    this.ref = ref;
    this.#keep = keep;
    this.#materials = materials;
    this.#root = root;
    this.#origin = origin;
    const { tile, base } = table.addTile(data.globalIds, data.boxes);
    this.number = tile;
    this.#base = base;
    this.elements = data.globalIds.length;
    this.prices = data.prices;
    for (let f = 0; f < data.globalIds.length; f++) {
      const n = (i: number): number => (data.boxes[f * 6 + i] as number) - (origin[i % 3] as number);
      if (n(0) <= n(3)) this.box.expandByPoint(new Vector3(n(0), n(1), n(2))).expandByPoint(new Vector3(n(3), n(4), n(5)));
    }
    this.fill(data);
  }

  /** Whether its geometry is in memory. */
  get filled(): boolean {
    return this.#parts.length > 0;
  }

  /** Put the geometry (back) into memory; its elements are those that it was made with. */
  fill(data: TileData): void {
    if (data.globalIds.length !== this.elements) throw new Error(`${this.ref.uri} is another tile than before`);
    const buffers = new Buffers(this.#base, this.#keep);
    for (const primitive of data.primitives) {
      const geometry = makeGeometry(primitive, buffers);
      const base = this.#draw(geometry, primitive, this.#origin);
      const { kind, position, index, starts, boxes, blocks } = primitive;
      this.#parts.push({ kind, data: { kind, position, index, starts, boxes, blocks }, inverse: inverseOf(base, primitive), base, ghost: null, overlay: null });
    }
    this.bytes = buffers.bytes;
  }

  /** Throw the geometry away; what is known of its elements stays. */
  drop(): void {
    this.dispose();
    this.#parts.length = 0;
    this.bytes = 0;
  }

  #draw(geometry: BufferGeometry, primitive: Primitive, origin: Vec3): Mesh | LineSegments {
    const m = this.#materials;
    const room = this.ref.layer === "spaces";
    const [material, order] =
      primitive.kind === "edges" ? [room ? m.spaceEdges : m.edges, 10]
      : room ? [m.spaces, 20]
      : primitive.kind === "transparent" ? [m.glass, 30]
      : [m.opaque, 0];
    const object = primitive.kind === "edges" ? new LineSegments(geometry, material) : new Mesh(geometry, material);
    const matrix = primitive.matrix.slice();
    for (let i = 0; i < 3; i++) matrix[12 + i] = (matrix[12 + i] as number) - (origin[i] as number);
    matrix[14] = (matrix[14] as number) + this.lift;
    object.matrix.fromArray(matrix);
    object.renderOrder = order;
    this.#add(object);
    const center = this.box.getCenter(new Vector3()).applyMatrix4(new Matrix4().copy(object.matrix).invert());
    geometry.boundingSphere = new Sphere(center, 1);
    return object;
  }

  #add(object: Object3D): void {
    object.matrixAutoUpdate = false;
    object.matrixWorldAutoUpdate = false;
    object.matrixWorld.copy(object.matrix);
    object.frustumCulled = false; // `show` culls by the exact box
    object.visible = false;
    this.#root.add(object);
  }

  #again(base: Mesh | LineSegments, material: RawShaderMaterial, order: number): Mesh {
    const mesh = new Mesh(base.geometry, material);
    mesh.matrix.copy(base.matrix);
    mesh.renderOrder = order;
    this.#add(mesh);
    return mesh;
  }

  /** Of the surfaces of its first `count` elements; 0 while its geometry is thrown away. */
  triangles(count: number): number {
    return this.#parts.reduce((sum, { kind, data }) => sum + (kind === "edges" ? 0 : (data.starts[count] as number)), 0);
  }

  /** Switch this tile's draws on or off for a pass. `count`: how many of its elements are drawn; with fewer than all, no edges. */
  show(pass: Pass, count: number, table: FeatureTable): void {
    const room = this.ref.layer === "spaces";
    const counts = count > 0 ? table.counts(this.number) : { visible: 0, ghost: 0, overlay: 0 };
    for (const part of this.#parts) {
      if (part.kind !== "edges") part.base.geometry.setDrawRange(0, 3 * (part.data.starts[count] as number));
      if (pass === "main") {
        part.base.visible = part.kind === "edges" ? count === this.elements && counts.visible + counts.ghost > 0 : counts.visible > 0;
        if (part.kind === "edges") continue;
        if (counts.ghost > 0 && !room) part.ghost ??= this.#again(part.base, this.#materials.ghost, 40);
        if (counts.overlay > 0 && !room) part.overlay ??= this.#again(part.base, this.#materials.overlay, 50);
        if (part.ghost) part.ghost.visible = counts.ghost > 0;
        if (part.overlay) part.overlay.visible = counts.overlay > 0;
      } else {
        if (part.ghost) part.ghost.visible = false;
        if (part.overlay) part.overlay.visible = false;
        part.base.visible = !room && part.kind === "opaque" && counts.visible > 0;
      }
    }
  }

  /** Draw it this far above its place. */
  liftTo(metres: number): void {
    const by = metres - this.lift;
    if (by === 0) return;
    this.lift = metres;
    this.box.min.z += by;
    this.box.max.z += by;
    for (const { base, ghost, overlay, data, inverse } of this.#parts) {
      for (const object of [base, ghost, overlay]) {
        if (!object) continue;
        object.matrix.elements[14] += by;
        object.matrixWorld.copy(object.matrix);
      }
      inverse.set(inverseOf(base, data));
    }
  }

  /** Crease lines of a feature as they are drawn: two points each, scene coordinates. */
  edges(feature: number): Float64Array {
    return joined(this.#parts.filter(({ kind }) => kind === "edges").map(({ data, base }) => rowsOf(data, base.matrix, [feature - this.#base])));
  }

  /** Triangles of a feature as they are drawn: three points each, scene coordinates. */
  surface(feature: number): Float64Array {
    return joined(this.#parts.filter(({ kind }) => kind !== "edges").map(({ data, base }) => rowsOf(data, base.matrix, [feature - this.#base])));
  }

  /** Triangles of all features that are wanted, as `surface`. */
  surfaces(wanted: (feature: number) => boolean): Float64Array {
    const features = Array.from({ length: this.elements }, (_, f) => f).filter((f) => wanted(this.#base + f));
    return joined(this.#parts.filter(({ kind }) => kind !== "edges").map(({ data, base }) => rowsOf(data, base.matrix, features)));
  }

  /** Have a line of sight meet its surfaces. `plates`: a room's floor only, where it is drawn. */
  meet(cast: Cast, seen: (feature: number) => boolean, plates = false): void {
    for (const { kind, data, inverse } of this.#parts)
      if (kind !== "edges") cast.add({ solid: data, inverse, first: this.#base }, seen, plates ? { lift: PLATE_LIFT } : null);
  }

  dispose(): void {
    for (const { base, ghost, overlay } of this.#parts) {
      for (const object of [base, ghost, overlay]) if (object) this.#root.remove(object);
      base.geometry.dispose();
    }
  }
}

/** How many elements of each tile are drawn, and whether that is all of them. */
export interface Counts {
  readonly whole: boolean;
  readonly of: ReadonlyMap<Tile, number>;
}

/** All elements, or within a budget of triangles those that tell most from where the eye is. */
export function countsOf(tiles: readonly Tile[], eye: Vector3, budget: number): Counts {
  const whole = budget === Infinity || tiles.reduce((sum, tile) => sum + tile.triangles(tile.elements), 0) <= budget;
  const counts = whole ? null : fitting(tiles.map((tile) => ({
    prices: tile.prices, far: (tile.box.distanceToPoint(eye) + 1) ** 2, triangles: (count) => tile.triangles(count),
  })), budget);
  return { whole, of: new Map(tiles.map((tile, i) => [tile, counts?.[i] ?? tile.elements])) };
}

/** Bytes that the arrays of a tile take, each once. */
export function sizeOfTile({ primitives }: TileData): number {
  const arrays = new Set<ArrayBufferView>();
  for (const { position, normal, color, feature, index, starts, boxes, blocks } of primitives)
    for (const array of [position.array, normal?.array, color?.array, feature, index, starts, boxes, blocks]) if (array) arrays.add(array);
  const bare = primitives.filter(({ kind, color }) => kind !== "edges" && !color);
  return [...arrays].reduce((sum, { byteLength }) => sum + byteLength, 0) + bare.reduce((sum, { vertices }) => sum + 4 * vertices, 0);
}

function joined(arrays: readonly Float64Array[]): Float64Array {
  if (arrays.length === 1) return arrays[0] as Float64Array;
  const out = new Float64Array(arrays.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const one of arrays) {
    out.set(one, at);
    at += one.length;
  }
  return out;
}

/** GPU buffers of a tile; arrays that several primitives share are uploaded once. */
class Buffers {
  readonly #made = new Map<AnyArray, BufferAttribute>();
  readonly #base: number;
  readonly #keep: boolean;
  bytes = 0;

  constructor(base: number, keep: boolean) {
    this.#base = base;
    this.#keep = keep;
  }

  /** As `of`, of what the page has no use for once the GPU has it. */
  handed(array: AnyArray, size: number, normalized = false): BufferAttribute {
    const made = this.of(array, size, normalized);
    return this.#keep ? made : made.onUpload(() => (made.array = new Uint8Array()));
  }

  of(array: AnyArray, size: number, normalized = false): BufferAttribute {
    const known = this.#made.get(array);
    if (known) return known;
    const made = new BufferAttribute(array, size, normalized);
    this.#made.set(array, made);
    this.bytes += array.byteLength;
    return made;
  }

  /** Feature numbers of the tile become those of the scene. */
  features(array: Uint32Array): BufferAttribute {
    if (!this.#made.has(array) && this.#base !== 0)
      for (let i = 0; i < array.length; i++) array[i] = (array[i] as number) + this.#base;
    const made = this.handed(array, 1);
    made.gpuType = IntType;
    return made;
  }
}

function inverseOf(object: Object3D, { position }: Kept): Float64Array {
  const unit = unitOf(position);
  const e = new Matrix4().copy(object.matrix).scale(new Vector3(unit, unit, unit)).invert().elements;
  return Float64Array.from([0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14], (i) => e[i] as number);
}

function makeGeometry(primitive: Grouped, buffers: Buffers): BufferGeometry {
  const geometry = new BufferGeometry();
  const of = <T>(source: Attribute<T>): BufferAttribute => buffers.of(source.array as AnyArray, source.size, source.normalized);
  geometry.setAttribute("position", of(primitive.position));
  geometry.setAttribute("feature", buffers.features(primitive.feature));
  if (primitive.kind !== "edges") {
    const handed = ({ array, size, normalized }: Attribute<unknown>): BufferAttribute => buffers.handed(array as AnyArray, size, normalized);
    geometry.setAttribute("normal", handed(primitive.normal as Attribute<unknown>));
    geometry.setAttribute("color", handed(primitive.color ?? plainColors(primitive)));
  }
  geometry.setIndex(buffers.of(primitive.index, 1));
  return geometry;
}

function plainColors(primitive: Primitive): Attribute<Uint8Array> {
  const colors = new Uint8Array(primitive.vertices * 4);
  const rgba = primitive.baseColor.map((c) => Math.round(c * 255));
  for (let i = 0; i < colors.length; i++) colors[i] = rgba[i & 3] as number;
  return { array: colors, size: 4, normalized: true };
}
