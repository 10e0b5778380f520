/** What is loaded: tiles, elements, storeys, and where the scene's origin lies in the building frame. */
import { Box3, Vector3, type Object3D } from "three";
import { Decoder } from "./decode";
import { FeatureTable, HIDDEN } from "./features";
import { loadTiles } from "./loader";
import type { Materials } from "./materials";
import type { Bounds, V3 } from "./rig";
import { Tile } from "./tile";
import { loadingOrder, readTileset, unionOf, type TileRef } from "./tileset";
import type { Box, GlobalId, Layer, LoadOptions, OverlayOptions, Progress, StoreyInfo, TileError, Vec3 } from "./types";

/** What an overlay does not show: one element that is always hidden. */
const UNSEEN = "\0";

export interface BuildingHost {
  readonly root: Object3D;
  readonly materials: Materials;
  readonly get: typeof fetch;
  readonly concurrency: number;
  /** The box around everything became known or changed, scene coordinates; empty when there is nothing. */
  onBounds(bounds: Box3): void;
  /** The tileset is read and its tiles are about to come. */
  onStart(): void;
  onTile(tile: Tile): void;
  onProgress(progress: Progress): void;
  onError(error: TileError): void;
}

export class Building {
  readonly table = new FeatureTable();
  readonly bounds = new Box3();
  /** Bytes of geometry on the GPU. */
  bytes = 0;
  readonly #host: BuildingHost;
  readonly #decoder = new Decoder();
  #tiles: Tile[] = [];
  /** Those of `#tiles` that lie over the building; see `overlay`. */
  #overlay = new Set<Tile>();
  #overlayAbort = new AbortController();
  #origin: Vec3 | null = null;
  #storeys: readonly StoreyInfo[] = [];
  #abort = new AbortController();

  constructor(host: BuildingHost) {
    this.#host = host;
  }

  get tiles(): readonly Tile[] {
    return this.#tiles;
  }

  /** Replace what is loaded. Rejects when there is no such tileset; tiles that fail are reported. */
  async load(url: string, options: LoadOptions): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const answer = await this.#host.get(url, { credentials: "same-origin", signal });
    if (!answer.ok) throw new Error(`${url}: the server answered ${answer.status}`);
    const { tiles: refs, storeys } = readTileset(await answer.json(), answer.url || url);
    if (signal.aborted) return;
    this.#clear();
    if (storeys.length > 0) this.setStoreys(storeys);
    this.table.reserve(refs.reduce((sum, ref) => sum + ref.elements, 0));
    const whole = unionOf(refs.map((ref) => ref.box));
    if (whole) {
      const middle = (i: 0 | 1 | 2): number => Math.round((whole.min[i] + whole.max[i]) / 2);
      this.#origin = [middle(0), middle(1), middle(2)];
      const { min, max } = this.toScene(whole);
      this.bounds.set(new Vector3(...min), new Vector3(...max));
      this.#host.onBounds(this.bounds);
    }
    this.#host.onStart();
    await this.#loadTiles(loadingOrder(refs, options.first), signal);
    if (!signal.aborted) this.#settleBounds();
  }

  async #loadTiles(refs: readonly TileRef[], signal: AbortSignal): Promise<void> {
    const totalBytes = refs.reduce((sum, ref) => sum + ref.bytes, 0);
    let [loadedTiles, loadedBytes] = [0, 0];
    const report = (): void => this.#host.onProgress({ loadedTiles, totalTiles: refs.length, loadedBytes, totalBytes });
    report();
    await loadTiles(refs, this.#decoder, this.#host.get, this.#host.concurrency, signal, {
      onTile: (ref, data, bytes) => {
        this.#origin ??= [Math.round(data.boxes[0] ?? 0), Math.round(data.boxes[1] ?? 0), Math.round(data.boxes[2] ?? 0)];
        const tile = new Tile(ref, data, this.table, this.#host.materials, this.#host.root, this.#origin);
        this.#tiles.push(tile);
        this.bytes += tile.bytes;
        if (!ref.box && !tile.box.isEmpty()) this.#host.onBounds(this.bounds.union(tile.box));
        this.#host.onTile(tile);
        [loadedTiles, loadedBytes] = [loadedTiles + 1, loadedBytes + bytes];
        report();
      },
      onError: (ref, error) => {
        loadedTiles++;
        report();
        this.#host.onError({ uri: ref.uri, message: error.message });
      },
    });
  }

  /** Show some elements of another tileset as well, e.g. what an earlier version had. Their ids end in `mark`. */
  async overlay(url: string, { only, mark, storeys }: OverlayOptions): Promise<void> {
    this.dropOverlay();
    const { signal } = this.#overlayAbort;
    const answer = await this.#host.get(url, { credentials: "same-origin", signal });
    if (!answer.ok) throw new Error(`${url}: the server answered ${answer.status}`);
    const { tiles } = readTileset(await answer.json(), answer.url || url);
    this.table.setFlag([UNSEEN], HIDDEN, true);
    await loadTiles(tiles.filter((ref) => !storeys || storeys.has(ref.storey)), this.#decoder, this.#host.get, this.#host.concurrency, signal, {
      onTile: (ref, data) => {
        if (!this.#origin || !data.globalIds.some((id) => only.has(id))) return;
        const globalIds = data.globalIds.map((id) => (only.has(id) ? id + mark : UNSEEN));
        const tile = new Tile(ref, { ...data, globalIds }, this.table, this.#host.materials, this.#host.root, this.#origin);
        this.#tiles.push(tile);
        this.#overlay.add(tile);
        this.bytes += tile.bytes;
        this.#host.onTile(tile);
      },
      onError: (ref, error) => this.#host.onError({ uri: ref.uri, message: error.message }),
    });
  }

  dropOverlay(): void {
    this.#overlayAbort.abort();
    this.#overlayAbort = new AbortController();
    for (const tile of this.#overlay) {
      this.bytes -= tile.bytes;
      tile.dispose();
    }
    this.#tiles = this.#tiles.filter((tile) => !this.#overlay.has(tile));
    this.#overlay.clear();
  }

  #clear(): void {
    this.dropOverlay();
    for (const tile of this.#tiles) tile.dispose();
    this.#tiles = [];
    this.bytes = 0;
    this.table.clearTiles();
    this.#origin = null;
    this.#host.onBounds(this.bounds.makeEmpty());
  }

  /** A tileset's boxes may be generous; once everything is there, the real ones count. */
  #settleBounds(): void {
    const real = new Box3();
    for (const tile of this.#tiles) if (!tile.box.isEmpty()) real.union(tile.box);
    if (!real.isEmpty()) this.#host.onBounds(this.bounds.copy(real));
  }

  setStoreys(storeys: readonly StoreyInfo[]): void {
    this.#storeys = [...storeys].sort((a, b) => a.elevation - b.elevation);
  }

  /** Layers and, from the lowest up, storeys that have tiles. */
  get layers(): readonly Layer[] {
    return [...new Set(this.#tiles.map((t) => t.ref.layer))].sort();
  }
  get storeys(): readonly string[] {
    const height = (id: string): number => this.elevationOf(id) ?? Infinity;
    return [...new Set(this.#tiles.flatMap((t) => t.ref.storey ?? []))].sort((a, b) => height(a) - height(b));
  }

  /** Height of a storey's floor: as told, else of its rooms, else of all that is on it. */
  elevationOf(storeyId: string): number | null {
    const known = this.#storeys.find((s) => s.id === storeyId);
    if (known) return known.elevation;
    const tiles = this.#tiles.filter((t) => t.ref.storey === storeyId && !t.box.isEmpty());
    const rooms = tiles.filter((t) => t.ref.layer === "spaces");
    const low = Math.min(...(rooms.length > 0 ? rooms : tiles).map((t) => t.box.min.z));
    return Number.isFinite(low) ? this.toBuilding([0, 0, low])[2] : null;
  }

  /** Height at which a storey is best cut open: above the doors, below the next slab. */
  cutHeight(storeyId: string, height?: number): number | null {
    const floor = this.elevationOf(storeyId);
    if (floor === null) return null;
    const above = this.#storeys.find((s) => s.elevation > floor + 1)?.elevation ?? Infinity;
    return floor + (height ?? Math.min(2.3, Math.max(1.2, above - floor - 0.5)));
  }

  /** Draw the storeys apart: each `gap` metres further above the one below it; what is on none stays. */
  explode(gap: number): void {
    const order = new Map(this.storeys.map((id, i) => [id, i] as const));
    for (const tile of this.#tiles) tile.liftTo(gap * (order.get(tile.ref.storey ?? "") ?? 0));
    const whole = new Box3();
    for (const tile of this.#tiles) if (!tile.box.isEmpty()) whole.union(tile.box);
    if (!whole.isEmpty()) this.#host.onBounds(this.bounds.copy(whole));
  }

  /** How far above its place an element is drawn, m. */
  liftOf(globalId: GlobalId): number {
    return this.#tiles[this.table.tileOf(globalId) ?? -1]?.lift ?? 0;
  }

  idsIn(where: { readonly storey?: string; readonly layer?: Layer }): GlobalId[] {
    const ids = new Set<GlobalId>();
    for (const tile of this.#tiles) {
      const { ref, number } = tile;
      if (this.#overlay.has(tile)) continue;
      if ((where.storey === undefined || ref.storey === where.storey) && (where.layer === undefined || ref.layer === where.layer))
        for (const id of this.table.idsOf(number)) ids.add(id);
    }
    return [...ids];
  }

  boxOf(target: GlobalId | readonly GlobalId[]): Box | null {
    return unionOf(
      (typeof target === "string" ? [target] : target).map((id) => {
        const box = this.table.boxOf(id) as unknown as [number, number, number, number, number, number] | null;
        const lift = box ? this.liftOf(id) : 0;
        return box && { min: [box[0], box[1], box[2] + lift] as const, max: [box[3], box[4], box[5] + lift] as const };
      }),
    );
  }

  boxOfStorey(storeyId: string): Box | null {
    const all = new Box3();
    for (const tile of this.#tiles) if (tile.ref.storey === storeyId && !tile.box.isEmpty()) all.union(tile.box);
    return this.boxInBuilding(all);
  }

  boxInBuilding({ min, max }: Box3): Box | null {
    return min.x <= max.x ? { min: this.toBuilding([min.x, min.y, min.z]), max: this.toBuilding([max.x, max.y, max.z]) } : null;
  }

  pointInScene(p: Vec3): V3 {
    const o = this.#origin ?? [0, 0, 0];
    return [p[0] - o[0], p[1] - o[1], p[2] - o[2]];
  }
  toScene(box: Box): Bounds {
    return { min: this.pointInScene(box.min), max: this.pointInScene(box.max) };
  }
  toBuilding(p: V3): Vec3 {
    const o = this.#origin ?? [0, 0, 0];
    return [p[0] + o[0], p[1] + o[1], p[2] + o[2]];
  }

  dispose(): void {
    this.#abort.abort();
    this.#overlayAbort.abort();
    this.#decoder.dispose();
    for (const tile of this.#tiles) tile.dispose();
    this.#tiles = [];
  }
}
