/** Which layers and storeys are shown. */
import type { Building } from "./building";
import { GHOST, HIDDEN } from "./features";
import type { Layer, Others } from "./types";

export class Layers {
  // Rooms hide what is in them; an application shows them when they have something to say.
  readonly #visible = new Map<Layer, boolean>([["spaces", false]]);
  #only: { readonly storeys: ReadonlySet<string>; readonly others: Others } | null = null;

  set(layer: Layer, visible: boolean): void {
    this.#visible.set(layer, visible);
  }

  isVisible(layer: Layer): boolean {
    return this.#visible.get(layer) !== false;
  }

  /** Only these storeys; null for all of them. Takes effect with `apply`. */
  isolate(storeys: readonly string[] | null, others: Others): void {
    this.#only = storeys && { storeys: new Set(storeys), others };
  }

  get isolated(): boolean {
    return this.#only !== null;
  }

  isStoreyHidden(storey: string | null): boolean {
    return this.#only?.others === "hide" && !this.#only.storeys.has(storey ?? "");
  }

  apply({ tiles, table }: Building): void {
    const only = this.#only;
    const mode = only?.others === "hide" ? HIDDEN : GHOST;
    for (const tile of tiles) table.setTileMode(tile.number, only && !only.storeys.has(tile.ref.storey ?? "") ? mode : 0);
    table.refresh();
  }
}
