/**
 * The tiles' draws. three.js sets a material up, and all draws that have it follow by WebGL itself: in a building of
 * hundreds of draws, what three.js does for each of them costs more than drawing (docs/decisions/0033).
 */
import { InstancedBufferGeometry, Matrix4, Mesh, type Camera, type Object3D, type RawShaderMaterial, type Vector3, type WebGLRenderer } from "three";
import type { Attribute } from "./glb";
import type { Materials } from "./materials";
import { pointless } from "./warm";

type Values = Float32Array | Uint32Array | Uint16Array | Int16Array | Uint8Array | Int8Array;

/** Where every shader of tiles has its attributes, so that one vertex array does for all passes: see VERTEX_COMMON. */
const LOCATIONS = { position: 0, feature: 1, normal: 2, color: 3 } as const;
export type Attributes = Partial<Record<keyof typeof LOCATIONS, Attribute<Values>>>;

/** Arrays of a tile on the GPU, each once however many shapes share it. */
export class Buffers {
  readonly #counted = new WeakSet<Values>();
  #known = new WeakMap<Values, WebGLBuffer>();
  #made: WebGLBuffer[] = [];
  #gl: WebGL2RenderingContext | null = null;
  bytes = 0;

  /** Whether it is the first time that this array is told of. */
  count(array: Values): boolean {
    if (this.#counted.has(array)) return false;
    this.#counted.add(array);
    this.bytes += array.byteLength;
    return true;
  }

  bind(gl: WebGL2RenderingContext, target: number, array: Values): void {
    const known = this.#known.get(array);
    if (known) return gl.bindBuffer(target, known);
    const made = gl.createBuffer();
    gl.bindBuffer(target, made);
    gl.bufferData(target, array, gl.STATIC_DRAW);
    this.#gl = gl;
    this.#made.push(made);
    this.#known.set(array, made);
  }

  dispose(): void {
    for (const buffer of this.#made) this.#gl?.deleteBuffer(buffer);
    this.lost();
  }

  /** The GPU has forgotten them. */
  lost(): void {
    this.#made = [];
    this.#known = new WeakMap();
  }
}

/** Vertices and their indices. The GPU gets them with the first draw, and from then on only it has what the page does not hold elsewhere. */
export class Shape {
  #arrays: { readonly attributes: Attributes; readonly index: Values } | null;
  readonly #buffers: Buffers;
  readonly #keep: boolean;
  readonly #indexBytes: number;
  #gl: WebGL2RenderingContext | null = null;
  #vertices: WebGLVertexArrayObject | null = null;

  /** `keep`: hold the arrays, for a GPU that loses them. */
  constructor(attributes: Attributes, index: Uint8Array | Uint16Array | Uint32Array, buffers: Buffers, keep: boolean) {
    this.#arrays = { attributes, index };
    this.#buffers = buffers;
    this.#keep = keep;
    this.#indexBytes = index.BYTES_PER_ELEMENT;
    for (const { array } of Object.values(attributes)) buffers.count(array);
    buffers.count(index);
  }

  draw(gl: WebGL2RenderingContext, mode: number, count: number): void {
    if (this.#vertices) gl.bindVertexArray(this.#vertices);
    else if (!this.#hand(gl)) return;
    gl.drawElements(mode, count, this.#indexBytes === 4 ? gl.UNSIGNED_INT : this.#indexBytes === 2 ? gl.UNSIGNED_SHORT : gl.UNSIGNED_BYTE, 0);
  }

  /** Give it to the GPU; it is bound then. */
  #hand(gl: WebGL2RenderingContext): boolean {
    if (!this.#arrays) return false; // lost with the GPU: its tile is on its way again
    const { attributes, index } = this.#arrays;
    this.#gl = gl;
    this.#vertices = gl.createVertexArray();
    gl.bindVertexArray(this.#vertices);
    for (const [name, { array, size, normalized }] of Object.entries(attributes)) {
      const location = LOCATIONS[name as keyof typeof LOCATIONS];
      this.#buffers.bind(gl, gl.ARRAY_BUFFER, array);
      gl.enableVertexAttribArray(location);
      if (name === "feature") gl.vertexAttribIPointer(location, size, gl.UNSIGNED_INT, 0, 0);
      else gl.vertexAttribPointer(location, size, typeOf(gl, array), normalized, 0, 0);
    }
    this.#buffers.bind(gl, gl.ELEMENT_ARRAY_BUFFER, index);
    if (!this.#keep) this.#arrays = null;
    return true;
  }

  dispose(): void {
    this.#gl?.deleteVertexArray(this.#vertices);
    this.lost();
  }

  /** The GPU has forgotten it. */
  lost(): void {
    this.#vertices = null;
  }
}

function typeOf(gl: WebGL2RenderingContext, array: Values): number {
  if (array instanceof Float32Array) return gl.FLOAT;
  if (array instanceof Uint16Array) return gl.UNSIGNED_SHORT;
  if (array instanceof Int16Array) return gl.SHORT;
  if (array instanceof Uint8Array) return gl.UNSIGNED_BYTE;
  if (array instanceof Int8Array) return gl.BYTE;
  return gl.UNSIGNED_INT;
}

/** A shape at its place, as often as there are passes that show it. */
export interface Drawn {
  readonly shape: Shape;
  /** Vertex → scene. */
  readonly matrix: Matrix4;
  /** Of what is drawn, scene. */
  readonly middle: Vector3;
  /** Of its indices, the first so many. */
  count: number;
}

/** One place of a batch: switched on and off from pass to pass. */
export interface Draw {
  readonly of: Drawn;
  visible: boolean;
  /** What is lowest is drawn first. */
  rank: number;
}

/** Everything that is drawn with one material, or in its place with an override of the scene's. */
export class Batch {
  readonly #draws = new Set<Draw>();
  readonly #object: Mesh;
  readonly #lines: boolean;
  readonly #farFirst: boolean;
  #shown: Draw[] = [];
  readonly #places = new WeakMap<WebGLProgram, WebGLUniformLocation>();
  readonly #matrix = new Matrix4();
  readonly #values = new Float32Array(16);

  constructor(root: Object3D, material: RawShaderMaterial, order: number, lines = false) {
    this.#lines = lines;
    this.#farFirst = material.transparent && !lines;
    const geometry = pointless(new InstancedBufferGeometry());
    geometry.instanceCount = 0; // nothing but what `onAfterRender` adds
    this.#object = new Mesh(geometry, material);
    this.#object.renderOrder = order;
    this.#object.frustumCulled = false;
    this.#object.matrixAutoUpdate = this.#object.matrixWorldAutoUpdate = false;
    this.#object.visible = false;
    this.#object.onAfterRender = (renderer, _scene, camera) => this.#render(renderer, camera);
    root.add(this.#object);
  }

  add(of: Drawn): Draw {
    const draw = { of, visible: false, rank: 0 };
    this.#draws.add(draw);
    return draw;
  }

  remove(draw: Draw): void {
    this.#draws.delete(draw);
    this.#shown = this.#shown.filter((one) => one !== draw);
  }

  /** Draw from now on what is visible now. */
  settle(): void {
    this.#shown.length = 0;
    for (const draw of this.#draws) if (draw.visible && draw.of.count > 0) this.#shown.push(draw);
    this.#object.visible = this.#shown.length > 0;
  }

  /** three.js has just set material and program up. */
  #render(renderer: WebGLRenderer, camera: Camera): void {
    const gl = renderer.getContext() as WebGL2RenderingContext;
    const place = this.#placeOf(gl);
    const before = gl.getParameter(gl.VERTEX_ARRAY_BINDING) as WebGLVertexArrayObject | null; // as three.js believes it to be
    const mode = this.#lines ? gl.LINES : gl.TRIANGLES;
    for (const { of } of this.#sorted(camera)) {
      this.#matrix.multiplyMatrices(camera.matrixWorldInverse, of.matrix);
      this.#values.set(this.#matrix.elements);
      gl.uniformMatrix4fv(place, false, this.#values);
      of.shape.draw(gl, mode, of.count);
      renderer.info.update(of.count, mode, 1);
    }
    gl.bindVertexArray(before);
  }

  /** What is nearest first, so that it hides what follows; films the other way round. */
  #sorted({ matrixWorldInverse: { elements: e } }: Camera): readonly Draw[] {
    const sign = this.#farFirst ? 1 : -1;
    for (const draw of this.#shown) {
      const { x, y, z } = draw.of.middle;
      draw.rank = sign * (e[2] * x + e[6] * y + e[10] * z);
    }
    return this.#shown.sort((a, b) => a.rank - b.rank);
  }

  #placeOf(gl: WebGL2RenderingContext): WebGLUniformLocation {
    const program = gl.getParameter(gl.CURRENT_PROGRAM) as WebGLProgram;
    const known = this.#places.get(program);
    if (known) return known;
    const place = gl.getUniformLocation(program, "modelViewMatrix") as WebGLUniformLocation;
    this.#places.set(program, place);
    return place;
  }

  dispose(): void {
    this.#object.removeFromParent();
    this.#object.geometry.dispose();
  }
}

export type Batches = Readonly<Record<"opaque" | "glass" | "spaces" | "ghost" | "overlay" | "edges" | "spaceEdges", Batch>>;

/** In the order in which they are drawn; the floor is between what is solid and its edges. */
export function makeBatches(root: Object3D, m: Materials): Batches {
  return {
    opaque: new Batch(root, m.opaque, 0),
    edges: new Batch(root, m.edges, 10, true),
    spaceEdges: new Batch(root, m.spaceEdges, 10, true),
    spaces: new Batch(root, m.spaces, 20),
    glass: new Batch(root, m.glass, 30),
    ghost: new Batch(root, m.ghost, 40),
    overlay: new Batch(root, m.overlay, 50),
  };
}
