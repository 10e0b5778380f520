/**
 * One step of somebody who walks through the building: stopped by walls, along which they slide, up and down stairs,
 * never through a floor. Pure; scene coordinates, metres, z up.
 */
import { add, dot, scale, type V3 } from "./rig";

export const EYE = 1.65;
const RADIUS = 0.25; // kept from walls
const STEP = 0.48; // what one steps up: more than any stair's riser, less than a parapet
const FALL = 9; // m/s
const HEIGHTS = [STEP + 0.06, 1.1, 1.6] as const; // of the rays that look for walls

export interface Contact {
  readonly distance: number;
  /** Unit, towards where the ray came from. */
  readonly normal: V3;
}

/** The first solid within `most` metres of `from` along a unit direction. */
export type Cast = (from: V3, along: V3, most: number) => Contact | null;

/** Where the feet are after walking `wish` (level, m) for `seconds`. */
export function stepFrom(feet: V3, wish: V3, seconds: number, cast: Cast): V3 {
  let way: V3 = [wish[0], wish[1], 0];
  // Up to a wall, along it, and into the corner that the next one makes with it.
  for (let turn = 0; turn < 3 && way[0] ** 2 + way[1] ** 2 > 1e-12; turn++) {
    const wall = obstacle(feet, way, cast);
    if (!wall) {
      feet = add(feet, way);
      break;
    }
    feet = add(feet, scale(way, wall.share));
    way = slid(scale(way, 1 - wall.share), wall.normal);
  }
  return onFloor(feet, seconds, cast);
}

/** What of a way is left along a wall. */
function slid(way: V3, normal: V3): V3 {
  const square = normal[0] ** 2 + normal[1] ** 2;
  const into = square > 1e-12 ? (way[0] * normal[0] + way[1] * normal[1]) / square : 0;
  return into >= 0 ? [0, 0, 0] : [way[0] - normal[0] * into, way[1] - normal[1] * into, 0];
}

/** The wall that is nearest on a way, and which share of the way one may go. */
function obstacle(feet: V3, way: V3, cast: Cast): { normal: V3; share: number } | null {
  const long = Math.hypot(way[0], way[1]);
  const along = scale(way, 1 / long);
  let nearest: { normal: V3; share: number } | null = null;
  for (const height of HEIGHTS) {
    const hit = cast(add(feet, [0, 0, height]), along, long + 4 * RADIUS);
    if (!hit) continue;
    // The distance kept is that square to the wall, however one comes along it.
    const square = Math.max(0.1, -dot(hit.normal, along));
    const share = Math.max(0, hit.distance - RADIUS / square) / long;
    if (share < (nearest?.share ?? 1)) nearest = { normal: hit.normal, share };
  }
  return nearest;
}

function onFloor(feet: V3, seconds: number, cast: Cast): V3 {
  const from = add(feet, [0, 0, STEP]);
  const floor = cast(from, [0, 0, -1], STEP + FALL * seconds + 0.02);
  if (floor) return [feet[0], feet[1], from[2] - floor.distance];
  const below = cast(feet, [0, 0, -1], 200);
  return below ? [feet[0], feet[1], feet[2] - Math.min(below.distance, FALL * seconds)] : feet; // over nothing one does not fall for ever
}
