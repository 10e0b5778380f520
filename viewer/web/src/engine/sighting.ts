/** What is seen along a line: which element, and how far away. Scene coordinates. */
import { Ray, Vector3 } from "three";
import { Cast, uncut, type Met } from "./cast";
import type { FeatureTable } from "./features";
import type { Uniforms } from "./materials";
import type { V3 } from "./rig";
import type { Tile } from "./tile";

export interface Seen {
  table(): FeatureTable;
  tiles(): readonly Tile[];
  isShown(tile: Tile): boolean;
}

/** Everything but rooms and, of these, the floors; where there is nothing else, a room. What planes cut away is looked through. */
export function sight(host: Seen, uniforms: Uniforms, from: V3, along: V3, near: number, far: number): Met | null {
  const range = uncut(from, along, near, far, cutAway(uniforms));
  return range && (first(host, from, along, range, false) ?? first(host, from, along, range, true));
}

function first(host: Seen, from: V3, along: V3, [near, far]: readonly [number, number], whole: boolean): Met | null {
  const cast = new Cast(from, along, near, far);
  const line = new Ray(new Vector3(...from), new Vector3(...along));
  const table = host.table();
  const seen = (feature: number): boolean => table.isSeen(feature);
  for (const tile of host.tiles()) {
    const room = tile.ref.layer === "spaces";
    if ((whole && !room) || !host.isShown(tile) || !line.intersectsBox(tile.box)) continue;
    tile.meet(cast, seen, room && !whole);
  }
  return cast.first();
}

/** Planes beyond which nothing is drawn. */
function* cutAway({ uCut, uPlanes, uPlaneCount }: Uniforms): Generator<readonly [number, number, number, number]> {
  yield [0, 0, 1, -uCut.value];
  for (const { x, y, z, w } of uPlanes.value.slice(0, uPlaneCount.value)) yield [x, y, z, w];
}
