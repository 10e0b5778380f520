/** Reads a 3D Tiles 1.1 tileset into a flat list: our tiles have no levels of detail, all of them are wanted. */
import { IDENTITY, apply, multiply, type Matrix } from "./matrix";
import type { Box, Layer, StoreyInfo } from "./types";

export interface TileRef {
  /** Absolute. */
  readonly url: string;
  readonly uri: string;
  /** In the building frame; null when the tileset has something else than a box. */
  readonly box: Box | null;
  readonly storey: string | null;
  readonly layer: Layer;
  readonly model: string;
  /** As declared, 0 when not. */
  readonly elements: number;
  readonly bytes: number;
}

interface Content { uri?: string; url?: string; extras?: Record<string, unknown> }
interface Tile {
  boundingVolume?: { box?: number[] }; content?: Content; contents?: Content[]; children?: Tile[];
  transform?: number[]; extras?: Record<string, unknown>;
}

export interface Tileset {
  readonly tiles: TileRef[];
  /** Storeys with a known elevation, as the root's `extras` list them. */
  readonly storeys: StoreyInfo[];
}

/** Every content of the tileset with its box and what its `extras` say. Throws when it is no tileset. */
export function readTileset(json: unknown, url: string): Tileset {
  const root = (json as { root?: Tile } | null)?.root;
  if (!root) throw new Error(`${url} is no tileset: it has no root tile`);
  const tiles: TileRef[] = [];
  visit(root, IDENTITY, url, tiles, 0);
  const storeys: StoreyInfo[] = [];
  for (const entry of Array.isArray(root.extras?.["storeys"]) ? (root.extras["storeys"] as Record<string, unknown>[]) : [])
    if (typeof entry["id"] === "string" && typeof entry["elevation"] === "number")
      storeys.push({ id: entry["id"], elevation: entry["elevation"] });
  return { tiles, storeys };
}

function visit(tile: Tile, parent: Matrix, base: string, out: TileRef[], depth: number): void {
  if (depth > 64) throw new Error(`${base}: tiles are nested too deep`);
  const matrix = tile.transform?.length === 16 ? multiply(parent, tile.transform) : parent;
  const box = tile.boundingVolume?.box ? boxOf(tile.boundingVolume.box, matrix) : null;
  for (const content of [...(tile.content ? [tile.content] : []), ...(tile.contents ?? [])]) {
    const uri = content.uri ?? content.url;
    if (!uri) continue;
    const extras: Record<string, unknown> = { ...tile.extras, ...content.extras };
    const text = (key: string): string | null => (typeof extras[key] === "string" ? extras[key] : null);
    const number = (key: string): number => (typeof extras[key] === "number" ? extras[key] : 0);
    out.push({
      url: new URL(uri, new URL(base, globalThis.location?.href ?? "http://localhost/")).href,
      uri, box,
      storey: text("storey"), layer: text("layer") ?? "shell", model: text("model") ?? "",
      elements: number("elements"), bytes: number("bytes"),
    });
  }
  for (const child of tile.children ?? []) visit(child, matrix, base, out, depth + 1);
}

/** 3D Tiles' box (centre and three half axes) as an axis-aligned one. */
function boxOf(box: readonly number[], matrix: Matrix): Box | null {
  if (box.length !== 12 || box.some((n) => !Number.isFinite(n))) return null;
  const n = (i: number): number => box[i] as number;
  const min: [number, number, number] = [Infinity, Infinity, Infinity];
  const max: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  for (let corner = 0; corner < 8; corner++) {
    const [a, b, c] = [corner & 1 ? 1 : -1, corner & 2 ? 1 : -1, corner & 4 ? 1 : -1];
    const at = (i: number): number => n(i) + a * n(3 + i) + b * n(6 + i) + c * n(9 + i);
    const p = apply(matrix, at(0), at(1), at(2));
    for (let i = 0; i < 3; i++) {
      min[i] = Math.min(min[i] as number, p[i] as number);
      max[i] = Math.max(max[i] as number, p[i] as number);
    }
  }
  return { min, max };
}

/** The smallest box around all of them; null for none. */
export function unionOf(boxes: Iterable<Box | null>): Box | null {
  const min: [number, number, number] = [Infinity, Infinity, Infinity];
  const max: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  for (const box of boxes)
    if (box)
      for (let i = 0; i < 3; i++) {
        min[i] = Math.min(min[i] as number, box.min[i] as number);
        max[i] = Math.max(max[i] as number, box.max[i] as number);
      }
  return min[0] <= max[0] ? { min, max } : null;
}

const LAYER_RANK: Record<string, number> = { shell: 0, furniture: 1, services: 2, spaces: 3 };

/** What is loaded first where nothing else decides: the shell, then what is inside it. */
export const layerRank = (layer: Layer): number => LAYER_RANK[layer] ?? 2;

/** Order of loading: the storeys asked for, then the shell before what is inside it, then from the middle outwards. */
export function loadingOrder(tiles: readonly TileRef[], first: readonly string[] = []): TileRef[] {
  const whole = unionOf(tiles.map((t) => t.box));
  const rank = (t: TileRef): number => {
    const asked = t.storey === null ? -1 : first.indexOf(t.storey);
    const storey = asked < 0 ? first.length : asked;
    return storey * 10 + layerRank(t.layer);
  };
  const distance = (t: TileRef): number => {
    if (!t.box || !whole) return 0;
    let sum = 0;
    for (let i = 0; i < 3; i++) {
      const middle = (whole.min[i] as number) + (whole.max[i] as number);
      sum += ((t.box.min[i] as number) + (t.box.max[i] as number) - middle) ** 2;
    }
    return sum;
  };
  return [...tiles].sort((a, b) => rank(a) - rank(b) || distance(a) - distance(b));
}
