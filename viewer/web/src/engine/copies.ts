/**
 * Shapes that a tile stores once and shows several times (EXT_mesh_gpu_instancing), laid out in full.
 *
 * Instancing saves bytes on the wire; on the GPU a tile stays three draws, and each copy is an element of its own to
 * pick, colour and hide. So copies become ordinary vertices behind those that are placed already.
 */
import type { Attribute, Primitive, PrimitiveKind } from "./glb";
import type { Matrix } from "./matrix";

/** A node with instances. All its primitives refer to one range of vertices. */
export interface Copy {
  readonly primitives: readonly Primitive[];
  readonly count: number;
  /** (count, 3), unit quaternions (count, 4) x y z w, (count, 3) or null for 1. */
  readonly translation: Values | null;
  readonly rotation: Values | null;
  readonly scale: Values | null;
  /** (count,) counted over the tile. */
  readonly feature: Uint32Array;
}

export type Values = (index: number, component: number) => number;

const KINDS: readonly PrimitiveKind[] = ["opaque", "transparent", "edges"];

/** Placed primitives and copies as one primitive per kind; those with another matrix than any copy stay as they are. */
export function layOut(placed: readonly Primitive[], copies: readonly Copy[], valueOf: (a: Attribute<never>) => Values): Primitive[] {
  const groups = new Map<string, Copy[]>();
  for (const copy of copies) {
    const matrix = copy.primitives[0]?.matrix;
    if (!matrix) continue;
    const key = Array.from(matrix).join();
    const group = groups.get(key);
    if (group) group.push(copy);
    else groups.set(key, [copy]);
  }
  const out: Primitive[] = placed.filter((p) => !groups.has(Array.from(p.matrix).join()));
  for (const [key, group] of groups)
    out.push(...new Layout(placed.filter((p) => Array.from(p.matrix).join() === key), group, valueOf).primitives());
  return out;
}

/** The vertices that a copy uses, and its primitives' indices counted in them. */
interface Cut { readonly rows: Uint32Array; readonly indices: readonly Uint32Array[] }

/** Indices to be written with something added. */
interface Shifted { readonly values: ArrayLike<number>; readonly shift: number }

class Layout {
  readonly #position: Float32Array<ArrayBuffer>;
  readonly #normal: Int8Array<ArrayBuffer>;
  readonly #color: Uint8Array<ArrayBuffer>;
  readonly #feature: Uint32Array<ArrayBuffer>;
  readonly #index: Record<PrimitiveKind, Shifted[]> = { opaque: [], transparent: [], edges: [] };
  readonly #matrix: Matrix;
  readonly #valueOf: (a: Attribute<never>) => Values;
  #vertices = 0;

  constructor(placed: readonly Primitive[], copies: readonly Copy[], valueOf: (a: Attribute<never>) => Values) {
    this.#valueOf = valueOf;
    this.#matrix = (copies[0]?.primitives[0] as Primitive).matrix;
    const families = sharingVertices(placed);
    const cuts = cutOut(copies);
    let total = families.reduce((sum, family) => sum + verticesOf(family), 0);
    copies.forEach((copy, i) => (total += copy.count * (cuts[i] as Cut).rows.length));
    this.#position = new Float32Array(total * 3);
    this.#normal = new Int8Array(total * 4);
    this.#color = new Uint8Array(total * 4);
    this.#feature = new Uint32Array(total);
    for (const family of families) this.#place(family);
    copies.forEach((copy, i) => this.#lay(copy, cuts[i] as Cut));
  }

  primitives(): Primitive[] {
    const shared = {
      position: { array: this.#position, size: 3, normalized: false },
      normal: { array: this.#normal, size: 4, normalized: true },
      color: { array: this.#color, size: 4, normalized: true },
      feature: this.#feature,
    };
    const out: Primitive[] = [];
    for (const kind of KINDS) {
      const parts = this.#index[kind];
      const length = parts.reduce((sum, part) => sum + part.values.length, 0);
      if (length === 0) continue;
      const index = this.#vertices <= 65_535 ? new Uint16Array(length) : new Uint32Array(length);
      let at = 0;
      for (const { values, shift } of parts) for (let i = 0; i < values.length; i++) index[at++] = (values[i] as number) + shift;
      const edges = kind === "edges";
      out.push({
        kind, position: shared.position, normal: edges ? null : shared.normal, color: edges ? null : shared.color,
        baseColor: [1, 1, 1, 1], feature: shared.feature, index, vertices: this.#vertices, matrix: this.#matrix,
      });
    }
    return out;
  }

  #place(family: readonly Primitive[]): void {
    const base = this.#vertices;
    const count = verticesOf(family);
    const longest = family.reduce((a, b) => (b.vertices > a.vertices ? b : a));
    const surface = family.find((p) => p.kind !== "edges") ?? longest;
    this.#copyVertices(surface, Uint32Array.from({ length: count }, (_, i) => i), base);
    for (let v = 0; v < count; v++) this.#feature[base + v] = longest.feature[v] as number;
    for (const p of family) this.#index[p.kind].push({ values: indices(p), shift: base });
    this.#vertices += count;
  }

  #lay(copy: Copy, { rows, indices: own }: Cut): void {
    const size = rows.length;
    const surface = copy.primitives.find((p) => p.kind !== "edges") ?? copy.primitives[0];
    if (!surface) return;
    const first = this.#vertices;
    for (let i = 0; i < copy.count; i++) {
      const base = this.#vertices;
      if (i === 0) this.#copyVertices(surface, rows, base);
      else this.#repeat(first, base, size);
      this.#feature.fill(copy.feature[i] as number, base, base + size);
      this.#vertices += size;
    }
    for (let i = 0; i < copy.count; i++) this.#turn(copy, i, first + i * size, size);
    copy.primitives.forEach((p, k) => {
      for (let i = 0; i < copy.count; i++) this.#index[p.kind].push({ values: own[k] as Uint32Array, shift: first + i * size });
    });
  }

  #copyVertices(p: Primitive, rows: Uint32Array, base: number): void {
    const position = this.#valueOf(p.position as Attribute<never>);
    const normal = p.normal && this.#valueOf(p.normal as Attribute<never>);
    const color = p.color && this.#valueOf(p.color as Attribute<never>);
    for (let i = 0; i < rows.length; i++) {
      const v = rows[i] as number;
      const at = base + i;
      for (let c = 0; c < 3; c++) {
        this.#position[at * 3 + c] = position(v, c);
        if (normal) this.#normal[at * 4 + c] = Math.round(normal(v, c) * 127);
      }
      for (let c = 0; c < 4; c++) this.#color[at * 4 + c] = Math.round((color ? color(v, c) : (p.baseColor[c] as number)) * 255);
    }
  }

  #repeat(from: number, to: number, size: number): void {
    this.#position.copyWithin(to * 3, from * 3, (from + size) * 3);
    this.#normal.copyWithin(to * 4, from * 4, (from + size) * 4);
    this.#color.copyWithin(to * 4, from * 4, (from + size) * 4);
  }

  /** Turn and move the vertices of copy `i`. */
  #turn(copy: Copy, i: number, base: number, size: number): void {
    const r = rotationOf(copy.rotation, i);
    const t = [0, 1, 2].map((c) => copy.translation?.(i, c) ?? 0);
    const s = [0, 1, 2].map((c) => copy.scale?.(i, c) ?? 1);
    const n = (k: number): number => r[k] as number;
    for (let v = base; v < base + size; v++) {
      const x = (this.#position[v * 3] as number) * (s[0] as number);
      const y = (this.#position[v * 3 + 1] as number) * (s[1] as number);
      const z = (this.#position[v * 3 + 2] as number) * (s[2] as number);
      const nx = this.#normal[v * 4] as number;
      const ny = this.#normal[v * 4 + 1] as number;
      const nz = this.#normal[v * 4 + 2] as number;
      for (let c = 0; c < 3; c++) {
        this.#position[v * 3 + c] = n(c * 3) * x + n(c * 3 + 1) * y + n(c * 3 + 2) * z + (t[c] as number);
        this.#normal[v * 4 + c] = Math.round(n(c * 3) * nx + n(c * 3 + 1) * ny + n(c * 3 + 2) * nz);
      }
    }
  }
}

/** Primitives that refer to the same array of vertices, as all of ours do. */
function sharingVertices(primitives: readonly Primitive[]): Primitive[][] {
  const families = new Map<unknown, Primitive[]>();
  for (const p of primitives) {
    const family = families.get(p.position.array);
    if (family) family.push(p);
    else families.set(p.position.array, [p]);
  }
  return [...families.values()];
}

function verticesOf(family: readonly Primitive[]): number {
  return Math.max(...family.map((p) => p.vertices));
}

/** What each copy uses of the vertices that all share. */
function cutOut(copies: readonly Copy[]): Cut[] {
  const places = new Map<unknown, Int32Array>(); // by array of vertices: where each went, -1 for nowhere
  return copies.map((copy) => {
    const rows: number[] = [];
    const source = copy.primitives[0]?.position.array;
    const longest = Math.max(0, ...copy.primitives.map((p) => p.vertices));
    let place = places.get(source);
    if (!place || place.length < longest) places.set(source, (place = new Int32Array(longest).fill(-1)));
    const own = copy.primitives.map((p) => {
      const values = indices(p);
      const out = new Uint32Array(values.length);
      for (let k = 0; k < out.length; k++) {
        const row = values[k] as number;
        if (place[row] === -1) place[row] = rows.push(row) - 1;
        out[k] = place[row] as number;
      }
      return out;
    });
    for (const row of rows) place[row] = -1;
    return { rows: Uint32Array.from(rows), indices: own };
  });
}

function indices(p: Primitive): ArrayLike<number> {
  return p.index ?? Uint32Array.from({ length: p.vertices }, (_, i) => i);
}

/** Row-major 3×3 of a quaternion; the identity where there is none. */
function rotationOf(rotation: Values | null, i: number): readonly number[] {
  if (!rotation) return [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const q = [0, 1, 2, 3].map((c) => rotation(i, c));
  const length = Math.hypot(...q) || 1;
  const [x, y, z, w] = q.map((v) => v / length) as [number, number, number, number];
  return [
    1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
    2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
    2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y),
  ];
}
