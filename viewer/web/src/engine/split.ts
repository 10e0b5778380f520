/** One picture of two moments: left of a line the building as it is coloured at another one. */
import { DataTexture, NearestFilter, RGBAFormat, UnsignedByteType } from "three";
import { ROW, type FeatureTable } from "./features";
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
  of(table: FeatureTable, other: Comparison): DataTexture {
    if (this.#texture && this.#drawn?.table === table && this.#drawn.version === table.version) return this.#texture;
    this.drop();
    const data = table.variant(other.colors, other.alarms);
    this.#texture = new DataTexture(data, ROW, data.length / (ROW * 4), RGBAFormat, UnsignedByteType);
    this.#texture.minFilter = this.#texture.magFilter = NearestFilter;
    this.#texture.needsUpdate = true;
    this.#drawn = { table, version: table.version };
    return this.#texture;
  }

  drop(): void {
    this.#texture?.dispose();
    this.#texture = null;
  }
}
