/** What is loaded: tiles, elements, storeys, and where the scene's origin lies in the building frame. */
import { Box3, Vector3 } from "three";
import { Decoder } from "./decode";
import type { Batches } from "./draws";
import { FeatureTable, HIDDEN } from "./features";
import { loadTile, loadTiles, type Loaded } from "./loader";
import { Residency, type Sight, type Slot } from "./residency";
import type { Bounds, V3 } from "./rig";
import { Tile, sizeOfTile } from "./tile";
import { loadingOrder, readTileset, unionOf, type TileRef } from "./tileset";
import type { Box, GlobalId, Layer, LeftOut, LoadOptions, OverlayOptions, Progress, StoreyInfo, TileError, Vec3 } from "./types";

/** What an overlay does not show: one element that is always hidden. */
const UNSEEN = "\0";

export interface BuildingHost {
  readonly batches: Batches;
  readonly get: typeof fetch;
  readonly concurrency: number;
  /** The box around everything became known or changed, scene coordinates; empty when there is nothing. */
  onBounds(bounds: Box3): void;
  /** The tileset is read and its tiles are about to come. */
  onStart(): void;
  onTile(tile: Tile): void;
  onProgress(progress: Progress): void;
  /** Asks how much tiles matter from where the camera is; the box is where the tile is drawn. */
  sights(): (ref: TileRef, box: Box3 | null) => Sight;
  /** There is no room for these; null when there is for all. */
  onLeftOut(left: LeftOut | null): void;
  onError(error: TileError): void;
}

export class Building {
  readonly table = new FeatureTable();
  readonly bounds = new Box3();
  /** Bytes of geometry that may be in memory. */
  #budget: number;
  readonly #host: BuildingHost;
  readonly #decoder = new Decoder();
  #tiles: Tile[] = [];
  #byNumber = new Map<number, Tile>();
  #bySlot = new Map<TileRef, Tile>();
  #residency: Residency | null = null;
  #leftOut = "";
  /** Those of `#tiles` that lie over the building; see `overlay`. */
  #overlay = new Set<Tile>();
  /** Those of the version before that are shown until what replaces them has come. */
  #outdated = new Set<Tile>();
  #overlayAbort = new AbortController();
  #origin: Vec3 | null = null;
  #storeys: readonly StoreyInfo[] = [];
  #abort = new AbortController();

  constructor(host: BuildingHost, budget: number) {
    this.#host = host;
    this.#budget = budget;
  }

  /** Bytes of geometry in memory. */
  get bytes(): number {
    return this.#tiles.reduce((sum, tile) => sum + tile.bytes, 0);
  }

  get budget(): number {
    return this.#budget;
  }

  /** Tiles that could not be had. */
  get failed(): readonly TileRef[] {
    return this.#residency?.failed.map(({ ref }) => ref) ?? [];
  }

  /** The tile of a number that the table gives; overlays come and go, so it is no index of `tiles`. */
  tileAt(number: number): Tile | undefined {
    return this.#byNumber.get(number);
  }

  setBudget(bytes: number): void {
    this.#budget = bytes;
    this.#residency?.setBudget(bytes);
  }

  /** Another place is looked at, or other things are to be shown: load what is missing there. */
  look(): void {
    this.#residency?.look();
  }

  /** The GPU has lost what it was given: fetch it again, from the browser's cache where that has it. */
  refill(): void {
    this.#removeOutdated(() => true);
    for (const tile of this.#tiles) tile.lost();
    this.#residency?.refill();
  }

  /** Try again what failed; resolves with how many that were once they have come or failed again. */
  async retry(): Promise<number> {
    const count = this.#residency?.retry() ?? 0;
    await this.#residency?.fill();
    return count;
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
    const whole = unionOf(refs.map((ref) => ref.box));
    if (options.keepCamera && this.#origin && this.#bySlot.size > 0) this.#keepEqual(refs);
    else {
      this.#clear();
      if (whole) this.#origin = [0, 1, 2].map((i) => Math.round(((whole.min[i] as number) + (whole.max[i] as number)) / 2)) as unknown as Vec3;
    }
    if (storeys.length > 0) this.setStoreys(storeys);
    this.table.reserve(this.table.featureCount + refs.reduce((sum, ref) => sum + ref.elements, 0));
    if (whole) {
      const { min, max } = this.toScene(whole);
      this.bounds.set(new Vector3(...min), new Vector3(...max));
      this.#host.onBounds(this.bounds);
    }
    this.#host.onStart();
    await this.#loadTiles(loadingOrder(refs, options.first), options.first ?? [], signal);
    if (!signal.aborted) this.#settleBounds();
  }

  async #loadTiles(refs: readonly TileRef[], first: readonly string[], signal: AbortSignal): Promise<void> {
    const totalBytes = refs.reduce((sum, ref) => sum + ref.bytes, 0);
    let [loadedTiles, loadedBytes] = [0, 0];
    const report = (): void => this.#host.onProgress({ loadedTiles, totalTiles: refs.length, loadedBytes, totalBytes });
    const came = (bytes: number): void => {
      [loadedTiles, loadedBytes] = [loadedTiles + 1, loadedBytes + bytes];
      if (loadedTiles <= refs.length) report();
    };
    const size = this.bounds.getSize(new Vector3()).length();
    this.#residency = new Residency(refs, this.#budget, first, {
      concurrency: this.#host.concurrency,
      reach: () => size * 0.15,
      sights: () => {
        const sight = this.#host.sights();
        return (ref) => sight(ref, this.#bySlot.get(ref)?.box ?? this.#boxInScene(ref));
      },
      load: (ref, abort) => loadTile(ref, this.#decoder, this.#host.get, abort),
      sizeOf: ({ data }) => sizeOfTile(data),
      onHere: (slot, loaded) => {
        if (!this.#bySlot.has(slot.ref)) came(loaded.bytes);
        this.#place(slot, loaded);
      },
      onDrop: ({ ref }) => this.#bySlot.get(ref)?.drop(),
      onFailed: ({ ref }, error) => {
        came(0);
        this.#host.onError({ uri: ref.uri, message: error.message, storey: ref.storey, layer: ref.layer });
      },
      onIdle: () => this.#tellLeftOut(refs.length),
    }, signal);
    for (const slot of this.#residency.slots) {
      const tile = this.#bySlot.get(slot.ref);
      if (!tile) continue;
      Object.assign(slot, { state: tile.filled ? "here" : "waiting", known: true, bytes: tile.bytes });
      loadedTiles++;
    }
    report();
    await this.#residency.fill();
  }

  #place({ ref }: Slot, { data }: Loaded): void {
    const known = this.#bySlot.get(ref);
    if (known) {
      known.fill(data);
      this.#host.onTile(known);
      return;
    }
    this.#removeOutdated((old) => old.ref.storey === ref.storey && old.ref.layer === ref.layer);
    this.#origin ??= [Math.round(data.boxes[0] ?? 0), Math.round(data.boxes[1] ?? 0), Math.round(data.boxes[2] ?? 0)];
    const tile = this.#add(ref, data);
    this.#bySlot.set(ref, tile);
    if (!ref.box && !tile.box.isEmpty()) this.#host.onBounds(this.bounds.union(tile.box));
    this.#host.onTile(tile);
  }

  #add(ref: TileRef, data: Loaded["data"], keep = false): Tile {
    const tile = new Tile(ref, data, this.table, this.#host.batches, this.#origin as Vec3, keep);
    this.#tiles.push(tile);
    this.#byNumber.set(tile.number, tile);
    return tile;
  }

  #tellLeftOut(tiles: number): void {
    const left = this.#residency?.leftOut ?? null;
    const told = left && left.tiles > 0 ? JSON.stringify(left) : "";
    if (told !== this.#leftOut) this.#host.onLeftOut(told ? left : null);
    this.#leftOut = told;
    if (told) this.#host.onProgress({ loadedTiles: tiles, totalTiles: tiles, loadedBytes: 0, totalBytes: 0 }); // no more is coming
  }

  /** Another version: its tiles that are those of the one before stay, the others go when what replaces them has come. */
  #keepEqual(refs: readonly TileRef[]): void {
    this.dropOverlay();
    const before = new Map([...this.#bySlot.values()].map((tile) => [tile.ref.url, tile] as const));
    this.#bySlot.clear();
    for (const ref of refs) {
      const tile = before.get(ref.url);
      if (!tile || tile.ref.storey !== ref.storey || tile.ref.layer !== ref.layer) continue;
      before.delete(ref.url);
      tile.ref = ref;
      this.#bySlot.set(ref, tile);
    }
    this.#outdated = new Set(before.values());
    const coming = new Set(refs.filter((ref) => !this.#bySlot.has(ref)).map(({ storey, layer }) => `${storey}/${layer}`));
    this.#removeOutdated(({ ref }) => !coming.has(`${ref.storey}/${ref.layer}`));
  }

  #removeOutdated(which: (tile: Tile) => boolean): void {
    const going = [...this.#outdated].filter(which);
    for (const tile of going) {
      this.#outdated.delete(tile);
      this.#byNumber.delete(tile.number);
      this.table.removeTile(tile.number);
      tile.dispose();
    }
    if (going.length > 0) this.#tiles = this.#tiles.filter((tile) => !going.includes(tile));
  }

  #boxInScene({ box }: TileRef): Box3 | null {
    if (!box) return null;
    const { min, max } = this.toScene(box);
    return new Box3(new Vector3(...min), new Vector3(...max));
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
        const tile = this.#add(ref, { ...data, globalIds }, true);
        this.#overlay.add(tile);
        this.#host.onTile(tile);
      },
      onError: (ref, error) => this.#host.onError({ uri: ref.uri, message: error.message, storey: ref.storey, layer: ref.layer }),
    });
  }

  dropOverlay(): void {
    this.#overlayAbort.abort();
    this.#overlayAbort = new AbortController();
    for (const tile of this.#overlay) {
      this.#byNumber.delete(tile.number);
      this.table.removeTile(tile.number);
      tile.dispose();
    }
    this.#tiles = this.#tiles.filter((tile) => !this.#overlay.has(tile));
    this.#overlay.clear();
  }

  #clear(): void {
    this.dropOverlay();
    for (const tile of this.#tiles) tile.dispose();
    this.#tiles = [];
    this.#byNumber.clear();
    this.#bySlot.clear();
    this.#outdated.clear();
    this.#residency = null;
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
    return this.tileAt(this.table.tileOf(globalId) ?? -1)?.lift ?? 0;
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
