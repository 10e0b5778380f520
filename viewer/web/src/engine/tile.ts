/** A tile on the GPU: one draw per kind and pass, made when it is first needed. */
import { Box3, Matrix4, Vector3 } from "three";
import type { Cast } from "./cast";
import { Buffers, Shape, type Batch, type Batches, type Draw, type Drawn } from "./draws";
import type { FeatureTable } from "./features";
import { unitOf, type Attribute, type Primitive, type TileData } from "./glb";
import { cornersOf, type Grouped } from "./grouped";
import { rowsOf } from "./shapes";
import { fitting } from "./telling";
import type { TileRef } from "./tileset";
import type { Vec3 } from "./types";

/** What the page asks of a draw's arrays; the GPU alone has the others. */
type Kept = Pick<Grouped, "kind" | "position" | "index" | "starts" | "boxes" | "blocks">;

interface Part {
  readonly kind: Primitive["kind"];
  readonly data: Kept;
  /** Scene → the numbers of `data.position`, row-major 3 × 4. */
  readonly inverse: Float64Array;
  readonly drawn: Drawn;
  readonly base: Place;
  ghost: Place | null;
  overlay: Place | null;
}

interface Place {
  readonly batch: Batch;
  readonly draw: Draw;
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
  readonly #middle = new Vector3();
  /** What each of its elements costs for what it tells, ascending. */
  readonly prices: Float32Array;
  /** How far above its place it is drawn, m: storeys pulled apart. */
  lift = 0;
  readonly #parts: Part[] = [];
  readonly #batches: Batches;
  #buffers = new Buffers();
  readonly #origin: Vec3;
  readonly #base: number;
  readonly #keep: boolean;

  /** `keep`: its arrays stay in the page, for a GPU that loses them; else the tile must be filled again then. */
  constructor(ref: TileRef, data: TileData, table: FeatureTable, batches: Batches, origin: Vec3, keep = false) {
    this.ref = ref;
    this.#keep = keep;
    this.#batches = batches;
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
    this.box.getCenter(this.#middle);
    this.fill(data);
  }

  /** Whether its geometry is in memory. */
  get filled(): boolean {
    return this.#parts.length > 0;
  }

  /** Put the geometry (back) into memory; its elements are those that it was made with. */
  fill(data: TileData): void {
    if (data.globalIds.length !== this.elements) throw new Error(`${this.ref.uri} is another tile than before`);
    this.#buffers = new Buffers();
    for (const primitive of data.primitives) {
      const { kind, position, index, starts, boxes, blocks } = primitive;
      const kept = { kind, position, index, starts, boxes, blocks };
      const drawn: Drawn = { shape: this.#shapeOf(primitive), matrix: this.#placeOf(primitive), middle: this.#middle, count: index.length };
      this.#parts.push({ kind, data: kept, inverse: inverseOf(drawn.matrix, kept), drawn, base: added(this.#batchOf(kind), drawn), ghost: null, overlay: null });
    }
    this.bytes = this.#buffers.bytes;
  }

  /** Throw the geometry away; what is known of its elements stays. */
  drop(): void {
    this.dispose();
    this.#parts.length = 0;
    this.bytes = 0;
  }

  #shapeOf(primitive: Grouped): Shape {
    const { kind, position, normal, color, index } = primitive;
    const feature = { array: this.#features(primitive.feature), size: 1, normalized: false };
    const attributes = kind === "edges" ? { position, feature } : { position, feature, normal: normal as NonNullable<typeof normal>, color: color ?? plainColors(primitive) };
    return new Shape(attributes, index, this.#buffers, this.#keep);
  }

  /** Feature numbers of the tile become those of the scene, once, whoever shares them. */
  #features(array: Uint32Array): Uint32Array {
    if (this.#buffers.count(array) && this.#base !== 0) for (let i = 0; i < array.length; i++) array[i] = (array[i] as number) + this.#base;
    return array;
  }

  #placeOf({ matrix }: Primitive): Matrix4 {
    const place = new Matrix4().fromArray(matrix);
    const [x, y, z] = this.#origin;
    place.elements[12] -= x;
    place.elements[13] -= y;
    place.elements[14] += this.lift - z;
    return place;
  }

  #batchOf(kind: Primitive["kind"]): Batch {
    const { opaque, glass, spaces, edges, spaceEdges } = this.#batches;
    if (this.ref.layer === "spaces") return kind === "edges" ? spaceEdges : spaces;
    return kind === "edges" ? edges : kind === "transparent" ? glass : opaque;
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
      const { kind, drawn, data, base } = part;
      drawn.count = cornersOf({ kind }) * (data.starts[kind === "edges" ? this.elements : count] as number);
      if (pass === "main") {
        base.draw.visible = kind === "edges" ? count === this.elements && counts.visible + counts.ghost > 0 : counts.visible > 0;
        if (kind === "edges") continue;
        if (counts.ghost > 0 && !room) part.ghost ??= added(this.#batches.ghost, drawn);
        if (counts.overlay > 0 && !room) part.overlay ??= added(this.#batches.overlay, drawn);
        if (part.ghost) part.ghost.draw.visible = counts.ghost > 0;
        if (part.overlay) part.overlay.draw.visible = counts.overlay > 0;
      } else {
        if (part.ghost) part.ghost.draw.visible = false;
        if (part.overlay) part.overlay.draw.visible = false;
        base.draw.visible = !room && kind === "opaque" && counts.visible > 0;
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
    this.#middle.z += by;
    for (const { drawn, data, inverse } of this.#parts) {
      drawn.matrix.elements[14] += by;
      inverse.set(inverseOf(drawn.matrix, data));
    }
  }

  /** Crease lines of a feature as they are drawn: two points each, scene coordinates. */
  edges(feature: number): Float64Array {
    return joined(this.#parts.filter(({ kind }) => kind === "edges").map(({ data, drawn }) => rowsOf(data, drawn.matrix, [feature - this.#base])));
  }

  /** Triangles of a feature as they are drawn: three points each, scene coordinates. */
  surface(feature: number): Float64Array {
    return joined(this.#parts.filter(({ kind }) => kind !== "edges").map(({ data, drawn }) => rowsOf(data, drawn.matrix, [feature - this.#base])));
  }

  /** Triangles of all features that are wanted, as `surface`. */
  surfaces(wanted: (feature: number) => boolean): Float64Array {
    const features = Array.from({ length: this.elements }, (_, f) => f).filter((f) => wanted(this.#base + f));
    return joined(this.#parts.filter(({ kind }) => kind !== "edges").map(({ data, drawn }) => rowsOf(data, drawn.matrix, features)));
  }

  /** Have a line of sight meet its surfaces. `plates`: a room's floor only, where it is drawn. */
  meet(cast: Cast, seen: (feature: number) => boolean, plates = false): void {
    for (const { kind, data, inverse } of this.#parts)
      if (kind !== "edges") cast.add({ solid: data, inverse, first: this.#base }, seen, plates ? { lift: PLATE_LIFT } : null);
  }

  /** The GPU has forgotten everything; what the page has kept is given to it again. */
  lost(): void {
    this.#buffers.lost();
    for (const { drawn } of this.#parts) drawn.shape.lost();
  }

  dispose(): void {
    for (const { drawn, base, ghost, overlay } of this.#parts) {
      for (const place of [base, ghost, overlay]) place?.batch.remove(place.draw);
      drawn.shape.dispose();
    }
    this.#buffers.dispose();
  }
}

function added(batch: Batch, drawn: Drawn): Place {
  return { batch, draw: batch.add(drawn) };
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

function inverseOf(place: Matrix4, { position }: Kept): Float64Array {
  const unit = unitOf(position);
  const e = new Matrix4().copy(place).scale(new Vector3(unit, unit, unit)).invert().elements;
  return Float64Array.from([0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14], (i) => e[i] as number);
}

function plainColors(primitive: Primitive): Attribute<Uint8Array> {
  const colors = new Uint8Array(primitive.vertices * 4);
  const rgba = primitive.baseColor.map((c) => Math.round(c * 255));
  for (let i = 0; i < colors.length; i++) colors[i] = rgba[i & 3] as number;
  return { array: colors, size: 4, normalized: true };
}
