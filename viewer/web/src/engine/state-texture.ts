/** The table of states on the GPU: rows that changed are uploaded, or all of it where many did. */
import { DataTexture, NearestFilter, RGBAFormat, UnsignedByteType } from "three";
import { ROW, type FeatureTable } from "./features";

const MANY = 32; // rows; above it one upload of everything is quicker

export class StateTexture {
  #texture: DataTexture | null = null;

  /** Bring it up to date and return it. */
  of(table: FeatureTable): DataTexture {
    const dirty = table.takeDirty();
    const rows = table.data.length / (ROW * 4);
    if (!this.#texture || this.#texture.image.data !== table.data) {
      this.#texture?.dispose();
      this.#texture = new DataTexture(table.data, ROW, rows, RGBAFormat, UnsignedByteType);
      this.#texture.minFilter = this.#texture.magFilter = NearestFilter;
      this.#texture.needsUpdate = true;
    } else if (dirty) {
      if (dirty.to - dirty.from <= MANY) for (let row = dirty.from; row < dirty.to; row++) this.#texture.addUpdateRange(row * ROW * 4, ROW * 4);
      else this.#texture.clearUpdateRanges();
      this.#texture.needsUpdate = true;
    }
    return this.#texture;
  }

  /** The GPU has lost it, or nobody needs it any more. */
  drop(): void {
    this.#texture?.dispose();
    this.#texture = null;
  }
}
