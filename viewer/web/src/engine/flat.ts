/**
 * Normals for triangles that bring none: glTF wants those of the triangles themselves ("flat normals").
 *
 * Our tiles leave them out where surfaces are flat, so that the faces of a box share its eight corners. On the GPU every
 * vertex has one normal, so a corner is repeated for each further side that meets there, behind all others: rows keep
 * their numbers, and edges that refer to them need no change.
 */
import type { Attribute, Primitive } from "./glb";

const SAME = 6; // of 127: three degrees

type Source = Uint16Array | Int16Array | Uint8Array | Int8Array | Float32Array;

/** Primitives that refer to one array of vertices, with `first` as the row at which each starts. */
interface Family {
  readonly members: { readonly primitive: Primitive; readonly first: number }[];
  readonly position: Attribute<Source>;
  readonly rows: number;
}

/** The same primitives, in order, all surfaces with normals; those that shared vertices share them still. */
export function withNormals(primitives: readonly Primitive[]): Primitive[] {
  const made = new Map<Primitive, Primitive>();
  for (const family of families(primitives))
    if (family.members.some(({ primitive }) => isBare(primitive))) for (const [from, to] of complete(family)) made.set(from, to);
  return primitives.map((p) => made.get(p) ?? p);
}

/** Primitives of one kind that share all their arrays as one: a draw each is dear. */
export function joined(primitives: readonly Primitive[]): Primitive[] {
  const out: Primitive[] = [];
  for (const p of primitives) {
    const i = out.findIndex((q) =>
      q.kind === p.kind && q.position.array === p.position.array && q.normal?.array === p.normal?.array && q.color?.array === p.color?.array &&
      q.feature === p.feature && q.matrix.every((value, at) => value === p.matrix[at]));
    if (i < 0) out.push(p);
    else out[i] = { ...p, index: appended(shifted(out[i] as Primitive, 0), shifted(p, 0), p.vertices) };
  }
  return out;
}

function appended(a: Uint32Array, b: Uint32Array, vertices: number): Uint16Array | Uint32Array {
  const out = vertices <= 65_535 ? new Uint16Array(a.length + b.length) : new Uint32Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

const isBare = (p: Primitive): boolean => p.kind !== "edges" && p.normal === null;

function families(primitives: readonly Primitive[]): Family[] {
  const groups = new Map<ArrayBufferLike, Primitive[]>();
  for (const p of primitives) {
    const group = groups.get(p.position.array.buffer);
    if (group) group.push(p);
    else groups.set(p.position.array.buffer, [p]);
  }
  return [...groups.values()].flatMap((group) => {
    const lowest = group.reduce((a, b) => (b.position.array.byteOffset < a.position.array.byteOffset ? b : a));
    const { array, size } = lowest.position;
    const members = group.map((primitive) => ({ primitive, first: (primitive.position.array.byteOffset - array.byteOffset) / (array.BYTES_PER_ELEMENT * size) }));
    const related = members.every(({ primitive: { position }, first }) =>
      Number.isInteger(first) && position.size === size && position.array.constructor === array.constructor);
    if (related) return [family(members)];
    return group.map((primitive) => family([{ primitive, first: 0 }]));
  });
}

function family(members: Family["members"]): Family {
  const rows = Math.max(...members.map(({ primitive, first }) => first + primitive.vertices));
  const base = members.find(({ first }) => first === 0) as Family["members"][number];
  return { members, position: base.primitive.position, rows };
}

/** All members with normals, colours and features in arrays as long as the family with its repeated corners. */
function complete({ members, position, rows }: Family): [Primitive, Primitive][] {
  const sides = new Sides(position, rows);
  const indices = members.map(({ primitive, first }) => (isBare(primitive) ? sides.turn(primitive, first) : shifted(primitive, first)));
  const total = rows + sides.copies.length;
  const normal = new Int8Array(total * 4);
  const color = new Uint8Array(total * 4);
  const feature = new Uint32Array(total);
  for (const { primitive, first } of members) {
    if (primitive.normal) copyNormals(primitive.normal, primitive.vertices, normal, first);
    if (primitive.kind !== "edges") copyColors(primitive, color, first);
    feature.set(primitive.feature.subarray(0, primitive.vertices), first);
  }
  sides.write(normal);
  const places = withCopies(position.array.subarray(0, rows * position.size), position.size, sides.copies);
  sides.copies.forEach((from, i) => {
    feature[rows + i] = feature[from] as number;
    color.copyWithin((rows + i) * 4, from * 4, from * 4 + 4);
  });
  const shared = { array: places, size: position.size, normalized: position.normalized };
  const attributes = { normal: { array: normal, size: 4, normalized: true }, color: { array: color, size: 4, normalized: true } };
  return members.map(({ primitive }, i) => {
    const own = primitive.kind === "edges" ? {} : attributes;
    const index = total <= 65_535 ? Uint16Array.from(indices[i] as Uint32Array) : (indices[i] as Uint32Array);
    return [primitive, { ...primitive, ...own, position: shared, feature, index, vertices: total }];
  });
}

/** The sides that meet at each vertex: the first stays with it, each further one gets a copy. */
class Sides {
  /** Vertex that each copy repeats. */
  readonly copies: number[] = [];
  readonly #array: Source;
  readonly #size: number;
  readonly #rows: number;
  /** Normal of each row and copy, three bytes; -1 for none yet. */
  readonly #normal: Int32Array;
  readonly #ofCopies: number[] = [];
  /** The next copy of the same vertex, by row and by copy. */
  readonly #next: Int32Array;
  readonly #nextOfCopies: number[] = [];

  constructor({ array, size }: Attribute<Source>, rows: number) {
    this.#array = array;
    this.#size = size;
    this.#rows = rows;
    this.#normal = new Int32Array(rows).fill(-1);
    this.#next = new Int32Array(rows).fill(-1);
  }

  /** Indices of a primitive without normals, each corner where its side's normal is. */
  turn(primitive: Primitive, first: number): Uint32Array {
    const out = shifted(primitive, first);
    const whole = out.length - (out.length % 3);
    for (let i = 0; i < whole; i += 3) {
      const normal = this.#normalOf(out[i] as number, out[i + 1] as number, out[i + 2] as number);
      for (let k = i; k < i + 3; k++) out[k] = this.#corner(out[k] as number, normal);
    }
    return out;
  }

  write(normals: Int8Array): void {
    const put = (at: number, packed: number): void => {
      if (packed < 0) return;
      normals[at] = (packed >> 16) - 127;
      normals[at + 1] = ((packed >> 8) & 255) - 127;
      normals[at + 2] = (packed & 255) - 127;
    };
    for (let row = 0; row < this.#rows; row++) put(row * 4, this.#normal[row] as number);
    this.#ofCopies.forEach((packed, i) => put((this.#rows + i) * 4, packed));
  }

  #corner(row: number, normal: number): number {
    if (this.#normal[row] === -1) this.#normal[row] = normal;
    if (isSameSide(this.#normal[row] as number, normal)) return row;
    for (let copy = this.#next[row] as number; copy >= 0; copy = this.#nextOfCopies[copy] as number)
      if (isSameSide(this.#ofCopies[copy] as number, normal)) return this.#rows + copy;
    this.copies.push(row);
    this.#ofCopies.push(normal);
    this.#nextOfCopies.push(this.#next[row] as number);
    this.#next[row] = this.copies.length - 1;
    return this.#rows + this.copies.length - 1;
  }

  /** The triangle's normal in three bytes; up where it has no area. */
  #normalOf(a: number, b: number, c: number): number {
    const p = this.#array;
    const s = this.#size;
    const ax = p[a * s] as number, ay = p[a * s + 1] as number, az = p[a * s + 2] as number;
    const ux = (p[b * s] as number) - ax, uy = (p[b * s + 1] as number) - ay, uz = (p[b * s + 2] as number) - az;
    const vx = (p[c * s] as number) - ax, vy = (p[c * s + 1] as number) - ay, vz = (p[c * s + 2] as number) - az;
    const x = uy * vz - uz * vy, y = uz * vx - ux * vz, z = ux * vy - uy * vx;
    const length = Math.sqrt(x * x + y * y + z * z);
    if (!(length > 0)) return pack(0, 0, 1);
    return pack(x / length, y / length, z / length);
  }
}

const pack = (x: number, y: number, z: number): number =>
  ((Math.round(x * 127) + 127) << 16) | ((Math.round(y * 127) + 127) << 8) | (Math.round(z * 127) + 127);

/** Triangles of one side differ by what rounding turns them; other sides start at a crease. */
function isSameSide(a: number, b: number): boolean {
  if (a === b) return true;
  return Math.abs((a >> 16) - (b >> 16)) <= SAME && Math.abs(((a >> 8) & 255) - ((b >> 8) & 255)) <= SAME && Math.abs((a & 255) - (b & 255)) <= SAME;
}

function shifted(primitive: Primitive, first: number): Uint32Array {
  const { index, vertices } = primitive;
  if (!index) return Uint32Array.from({ length: vertices }, (_, i) => i + first);
  const out = new Uint32Array(index.length);
  for (let i = 0; i < out.length; i++) out[i] = (index[i] as number) + first;
  return out;
}

function copyNormals({ array, size }: NonNullable<Primitive["normal"]>, count: number, out: Int8Array, first: number): void {
  const scale = array instanceof Float32Array ? 127 : array instanceof Int16Array ? 127 / 32767 : 1;
  for (let v = 0; v < count; v++)
    for (let c = 0; c < 3; c++) out[(first + v) * 4 + c] = Math.round((array[v * size + c] as number) * scale);
}

function copyColors(primitive: Primitive, out: Uint8Array, first: number): void {
  const source = primitive.color;
  const scale = !source || source.array instanceof Float32Array ? 255 : source.array instanceof Uint16Array ? 255 / 65535 : 1;
  for (let v = 0; v < primitive.vertices; v++)
    for (let c = 0; c < 4; c++)
      out[(first + v) * 4 + c] = Math.round((source ? (source.array[v * source.size + c] as number) : (primitive.baseColor[c] as number)) * scale);
}

function withCopies(array: Source, size: number, copies: readonly number[]): Source {
  const out = new (array.constructor as new (length: number) => Source)(array.length + copies.length * size);
  out.set(array);
  copies.forEach((from, i) => {
    for (let c = 0; c < size; c++) out[array.length + i * size + c] = array[from * size + c] as number;
  });
  return out;
}
