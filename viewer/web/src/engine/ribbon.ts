/**
 * Lines of one width on the screen, however far away: a route, the flow in pipes. All of them in one draw, and a
 * second one where what is hidden shows dimmed. Scene coordinates; along a line one counts metres from its start.
 */
import { BufferAttribute, GLSL3, GreaterDepth, InstancedBufferAttribute, InstancedBufferGeometry, LessEqualDepth, Mesh, RawShaderMaterial, Vector2, Vector3, type IUniform, type Scene, type WebGLRenderer } from "three";
import type { Uniforms } from "./materials";
import { length, sub, type V3 } from "./rig";
import { RIBBON_FRAGMENT, RIBBON_VERTEX } from "./ribbon-shaders";
import type { Rgb } from "./types";

export interface RibbonLine {
  readonly points: readonly V3[];
  readonly colour: Rgb;
  /** Metres at the first point; 0 unless given. Lines that go on from each other keep their arrows in step. */
  readonly from?: number;
}

export interface RibbonStyle {
  /** CSS pixels. */
  readonly width: number;
  /** How strong it is behind walls, 0 to 1; 1 draws it through everything at once. */
  readonly hidden: number;
  /** Arrows point and travel along the line. */
  readonly arrows: boolean;
  readonly order: number;
}

const FLOATS = 17; // before, start, end, after, colour, metres, whether something lies before or after

/** Segments as instances: (n, 17) float. Points closer than a millimetre count as one; a lone point becomes a dot. */
export function segments(lines: readonly RibbonLine[]): Float32Array {
  const rows: number[] = [];
  for (const { points, colour, from } of lines) {
    const kept = points.filter((p, i) => i === 0 || length(sub(p, points[i - 1] as V3)) > 1e-3);
    if (kept.length === 1) kept.push(kept[0] as V3);
    let metres = from ?? 0;
    for (let i = 1; i < kept.length; i++) {
      const [a, b] = [kept[i - 1] as V3, kept[i] as V3];
      const [before, after] = [kept[i - 2], kept[i + 1]];
      rows.push(...(before ?? a), ...a, ...b, ...(after ?? b), colour[0] / 255, colour[1] / 255, colour[2] / 255, metres, (before ? 1 : 0) + (after ? 2 : 0));
      metres += length(sub(b, a));
    }
  }
  return new Float32Array(rows);
}

export class Ribbon {
  readonly #style: RibbonStyle;
  readonly #scene: Scene;
  readonly #meshes: Mesh<InstancedBufferGeometry, RawShaderMaterial>[] = [];
  readonly #materials: RawShaderMaterial[];
  readonly #own = {
    uSize: { value: new Vector2(1, 1) }, uWidth: { value: 1 }, uDone: { value: -1 }, uRim: { value: new Vector3(1, 1, 1) },
  };

  constructor(scene: Scene, uniforms: Uniforms, style: RibbonStyle) {
    this.#scene = scene;
    this.#style = style;
    const make = (alpha: number, more: Partial<RawShaderMaterial>): RawShaderMaterial => Object.assign(new RawShaderMaterial({
      glslVersion: GLSL3, vertexShader: RIBBON_VERTEX, fragmentShader: RIBBON_FRAGMENT, transparent: true, depthWrite: false,
      uniforms: { ...(uniforms as unknown as Record<string, IUniform>), ...this.#own, uAlpha: { value: alpha }, uHiddenAlpha: { value: style.hidden } },
      defines: style.arrows ? { ARROWS: "" } : {},
    }), more);
    this.#materials = style.hidden >= 1 ? [make(1, { depthTest: false })]
      : [make(style.hidden, { depthFunc: GreaterDepth }), make(1, { depthFunc: LessEqualDepth })];
  }

  /** Whether there is anything to draw. */
  get shown(): boolean {
    return this.#meshes.length > 0;
  }

  /** Draw exactly these lines. */
  set(lines: readonly RibbonLine[]): void {
    this.#clear();
    const data = segments(lines);
    if (data.length === 0) return;
    const geometry = new InstancedBufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(new Float32Array([0, -1, 0, 1, -1, 0, 1, 1, 0, 0, -1, 0, 1, 1, 0, 0, 1, 0]), 3));
    const column = (name: string, at: number, size: number): void => {
      const values = new Float32Array((data.length / FLOATS) * size);
      for (let i = 0; i < data.length / FLOATS; i++) for (let k = 0; k < size; k++) values[i * size + k] = data[i * FLOATS + at + k] as number;
      geometry.setAttribute(name, new InstancedBufferAttribute(values, size));
    };
    ["before", "start", "end", "after", "tint"].forEach((name, i) => column(name, i * 3, 3));
    column("metres", 15, 1);
    column("ends", 16, 1);
    geometry.instanceCount = data.length / FLOATS;
    this.#materials.forEach((material, i) => {
      const mesh = new Mesh(geometry, material);
      mesh.frustumCulled = false;
      mesh.matrixAutoUpdate = mesh.matrixWorldAutoUpdate = false;
      mesh.renderOrder = this.#style.order + i;
      mesh.onBeforeRender = (renderer) => this.#measure(renderer);
      this.#scene.add(mesh);
      this.#meshes.push(mesh);
    });
  }

  #measure(renderer: WebGLRenderer): void {
    renderer.getDrawingBufferSize(this.#own.uSize.value);
    this.#own.uWidth.value = this.#style.width * renderer.getPixelRatio();
    for (const material of this.#materials) material.uniformsNeedUpdate = true;
  }

  /** Up to here, m, it has been walked and fades; negative: nothing yet. */
  set done(metres: number) {
    this.#own.uDone.value = metres;
  }

  /** sRGB of the thin rim that sets it off from what is behind it. */
  set rim(colour: Rgb) {
    this.#own.uRim.value.set(colour[0] / 255, colour[1] / 255, colour[2] / 255);
  }

  #clear(): void {
    for (const mesh of this.#meshes) this.#scene.remove(mesh);
    this.#meshes[0]?.geometry.dispose();
    this.#meshes.length = 0;
  }

  dispose(): void {
    this.#clear();
    for (const material of this.#materials) material.dispose();
  }
}
