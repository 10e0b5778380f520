/** What lies where: picking, snapping, clearances, lines of sight. Canvas positions in CSS px, points in the building frame. */
import type { Building } from "./building";
import { Cast, type RawHit } from "./cast";
import { add, scale, sub, type V3 } from "./rig";
import { snap, unit } from "./snap";
import type { Tile } from "./tile";
import type { Hit, SnapHit, Vec3 } from "./types";
import type { Viewport } from "./viewport";

export class Asking {
  readonly #building: Building;
  readonly #view: Viewport;
  readonly #isShown: (tile: Tile) => boolean;

  /** `isShown`: whether a tile's layer is. */
  constructor(building: Building, view: Viewport, isShown: (tile: Tile) => boolean) {
    this.#building = building;
    this.#view = view;
    this.#isShown = isShown;
  }

  pick(x: number, y: number): Hit | null {
    return this.#hitOf(this.#view.pick(x, y), x, y);
  }

  #hitOf(raw: RawHit | null, x: number, y: number): Hit | null {
    const feature = raw && this.#building.table.featureAt(raw.feature);
    const tile = feature && this.#building.tileAt(feature.tile);
    if (!raw || !feature || !tile) return null;
    const { model, storey, layer } = tile.ref;
    return { globalId: feature.globalId, model, storey, layer, point: this.#building.toBuilding(this.#view.unproject(x, y, raw.depth)) };
  }

  snap(x: number, y: number): SnapHit | null {
    const raw = this.#view.pick(x, y);
    const hit = this.#hitOf(raw, x, y);
    const feature = raw && this.#building.table.featureAt(raw.feature);
    const tile = feature && this.#building.tileAt(feature.tile);
    if (!raw || !hit || !tile) return null;
    const found = snap(
      this.#rayInScene(x, y), this.#view.unproject(x, y, raw.depth), { x, y }, tile.edges(raw.feature), tile.surface(raw.feature),
      (point) => this.#view.project(point),
    );
    const place = (point: V3): Vec3 => this.#building.toBuilding(point);
    return { ...hit, kind: found.kind, point: place(found.point), normal: found.normal, edge: found.edge && [place(found.edge[0]), place(found.edge[1])] };
  }

  clearance(from: Vec3, direction: Vec3): { distance: number; point: Vec3 } | null {
    const along = unit(direction);
    const start = this.#building.pointInScene(from);
    const cast = new Cast(start, along, 0.002, Infinity);
    const { table } = this.#building;
    for (const tile of this.#building.tiles)
      if (this.#isShown(tile) && tile.ref.layer !== "spaces") tile.meet(cast, (feature) => table.isSeen(feature));
    const met = cast.first();
    return met && { distance: met.distance, point: this.#building.toBuilding(add(start, scale(along, met.distance))) };
  }

  ray(x: number, y: number): { from: Vec3; along: Vec3 } {
    const { from, along } = this.#rayInScene(x, y);
    return { from: this.#building.toBuilding(from), along };
  }

  #rayInScene(x: number, y: number): { from: V3; along: V3 } {
    const from = this.#view.unproject(x, y, 0);
    return { from, along: unit(sub(this.#view.unproject(x, y, 1), from)) };
  }

  project(point: Vec3): { x: number; y: number } | null {
    return this.#view.project(this.#building.pointInScene(point));
  }
}
