import { Box3, CurvePath, LineCurve3, Mesh, MeshBasicMaterial, TubeGeometry, Vector3 } from "three";
import { Decoder } from "./decode";
import { FeatureTable, GHOST, HIDDEN, HIGHLIGHTED, SELECTED } from "./features";
import { loadTiles } from "./loader";
import { Markers } from "./markers";
import { NO_CUT } from "./materials";
import type { RawHit } from "./picker";
import { frame, lookAt, targetOf, type Bounds, type Pose, type V3 } from "./rig";
import { Tile } from "./tile";
import { loadingOrder, readTileset, unionOf, type TileRef } from "./tileset";
import type {
  Box, Destination, FlyOptions, GlobalId, Hit, Layer, LoadOptions, Marker, Others, Progress, Rgb, SceneEvents,
  SceneOptions, Severity, Stats, StoreyInfo, Theme, Vec3, View,
} from "./types";
import { Viewport } from "./viewport";

const FLIGHT = 700; // ms
const HOVER = 60; // ms between two looks at what is under the mouse
const HOME = { yaw: (52 * Math.PI) / 180, pitch: (-27 * Math.PI) / 180 };
const VIEWS = {
  top: { yaw: Math.PI / 2, pitch: -Math.PI / 2 }, iso: HOME,
  north: { yaw: -Math.PI / 2, pitch: -0.12 }, south: { yaw: Math.PI / 2, pitch: -0.12 },
  east: { yaw: Math.PI, pitch: -0.12 }, west: { yaw: 0, pitch: -0.12 },
} as const;

type Listeners = { [K in keyof SceneEvents]: Set<(value: SceneEvents[K]) => void> };

/**
 * The 3D view of a building on a canvas.
 *
 * It draws only when something changes. All states (colours, alarms, hidden, selected…) are kept by GlobalId and may
 * be set before the element's tile has arrived. Sets replace what was set before unless said otherwise.
 *
 * @example
 * const scene = new Scene3D(canvas, { theme: "light" });
 * scene.on("pick", ({ hit }) => scene.select(hit ? [hit.globalId] : []));
 * await scene.load(`/api/v1/buildings/${id}/tileset.json`);
 * scene.setColors(new Map([[globalId, [255, 120, 0]]]));
 */
export class Scene3D {
  readonly canvas: HTMLCanvasElement;
  readonly #options: SceneOptions;
  readonly #table = new FeatureTable();
  readonly #view: Viewport;
  readonly #markers: Markers;
  readonly #decoder = new Decoder();
  readonly #listeners: Listeners = {
    pick: new Set(), open: new Set(), menu: new Set(), hover: new Set(), progress: new Set(), error: new Set(),
    camera: new Set(), tile: new Set(), context: new Set(),
  };
  #tiles: Tile[] = [];
  #origin: Vec3 | null = null;
  #loading: AbortController | null = null;
  #ready: Promise<void> = Promise.resolve();
  #bytes = 0;
  readonly #layers = new Map<Layer, boolean>();
  #storeys: readonly StoreyInfo[] = [];
  #isolatedStoreys: { ids: ReadonlySet<string>; others: Others } | null = null;
  #selection: GlobalId[] = [];
  #highlighted: GlobalId[] = [];
  #hover = { id: null as GlobalId | null, x: -1, y: -1, busy: false, timer: undefined as ReturnType<typeof setTimeout> | undefined };
  #beforePlan: Pose | null = null;
  #path: Mesh | null = null;
  #disposed = false;

  /** `canvas` keeps the size that the page gives it. Throws where the browser has no WebGL2. */
  constructor(canvas: HTMLCanvasElement, options: SceneOptions = {}) {
    this.canvas = canvas;
    this.#options = options;
    const overlay = options.overlay ?? canvas.parentElement;
    if (!overlay) throw new Error("the canvas must be in the page, or options.overlay be given");
    this.#view = new Viewport(
      canvas,
      {
        table: this.#table,
        tiles: () => this.#tiles,
        isShown: (tile) => this.#layers.get(tile.ref.layer) !== false,
        onFrame: (moved) => this.#onFrame(moved),
        onClick: (kind, x, y, additive) => this.#onClick(kind, x, y, additive),
        onHover: (x, y) => this.#onHover(x, y),
        onLeave: () => this.#setHover(null, -1, -1, null),
        onContext: (state) => this.#emit("context", state),
      },
      options.maxPixelRatio ?? 2,
    );
    this.#markers = new Markers(overlay);
    this.setTheme(options.theme ?? "light");
    // Rooms hide what is in them; an application shows them when they have something to say.
    this.#layers.set("spaces", false);
  }

  // Loading ----------------------------------------------------------------------------------------------------

  /** Resolves when all tiles of the last `load` are shown or reported as errors; never rejects. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  /** Elements with a mesh in the tiles that have arrived. */
  get elementCount(): number {
    return this.#table.elementCount;
  }

  /** Layers of the loaded tileset. */
  get layers(): readonly Layer[] {
    return [...new Set(this.#tiles.map((t) => t.ref.layer))].sort();
  }

  /** Storeys of the loaded tileset as its tiles name them, from the lowest up. */
  get storeys(): readonly string[] {
    const height = (id: string): number => this.#elevationOf(id) ?? Infinity;
    return [...new Set(this.#tiles.flatMap((t) => t.ref.storey ?? []))].sort((a, b) => height(a) - height(b));
  }

  /**
   * Load a building in place of the one that is shown. States stay.
   *
   * Rejects when the tileset itself cannot be had; a tile that fails becomes an `error` event and the rest goes on.
   */
  async load(tilesetUrl: string, options: LoadOptions = {}): Promise<void> {
    const work = this.#load(tilesetUrl, options);
    this.#ready = work.catch(() => undefined);
    return work;
  }

  async #load(url: string, options: LoadOptions): Promise<void> {
    this.#loading?.abort();
    const abort = new AbortController();
    this.#loading = abort;
    const get = this.#options.fetch ?? globalThis.fetch.bind(globalThis);
    const answer = await get(url, { credentials: "same-origin", signal: abort.signal });
    if (!answer.ok) throw new Error(`${url}: the server answered ${answer.status}`);
    const { tiles: refs, storeys } = readTileset(await answer.json(), answer.url || url);
    if (abort.signal.aborted) return;
    this.#clear();
    if (storeys.length > 0) this.setStoreys(storeys);
    this.#table.reserve(refs.reduce((sum, ref) => sum + ref.elements, 0));
    const whole = unionOf(refs.map((ref) => ref.box));
    if (whole) {
      this.#origin = [0, 1, 2].map((i) => Math.round(((whole.min[i] as number) + (whole.max[i] as number)) / 2)) as unknown as Vec3;
      this.#growBounds(whole);
      if (!options.keepCamera) await this.fit({ duration: 0 });
    }
    await this.#loadTiles(loadingOrder(refs, options.first), get, abort.signal);
    if (abort.signal.aborted) return;
    this.#settleBounds();
    if (!whole && !options.keepCamera) await this.fit({ duration: 0 });
  }

  async #loadTiles(refs: readonly TileRef[], get: typeof fetch, signal: AbortSignal): Promise<void> {
    const progress: { -readonly [K in keyof Progress]: Progress[K] } = {
      loadedTiles: 0, totalTiles: refs.length, loadedBytes: 0, totalBytes: refs.reduce((sum, ref) => sum + ref.bytes, 0),
    };
    const step = (bytes: number): void => {
      progress.loadedTiles++;
      progress.loadedBytes += bytes;
      this.#emit("progress", { ...progress });
    };
    this.#emit("progress", { ...progress });
    await loadTiles(refs, this.#decoder, get, this.#options.concurrency ?? 6, signal, {
      onTile: (ref, data, bytes) => {
        this.#origin ??= [0, 1, 2].map((i) => Math.round(data.boxes[i] ?? 0)) as unknown as Vec3;
        const tile = new Tile(ref, data, this.#table, this.#view.materials, this.#view.root, this.#origin);
        this.#tiles.push(tile);
        this.#bytes += tile.bytes;
        if (!this.#layers.has(ref.layer)) this.#layers.set(ref.layer, true);
        if (this.#isolatedStoreys) this.#applyStoreys();
        if (!ref.box && !tile.box.isEmpty()) {
          this.#view.bounds.union(tile.box);
          this.#view.stage.place(this.#view.bounds);
        }
        this.#view.invalidate(true);
        step(bytes);
        this.#emit("tile", { uri: ref.uri, storey: ref.storey, layer: ref.layer, elements: tile.elements });
      },
      onError: (ref, error) => {
        step(0);
        this.#emit("error", { uri: ref.uri, message: error.message });
      },
    });
  }

  #clear(): void {
    for (const tile of this.#tiles) tile.dispose();
    this.#tiles = [];
    this.#bytes = 0;
    this.#table.clearTiles();
    this.#origin = null;
    this.#view.bounds.makeEmpty();
    this.#view.invalidate(true);
  }

  #growBounds(box: Box): void {
    const { min, max } = this.#toScene(box);
    this.#view.bounds.union(new Box3(new Vector3(...min), new Vector3(...max)));
    this.#view.stage.place(this.#view.bounds);
  }

  /** A tileset's boxes may be generous; once everything is there, the real ones count. */
  #settleBounds(): void {
    const real = new Box3();
    for (const tile of this.#tiles) if (!tile.box.isEmpty()) real.union(tile.box);
    if (real.isEmpty()) return;
    this.#view.bounds.copy(real);
    this.#view.stage.place(real);
    this.#view.invalidate(true);
  }

  // Events -----------------------------------------------------------------------------------------------------

  /** Call `listener` for every such event; returns a function that ends it. */
  on<K extends keyof SceneEvents>(event: K, listener: (value: SceneEvents[K]) => void): () => void {
    this.#listeners[event].add(listener);
    return () => this.#listeners[event].delete(listener);
  }

  #emit<K extends keyof SceneEvents>(event: K, value: SceneEvents[K]): void {
    for (const listener of this.#listeners[event]) listener(value);
  }

  #onClick(kind: "pick" | "open" | "menu", x: number, y: number, additive: boolean): void {
    this.#emit(kind, { hit: this.pick(x, y), x, y, additive });
  }

  #onHover(x: number, y: number): void {
    this.#hover.x = x;
    this.#hover.y = y;
    if (this.#hover.busy) return;
    this.#hover.busy = true;
    this.#hover.timer = setTimeout(() => {
      const { x: atX, y: atY } = this.#hover;
      if (atX < 0) {
        this.#hover.busy = false;
        return;
      }
      void this.pickAsync(atX, atY)
        .then((hit) => {
          if (!this.#disposed && this.#hover.x >= 0) this.#setHover(hit?.globalId ?? null, atX, atY, hit);
        })
        .catch(() => undefined) // the context was lost meanwhile
        .finally(() => {
          this.#hover.busy = false;
          if (!this.#disposed && this.#hover.x >= 0 && (this.#hover.x !== atX || this.#hover.y !== atY)) this.#onHover(this.#hover.x, this.#hover.y);
        });
    }, HOVER);
  }

  #setHover(id: GlobalId | null, x: number, y: number, hit: Hit | null): void {
    if (x < 0) this.#hover.x = -1;
    if (this.#hover.id === id) return;
    this.#hover.id = id;
    this.#applyHighlight();
    this.#emit("hover", { hit, x, y, additive: false });
  }

  #onFrame(moved: boolean): void {
    this.#markers.update(
      (globalId) => this.#anchorOf(globalId),
      (point) => this.project(point),
    );
    if (moved) this.#emit("camera", this.view());
  }

  /** Top centre of an element, below the cut; null where it is not drawn at all. */
  #anchorOf(globalId: GlobalId): Vec3 | null {
    const box = this.#table.boxOf(globalId);
    if (!box || !this.#table.isShown(globalId)) return null;
    const [x0, y0, z0, x1, y1, z1] = box as unknown as [number, number, number, number, number, number];
    const cut = this.#view.cut === NO_CUT ? Infinity : this.#view.cut + (this.#origin?.[2] ?? 0);
    return z0 > cut ? null : [(x0 + x1) / 2, (y0 + y1) / 2, Math.min(z1, cut)];
  }

  // Asking -----------------------------------------------------------------------------------------------------

  /** Whether the element has a mesh among the tiles that have arrived. */
  has(globalId: GlobalId): boolean {
    return this.#table.has(globalId);
  }

  /** GlobalIds of the elements with a mesh, of a storey or a layer or both where given. */
  idsIn(where: { readonly storey?: string; readonly layer?: Layer } = {}): GlobalId[] {
    const ids = new Set<GlobalId>();
    for (const { ref, number } of this.#tiles)
      if ((where.storey === undefined || ref.storey === where.storey) && (where.layer === undefined || ref.layer === where.layer))
        for (const id of this.#table.idsOf(number)) ids.add(id);
    return [...ids];
  }

  /** The box around one or several elements; null when none of them has a mesh. */
  boxOf(target: GlobalId | readonly GlobalId[]): Box | null {
    const boxes = (typeof target === "string" ? [target] : target).map((id) => this.#table.boxOf(id));
    return unionOf(boxes.map((b) => b && { min: [b[0], b[1], b[2]] as unknown as Vec3, max: [b[3], b[4], b[5]] as unknown as Vec3 }));
  }

  /** The box around everything; null before anything is known. */
  bounds(): Box | null {
    const { bounds } = this.#view;
    if (bounds.isEmpty()) return null;
    return { min: this.#toBuilding([bounds.min.x, bounds.min.y, bounds.min.z]), max: this.#toBuilding([bounds.max.x, bounds.max.y, bounds.max.z]) };
  }

  /** What is seen at a canvas position (CSS px). Hidden, ghosted and cut-away elements are looked through. */
  pick(x: number, y: number): Hit | null {
    return this.#hitOf(this.#view.pick(x, y), x, y);
  }

  /** The same without waiting for the GPU. */
  async pickAsync(x: number, y: number): Promise<Hit | null> {
    return this.#hitOf(await this.#view.pickAsync(x, y), x, y);
  }

  #hitOf(raw: RawHit | null, x: number, y: number): Hit | null {
    const feature = raw && this.#table.featureAt(raw.feature);
    const tile = feature && this.#tiles[feature.tile];
    if (!raw || !feature || !tile) return null;
    const { model, storey, layer } = tile.ref;
    return { globalId: feature.globalId, model, storey, layer, point: this.#toBuilding(this.#view.unproject(x, y, raw.depth)) };
  }

  /** Canvas position (CSS px) of a point of the building; null behind the camera. */
  project(point: Vec3): { x: number; y: number } | null {
    return this.#view.project(this.#toSceneV(point));
  }

  #toSceneV(p: Vec3): V3 {
    const o = this.#origin ?? [0, 0, 0];
    return [p[0] - o[0], p[1] - o[1], p[2] - o[2]];
  }
  #toScene(box: Box): Bounds {
    return { min: this.#toSceneV(box.min), max: this.#toSceneV(box.max) };
  }
  #toBuilding(p: V3): Vec3 {
    const o = this.#origin ?? [0, 0, 0];
    return [p[0] + o[0], p[1] + o[1], p[2] + o[2]];
  }

  // Camera -----------------------------------------------------------------------------------------------------

  #duration(options: FlyOptions): number {
    return options.duration ?? (this.#view.reducedMotion?.matches ? 0 : FLIGHT);
  }

  /** Go there. Resolves on arrival; at once when the destination is not known. */
  async flyTo(destination: Destination, options: FlyOptions = {}): Promise<void> {
    const pose = this.#poseFor(destination, options.margin ?? 1.35);
    if (pose) await this.#view.fly(pose, this.#duration(options));
  }

  #poseFor(destination: Destination, margin: number): Pose | null {
    const { pose } = this.#view;
    if (typeof destination === "object" && "eye" in destination)
      return lookAt(this.#toSceneV(destination.eye), this.#toSceneV(destination.target), destination.projection === "orthographic", pose.yaw);
    const box = typeof destination === "object" && "min" in destination ? destination : this.boxOf(destination);
    if (!box) return null;
    const { min, max } = this.#toScene(box);
    // Something small is shown with what stands around it.
    const grow = (i: 0 | 1 | 2): number => Math.max(0, 0.8 - (max[i] - min[i]) / 2);
    const roomy: Bounds = {
      min: [min[0] - grow(0), min[1] - grow(1), min[2] - grow(2)], max: [max[0] + grow(0), max[1] + grow(1), max[2] + grow(2)],
    };
    const pitch = pose.ortho ? pose.pitch : Math.min(-0.35, Math.max(-0.95, pose.pitch));
    return frame(roomy, pose.yaw, pitch, this.#view.aspect, margin, pose.ortho);
  }

  /** Show the whole building. */
  async fit(options: FlyOptions = {}): Promise<void> {
    const box = this.bounds();
    if (!box) return;
    const { yaw, pitch, ortho } = this.#view.frames === 0 ? { ...HOME, ortho: false } : this.#view.pose;
    await this.#view.fly(frame(this.#toScene(box), yaw, pitch, this.#view.aspect, options.margin ?? 1.08, ortho), this.#duration(options));
  }

  /** Show the whole building from a side ("north": as seen from the north), from above, or at the usual angle. */
  async setView(name: keyof typeof VIEWS, options: FlyOptions = {}): Promise<void> {
    const box = this.bounds();
    if (!box) return;
    const { yaw, pitch } = VIEWS[name];
    this.#leavePlan();
    await this.#view.fly(frame(this.#toScene(box), yaw, pitch, this.#view.aspect, options.margin ?? 1.08, false), this.#duration(options));
  }

  /** A storey's floor plan: cut open, straight from above, without perspective. Null goes back to where one was. */
  async plan(storeyId: string | null, options: FlyOptions = {}): Promise<void> {
    if (storeyId === null) {
      const back = this.#beforePlan;
      this.#leavePlan();
      if (back) await this.#view.fly(back, this.#duration(options));
      return;
    }
    const box = unionOf(this.#tiles.filter((t) => t.ref.storey === storeyId).map((t) => boxOfTile(t, this.#origin))) ?? this.bounds();
    if (!box) return;
    this.#beforePlan ??= this.#view.pose;
    this.cutAbove(storeyId);
    this.#view.flat = true;
    const { yaw, pitch } = VIEWS.top;
    await this.#view.fly(frame(this.#toScene(box), yaw, pitch, this.#view.aspect, options.margin ?? 1.1, true), this.#duration(options));
  }

  #leavePlan(): void {
    if (this.#beforePlan) this.cutAbove(null);
    this.#beforePlan = null;
    this.#view.flat = false;
  }

  /** Where the camera is; `flyTo` takes it back there. */
  view(): View {
    const { pose } = this.#view;
    return { eye: this.#toBuilding(pose.eye), target: this.#toBuilding(targetOf(pose)), projection: pose.ortho ? "orthographic" : "perspective" };
  }

  // What is shown ----------------------------------------------------------------------------------------------

  /** Tell the elevations of the storeys, where the tileset does not; else the cut goes by the boxes of their tiles. */
  setStoreys(storeys: readonly StoreyInfo[]): void {
    this.#storeys = [...storeys].sort((a, b) => a.elevation - b.elevation);
  }

  /** Cut the building open above a storey's floor; null closes it. `height` in m; below the next ceiling unless given. */
  cutAbove(storeyId: string | null, height?: number): void {
    const floor = storeyId === null ? null : this.#elevationOf(storeyId);
    if (floor === null) {
      this.#view.setCut(null);
      return;
    }
    const above = this.#storeys.find((s) => s.elevation > floor + 1)?.elevation ?? Infinity;
    const auto = Math.min(2.3, Math.max(1.2, above - floor - 0.5));
    this.#view.setCut(floor + (height ?? auto) - (this.#origin?.[2] ?? 0));
  }

  #elevationOf(storeyId: string): number | null {
    const known = this.#storeys.find((s) => s.id === storeyId);
    if (known) return known.elevation;
    const tiles = this.#tiles.filter((t) => t.ref.storey === storeyId && !t.box.isEmpty());
    const rooms = tiles.filter((t) => t.ref.layer === "spaces");
    const low = Math.min(...(rooms.length > 0 ? rooms : tiles).map((t) => t.box.min.z));
    return Number.isFinite(low) ? low + (this.#origin?.[2] ?? 0) : null;
  }

  /** Show or hide a layer. Rooms ("spaces") are hidden until shown. */
  setLayer(layer: Layer, visible: boolean): void {
    this.#layers.set(layer, visible);
    this.#view.invalidate(true);
  }

  isLayerVisible(layer: Layer): boolean {
    return this.#layers.get(layer) !== false;
  }

  /** Only these storeys, the others as ghosts or not at all; null for all of them. */
  isolateStoreys(storeyIds: readonly string[] | null, others: Others = "ghost"): void {
    this.#isolatedStoreys = storeyIds ? { ids: new Set(storeyIds), others } : null;
    this.#applyStoreys();
  }

  #applyStoreys(): void {
    const only = this.#isolatedStoreys;
    const mode = only?.others === "hide" ? HIDDEN : GHOST;
    for (const tile of this.#tiles) this.#table.setTileMode(tile.number, only && !only.ids.has(tile.ref.storey ?? "") ? mode : 0);
    this.#table.refresh();
    this.#view.invalidate(true);
  }

  /** Only these elements, the others as ghosts or not at all; null ends it. */
  isolate(globalIds: Iterable<GlobalId> | null, others: Others = "ghost"): void {
    this.#table.isolate(globalIds, others);
    this.#view.invalidate(true);
  }

  /** Hide these too. */
  hide(globalIds: Iterable<GlobalId>): void {
    this.#setFlag(globalIds, HIDDEN, true);
  }

  /** Neither hidden nor ghosted any more. */
  show(globalIds: Iterable<GlobalId>): void {
    this.#setFlag(globalIds, HIDDEN | GHOST, false);
  }

  /** Make these ghosts too. */
  ghost(globalIds: Iterable<GlobalId>): void {
    this.#setFlag(globalIds, GHOST, true);
  }

  /** End hiding, ghosting and isolating; layers and the cut stay. */
  showAll(): void {
    this.#table.onlyFlag([], HIDDEN);
    this.#table.onlyFlag([], GHOST);
    this.#table.isolate(null);
    this.isolateStoreys(null);
  }

  #setFlag(globalIds: Iterable<GlobalId>, flag: number, on: boolean): void {
    this.#table.setFlag(globalIds, flag, on);
    this.#view.invalidate(true);
  }

  // How it looks -----------------------------------------------------------------------------------------------

  /** Colour exactly these elements (sRGB bytes); null gives all of them their own colours back. One texture upload. */
  setColors(colors: ReadonlyMap<GlobalId, Rgb> | null): void {
    this.#table.setColors(colors);
    this.#view.invalidate();
  }

  /** These elements are in alarm: they pulse, and shine through what hides them. */
  setAlarms(alarms: ReadonlyMap<GlobalId, Severity> | null): void {
    this.#table.setAlarms(alarms);
    this.#view.invalidate();
  }

  /** Mark exactly these as selected; they shine through what hides them. */
  select(globalIds: Iterable<GlobalId>): void {
    this.#selection = [...globalIds];
    this.#table.onlyFlag(this.#selection, SELECTED);
    this.#view.invalidate();
  }

  get selection(): readonly GlobalId[] {
    return this.#selection;
  }

  /** Lift exactly these a little, as the mouse does with what is under it (a hovered row of a list). */
  highlight(globalIds: Iterable<GlobalId>): void {
    this.#highlighted = [...globalIds];
    this.#applyHighlight();
  }

  #applyHighlight(): void {
    this.#table.onlyFlag(this.#hover.id === null ? this.#highlighted : [...this.#highlighted, this.#hover.id], HIGHLIGHTED);
    this.#view.invalidate();
  }

  /** Show exactly these labels. */
  setMarkers(markers: readonly Marker[]): void {
    this.#markers.set(markers);
    this.#view.invalidate();
  }

  /** Draw a way through the building (a route's polyline); null takes it away. */
  setPath(points: readonly Vec3[] | null): void {
    if (this.#path) {
      this.#view.extras.remove(this.#path);
      this.#path.geometry.dispose();
      (this.#path.material as MeshBasicMaterial).dispose();
      this.#path = null;
    }
    const corners = (points ?? []).map((p) => new Vector3(...this.#toSceneV([p[0], p[1], p[2] + 0.25])));
    const curve = new CurvePath<Vector3>();
    for (let i = 1; i < corners.length; i++) {
      const [a, b] = [corners[i - 1] as Vector3, corners[i] as Vector3];
      if (a.distanceToSquared(b) > 1e-6) curve.add(new LineCurve3(a, b));
    }
    if (curve.curves.length > 0) {
      const material = new MeshBasicMaterial({ color: 0x12a35a, depthTest: false, transparent: true, opacity: 0.85 });
      this.#path = new Mesh(new TubeGeometry(curve, Math.min(4000, curve.curves.length * 12), 0.09, 6), material);
      this.#path.frustumCulled = false;
      this.#view.extras.add(this.#path);
    }
    this.#view.invalidate();
  }

  setTheme(theme: Theme): void {
    this.#view.setTheme(theme);
  }

  // The rest ---------------------------------------------------------------------------------------------------

  stats(): Stats {
    const { drawCalls, triangles, frameMs, frames, stage } = this.#view;
    return { drawCalls, triangles, frameMs, frames, tiles: this.#tiles.length, bytes: this.#bytes + this.#table.data.length + stage.bytes };
  }

  /** A picture without labels, in pixels; the canvas' own size unless given. */
  async screenshot(options: { width?: number; height?: number; type?: string } = {}): Promise<Blob> {
    return this.#view.screenshot(options.width, options.height, options.type ?? "image/png");
  }

  /** Draw now rather than with the next frame: for measuring. */
  render(): void {
    this.#view.render();
  }

  /** Stop loading, free the GPU's memory and take the labels out of the page. The canvas may be used again. */
  dispose(): void {
    this.#disposed = true;
    this.#loading?.abort();
    clearTimeout(this.#hover.timer);
    this.setPath(null);
    this.#decoder.dispose();
    this.#markers.dispose();
    for (const tile of this.#tiles) tile.dispose();
    this.#tiles = [];
    this.#view.dispose();
    for (const listeners of Object.values(this.#listeners)) listeners.clear();
  }
}

function boxOfTile(tile: Tile, origin: Vec3 | null): Box | null {
  if (tile.box.isEmpty()) return null;
  const o = origin ?? [0, 0, 0];
  const { min, max } = tile.box;
  return { min: [min.x + o[0], min.y + o[1], min.z + o[2]], max: [max.x + o[0], max.y + o[1], max.z + o[2]] };
}
