/** One picture of two moments: left of a line the building as it is coloured at another one. */
import { DataTexture, NearestFilter, RGBAFormat, UnsignedByteType, type Scene, type WebGLRenderer } from "three";
import { ROW, type FeatureTable } from "./features";
import type { LensCamera, Size } from "./lens";
import type { Uniforms } from "./materials";
import type { Comparison } from "./types";

export class Split {
  #other: Comparison | null = null;
  #texture: DataTexture | null = null;
  #drawn: { table: FeatureTable; version: number } | null = null;

  /** What is compared with; null where nothing is. */
  get other(): Comparison | null {
    return this.#other;
  }

  set other(other: Comparison | null) {
    const same = other !== null && other.colors === this.#other?.colors && other.alarms === this.#other.alarms;
    this.#other = other;
    if (!same) this.drop();
  }

  /** The states of the other moment: what is hidden, ghosted or selected is so at both. */
  #of(table: FeatureTable, other: Comparison): DataTexture {
    if (this.#texture && this.#drawn?.table === table && this.#drawn.version === table.version) return this.#texture;
    this.drop();
    const data = table.variant(other.colors, other.alarms);
    this.#texture = new DataTexture(data, ROW, data.length / (ROW * 4), RGBAFormat, UnsignedByteType);
    this.#texture.minFilter = this.#texture.magFilter = NearestFilter;
    this.#texture.needsUpdate = true;
    this.#drawn = { table, version: table.version };
    return this.#texture;
  }

  /** The building: where it is compared, left of the line as it was at the other moment. */
  draw(renderer: WebGLRenderer, root: Scene, camera: LensCamera, uniforms: Uniforms, table: FeatureTable, { width, height }: Size): void {
    const other = this.#other;
    if (!other) return renderer.render(root, camera);
    const state = uniforms.uState.value;
    const line = Math.round(Math.min(1, Math.max(0, other.share)) * width);
    renderer.setScissorTest(true);
    for (const [from, to, shown] of [[0, line, this.#of(table, other)], [line, width, state]] as const) {
      if (to <= from) continue;
      uniforms.uState.value = shown;
      renderer.setScissor(from, 0, to - from, height);
      renderer.render(root, camera);
    }
    renderer.setScissorTest(false);
    uniforms.uState.value = state;
  }

  drop(): void {
    this.#texture?.dispose();
    this.#texture = null;
  }
}
