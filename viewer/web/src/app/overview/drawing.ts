/**
 * The building seen from above its south-west corner, without perspective: paths for an SVG. Pure.
 *
 * Metres in the building frame come in, z up; one unit of the drawing is a metre on the screen.
 */
import type { Picture, Spot } from "./queries";

export type Tone = "ok" | "warn" | "bad" | "use";

export interface DrawnStorey {
  id: string;
  name: string;
  /** Walls that face right and left, and the slab on top. */
  right: string;
  left: string;
  top: string;
  tone: Tone | null;
  /** 0…1: how strongly it is tinted. */
  strength: number;
  rooms: { id: string; path: string; tone: Tone }[];
}

export interface Drawing {
  box: string;
  storeys: DrawnStorey[];
}

type Point = readonly [number, number];

const TURN = -Math.PI / 5;
const LOW = 0.5; // sine of the height of the eye over the horizon
const [COS, SIN] = [Math.cos(TURN), Math.sin(TURN)];
const RISE = Math.sqrt(1 - LOW * LOW);
/** How strongly a storey is tinted: where nobody knows in which room, and where its rooms say it themselves. */
const [ALL, HINT] = [0.55, 0.14];
const RANK: Record<Tone, number> = { use: 0, ok: 1, warn: 2, bad: 3 };

function project(x: number, y: number, z: number): Point {
  return [x * COS - y * SIN, -(x * SIN + y * COS) * LOW - z * RISE];
}

const written = ([x, y]: Point): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
const path = (points: readonly Point[]): string => `M${points.map(written).join("L")}Z`;

/** Twice the signed area: positive where the ring runs against the clock. */
function turning(ring: readonly Point[]): number {
  return ring.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = ring[(i + 1) % ring.length] ?? [x, y];
    return sum + x * nextY - nextX * y;
  }, 0);
}

interface Side {
  path: string;
  right: boolean;
}

/** The walls of a ring that are seen: those whose outer side looks to the viewer. */
function sides(ring: readonly Point[], bottom: number, top: number): Side[] {
  const out = turning(ring) > 0 ? 1 : -1;
  const seen: Side[] = [];
  for (let i = 0; i + 1 < ring.length; i++) {
    const [x0, y0] = ring[i] ?? [0, 0];
    const [x1, y1] = ring[i + 1] ?? [0, 0];
    const [nx, ny] = [(y1 - y0) * out, -(x1 - x0) * out];
    // On the screen's plane: depth grows away from the viewer, across grows to the right.
    const depth = nx * SIN + ny * COS;
    if (depth >= -1e-9) continue;
    seen.push({ path: path([project(x0, y0, bottom), project(x1, y1, bottom), project(x1, y1, top), project(x0, y0, top)]), right: nx * COS - ny * SIN > 0 });
  }
  return seen;
}

function grouped(spots: readonly Spot[], by: (spot: Spot) => string | null): Map<string, Spot[]> {
  const found = new Map<string, Spot[]>();
  for (const spot of spots) {
    const key = by(spot);
    if (key !== null) found.set(key, [...(found.get(key) ?? []), spot]);
  }
  return found;
}

/** `share`: 0…1 per storey, for what has an amount everywhere; else storeys and rooms are marked by their spots. */
export function draw(picture: Picture, spots: readonly Spot[], share: ReadonlyMap<string, number> | null = null): Drawing | null {
  if (picture.storeys.length === 0) return null;
  const drawn = new Set(picture.rooms.map((room) => room.id));
  const toneOf = (found: readonly Spot[]): Tone | null =>
    found.reduce<Tone | null>((worst, spot) => (worst === null || RANK[spot.tone as Tone] > RANK[worst] ? (spot.tone as Tone) : worst), null);
  const bySpace = grouped(spots.filter((spot) => spot.space_id !== null && drawn.has(spot.space_id)), (spot) => spot.space_id);
  const byStorey = grouped(spots, (spot) => spot.storey_id);
  const corners: Point[] = [];
  const storeys = picture.storeys.map((storey): DrawnStorey => {
    const rings = storey.rings as unknown as Point[][];
    for (const ring of rings) for (const [x, y] of ring) corners.push(project(x, y, storey.bottom), project(x, y, storey.top));
    const walls = rings.flatMap((ring) => sides(ring, storey.bottom, storey.top));
    const here = byStorey.get(storey.id) ?? [];
    const loose = here.filter((spot) => spot.space_id === null || !drawn.has(spot.space_id));
    const amount = share?.get(storey.id) ?? 0;
    const tone = share ? (amount > 0 ? "use" : null) : toneOf(here.filter((spot) => spot.tone !== "ok"));
    const rooms = picture.rooms.filter((room) => room.storey_id === storey.id && bySpace.has(room.id)).map((room) => ({
      id: room.id,
      path: (room.rings as unknown as Point[][]).map((ring) => path(ring.map(([x, y]) => project(x, y, room.bottom)))).join(""),
      tone: toneOf(bySpace.get(room.id) ?? []) ?? "ok",
    }));
    return {
      id: storey.id,
      name: storey.name,
      right: walls.filter((side) => side.right).map((side) => side.path).join(""),
      left: walls.filter((side) => !side.right).map((side) => side.path).join(""),
      top: rings.map((ring) => path(ring.map(([x, y]) => project(x, y, storey.top)))).join(""),
      tone,
      strength: share ? 0.12 + 0.75 * amount : loose.length > 0 ? ALL : HINT,
      rooms,
    };
  });
  const xs = corners.map(([x]) => x);
  const ys = corners.map(([, y]) => y);
  const least = (values: number[]): number => values.reduce((a, b) => Math.min(a, b));
  const most = (values: number[]): number => values.reduce((a, b) => Math.max(a, b));
  const [x, y] = [least(xs) - 1, least(ys) - 1];
  return { box: `${x.toFixed(1)} ${y.toFixed(1)} ${(most(xs) + 1 - x).toFixed(1)} ${(most(ys) + 1 - y).toFixed(1)}`, storeys };
}
