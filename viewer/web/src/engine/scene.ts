import { Asking } from "./asking";
import { Building } from "./building";
import { Cuts } from "./cuts";
import { Drawings, eyeOf } from "./drawings";
import { Events } from "./events";
import { GHOST, HIDDEN, HIGHLIGHTED, SELECTED } from "./features";
import { Hover } from "./hover";
import { Markers } from "./markers";
import { Layers } from "./layers";
import { Overlays } from "./overlays";
import { defaultBudget, thisDevice } from "./residency";
import { targetOf, lookAt } from "./rig";
import { Shots, type Side } from "./shots";
import type {
  Box, ClipPlane, Comparison, Destination, FlyOptions, GlobalId, Hit, Layer, LoadOptions, Marker, Others, OverlayOptions, Quality, Rgb, SceneEvents, SceneOptions,
  Severity, SnapHit, Stats, StoreyInfo, Theme, Vec3, View,
} from "./types";
import { Viewport } from "./viewport";
import { Walk } from "./walk";

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
  /** Routes and flows, drawn over the building. */
  readonly overlays: Overlays;
  /** Measurements and section planes over the picture. */
  readonly drawings: Drawings;
  /** Through the building on foot. */
  readonly walk: Walk;
  readonly #building: Building;
  readonly #view: Viewport;
  readonly #markers: Markers;
  readonly #hover: Hover;
  readonly #shots: Shots;
  readonly #asking: Asking;
  readonly #abort = new AbortController();
  readonly #events = new Events();
  #ready: Promise<void> = Promise.resolve();
  readonly #layers = new Layers();
  readonly #cuts: Cuts;
  #selection: GlobalId[] = [];
  #highlighted: GlobalId[] = [];
  #fitWhenKnown = false;

  /** `canvas` keeps the size that the page gives it. Throws where the browser has no WebGL2. */
  constructor(canvas: HTMLCanvasElement, options: SceneOptions = {}) {
    this.canvas = canvas;
    const overlay = options.overlay ?? canvas.parentElement;
    if (!overlay) throw new Error("the canvas must be in the page, or options.overlay be given");
    this.#hover = new Hover(
      (x, y) => this.pick(x, y),
      (hit, x, y) => {
        this.#applyHighlight();
        this.#emit("hover", { hit, x, y, additive: false });
      },
    );
    this.#view = new Viewport(
      canvas,
      {
        table: () => this.#building.table,
        tiles: () => this.#building.tiles,
        isShown: (tile) => this.isLayerVisible(tile.ref.layer),
        onFrame: (moved) => this.#onFrame(moved),
        onClick: (kind, x, y, additive) => this.#emit(kind, { hit: this.pick(x, y), x, y, additive }),
        onHover: (x, y) => this.#hover.move(x, y),
        onLeave: () => this.#hover.leave(),
        onContext: (state) => {
          if (state === "restored") this.#building.refill();
          this.#emit("context", state);
        },
        onRest: () => this.#building.look(),
      },
      options.maxPixelRatio ?? 2,
    );
    this.#building = this.#makeBuilding(options);
    this.#cuts = new Cuts(this.#building, this.#view);
    this.#asking = new Asking(this.#building, this.#view, (tile) => this.isLayerVisible(tile.ref.layer));
    this.#view.ambient.setQuality(options.ambientOcclusion ?? "auto");
    // What failed while there was no network is tried again once there is.
    globalThis.addEventListener("online", () => void this.retry(), { signal: this.#abort.signal });
    this.overlays = new Overlays(this.#building, this.#view);
    this.#shots = new Shots(this.#building, this.#view, (storeyId) => this.cutAbove(storeyId));
    this.drawings = new Drawings(overlay, {
      project: (point) => this.project(point), ray: (x, y) => this.ray(x, y),
      eye: () => eyeOf(this.#view.pose, (p) => this.#building.toBuilding(p)),
    });
    this.#markers = new Markers(overlay);
    this.walk = new Walk(this.#building, this.#view, () => this.#emit("walkEnd", null));
    this.setTheme(options.theme ?? "light");
  }

  // Loading ----------------------------------------------------------------------------------------------------

  /** Resolves when all tiles of the last `load` are shown or reported as errors; never rejects. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  /** Elements with a mesh in the tiles that have arrived. */
  get elementCount(): number {
    return this.#building.table.elementCount;
  }

  /** Layers of the loaded tileset. */
  get layers(): readonly Layer[] {
    return this.#building.layers;
  }

  /** Storeys of the loaded tileset as its tiles name them, from the lowest up. */
  get storeys(): readonly string[] {
    return this.#building.storeys;
  }

  /**
   * Load a building in place of the one that is shown. States stay.
   *
   * Rejects when the tileset itself cannot be had; a tile that fails becomes an `error` event and the rest goes on.
   */
  async load(tilesetUrl: string, options: LoadOptions = {}): Promise<void> {
    this.#fitWhenKnown = !options.keepCamera;
    const work = this.#building.load(tilesetUrl, options).finally(() => {
      this.#fitWhenKnown = false;
      this.#view.loading = false;
    });
    this.#ready = work.catch(() => undefined);
    return work;
  }

  /** Show some elements of another tileset as well; `dropOverlay` takes them away. Rejects when it cannot be had. */
  async overlay(tilesetUrl: string, options: OverlayOptions): Promise<void> {
    await this.#building.overlay(tilesetUrl, options);
    this.#view.invalidate(true);
  }

  /** Take away what `overlay` added. */
  dropOverlay(): void {
    this.#building.dropOverlay();
    this.#view.invalidate(true);
  }

  /** Tiles that could not be had, by their addresses in the tileset. */
  get failed(): readonly string[] {
    return this.#building.failed.map(({ uri }) => uri);
  }

  /** Try again what could not be had; resolves with how many tiles that were, once they have come or failed again. */
  async retry(): Promise<number> {
    return this.#building.retry();
  }

  /** Bytes of geometry in memory at most; null: as the device can hold. */
  setMemory(bytes: number | null): void {
    this.#building.setBudget(bytes ?? defaultBudget(thisDevice()));
    this.#view.invalidate(true);
  }

  /** Whether corners darken when the camera rests. */
  setAmbientOcclusion(quality: Quality): void {
    this.#view.ambient.setQuality(quality);
  }

  #makeBuilding(options: SceneOptions): Building {
    return new Building({
      batches: this.#view.batches,
      get: options.fetch ?? globalThis.fetch.bind(globalThis),
      concurrency: options.concurrency ?? 6,
      onBounds: (bounds) => {
        this.#view.setBounds(bounds);
        this.#cuts.place();
        this.overlays.refresh();
        if (this.#fitWhenKnown && !bounds.isEmpty()) void this.fit({ duration: 0 });
      },
      // From now on the camera is the user's.
      onStart: () => {
        this.#fitWhenKnown &&= this.#view.bounds.isEmpty();
        this.#view.loading = true;
      },
      sights: () => {
        const sight = this.#view.sights();
        return ({ storey, layer }, box) => ({ ...sight(box), wanted: this.isLayerVisible(layer) && !this.#layers.isStoreyHidden(storey) });
      },
      onLeftOut: (left) => this.#emit("leftOut", left),
      onTile: (tile) => {
        const { uri, storey, layer } = tile.ref;
        if (this.#layers.isolated) this.#layers.apply(this.#building);
        this.#view.arrived();
        this.#emit("tile", { uri, storey, layer, elements: tile.elements });
      },
      onProgress: (progress) => this.#emit("progress", progress),
      onError: (error) => this.#emit("error", error),
    }, options.memory ?? defaultBudget(thisDevice()));
  }

  // Events -----------------------------------------------------------------------------------------------------

  /** Call `listener` for every such event; returns a function that ends it. */
  on<K extends keyof SceneEvents>(event: K, listener: (value: SceneEvents[K]) => void): () => void {
    return this.#events.on(event, listener);
  }

  #emit<K extends keyof SceneEvents>(event: K, value: SceneEvents[K]): void {
    this.#events.emit(event, value);
  }

  #onFrame(moved: boolean): void {
    this.#markers.update(
      (globalId) => this.#cuts.anchorOf(globalId),
      (point) => this.project(point),
    );
    this.drawings.update();
    if (moved) {
      this.walk.follow();
      this.#emit("camera", this.view());
    }
  }

  // Asking -----------------------------------------------------------------------------------------------------

  /** Whether the element has a mesh among the tiles that have arrived. */
  has(globalId: GlobalId): boolean {
    return this.#building.table.has(globalId);
  }

  /** GlobalIds of the elements with a mesh, of a storey or a layer or both where given. */
  idsIn(where: { readonly storey?: string; readonly layer?: Layer } = {}): GlobalId[] {
    return this.#building.idsIn(where);
  }

  /** The box around one or several elements; null when none of them has a mesh. */
  boxOf(target: GlobalId | readonly GlobalId[]): Box | null {
    return this.#building.boxOf(target);
  }

  /** The box around everything on a storey; null for one without tiles. */
  boxOfStorey(storeyId: string): Box | null {
    return this.#building.boxOfStorey(storeyId);
  }

  /** The box around everything; null before anything is known. */
  bounds(): Box | null {
    return this.#building.boxInBuilding(this.#view.bounds);
  }

  /** What is seen at a canvas position (CSS px). Hidden, ghosted and cut-away elements are looked through. */
  pick(x: number, y: number): Hit | null {
    return this.#asking.pick(x, y);
  }

  /** A point exactly on what is seen at a canvas position: its corner or edge where one is near, else its face. */
  snap(x: number, y: number): SnapHit | null {
    return this.#asking.snap(x, y);
  }

  /** How far it is from a point along a direction to the next thing that is drawn; null when there is none. */
  clearance(from: Vec3, direction: Vec3): { distance: number; point: Vec3 } | null {
    return this.#asking.clearance(from, direction);
  }

  /** The line of sight through a canvas position: a point of it and its unit direction. */
  ray(x: number, y: number): { from: Vec3; along: Vec3 } {
    return this.#asking.ray(x, y);
  }

  /** Canvas position (CSS px) of a point of the building; null behind the camera. */
  project(point: Vec3): { x: number; y: number } | null {
    return this.#asking.project(point);
  }

  // Camera -----------------------------------------------------------------------------------------------------

  /** Go there. Resolves on arrival; at once when the destination is not known. */
  async flyTo(destination: Destination, options: FlyOptions = {}): Promise<void> {
    await this.#shots.flyTo(destination, options);
  }

  /** Show the whole building. */
  async fit(options: FlyOptions = {}): Promise<void> {
    await this.#shots.fit(options);
  }

  /** Show the whole building from a side ("north": as seen from the north), from above, or at the usual angle. */
  async setView(name: Side, options: FlyOptions = {}): Promise<void> {
    await this.#shots.side(name, options);
  }

  /** A storey's floor plan: cut open, straight from above, without perspective. Null goes back to where one was. */
  async plan(storeyId: string | null, options: FlyOptions = {}): Promise<void> {
    await this.#shots.plan(storeyId, options);
  }

  /** From storey to storey, each cut open, and back; moving the camera ends it. `stay`: ms at each. */
  async throughStoreys(options: FlyOptions & { readonly stay?: number } = {}): Promise<boolean> {
    return this.#shots.throughStoreys(options);
  }

  /** With or without perspective, from where the camera is. */
  setProjection(projection: "perspective" | "orthographic"): void {
    const { pose } = this.#view;
    if (this.#view.flat || pose.ortho === (projection === "orthographic")) return;
    // What is looked at keeps its size.
    const { x, y } = { x: this.#view.size.width / 2, y: this.#view.size.height / 2 };
    const hit = this.#view.pick(x, y);
    const target = hit ? this.#view.unproject(x, y, hit.depth) : targetOf(pose);
    this.#view.setPose({ ...lookAt(pose.eye, target, projection === "orthographic", pose.yaw), pitch: pose.pitch, yaw: pose.yaw });
  }

  /** Where the camera is; `flyTo` takes it back there. */
  view(): View {
    return this.#shots.view();
  }

  // What is shown ----------------------------------------------------------------------------------------------

  /** Tell the elevations of the storeys, where the tileset does not; else the cut goes by the boxes of their tiles. */
  setStoreys(storeys: readonly StoreyInfo[]): void {
    this.#building.setStoreys(storeys);
  }

  /** Cut the building open above a storey's floor; null closes it. `height` in m; below the next ceiling unless given. */
  cutAbove(storeyId: string | null, height?: number): void {
    this.#cuts.above(storeyId, height);
  }

  /** Cut the building open along planes, six at most; none closes it. The cut above a storey is apart from these. */
  setClipPlanes(planes: readonly ClipPlane[]): void {
    this.#cuts.set(planes);
  }

  /** Every plane that cuts the building open now, the one above a storey among them. */
  get clipPlanes(): readonly ClipPlane[] {
    return this.#cuts.all;
  }

  /** Show or hide a layer. Rooms ("spaces") are hidden until shown. */
  setLayer(layer: Layer, visible: boolean): void {
    this.#layers.set(layer, visible);
    this.#view.invalidate(true);
  }

  isLayerVisible(layer: Layer): boolean {
    return this.#layers.isVisible(layer);
  }

  /** Only these storeys, the others as ghosts or not at all; null for all of them. */
  isolateStoreys(storeyIds: readonly string[] | null, others: Others = "ghost"): void {
    this.#layers.isolate(storeyIds, others);
    this.#layers.apply(this.#building);
    this.#view.invalidate(true);
  }

  /** Pull the storeys apart: each this much further above the one below, m; 0 puts them together again. */
  explode(gap: number): void {
    this.#building.explode(Math.max(0, gap));
    this.#view.invalidate(true);
  }

  /** Only these elements, the others as ghosts or not at all; null ends it. */
  isolate(globalIds: Iterable<GlobalId> | null, others: Others = "ghost"): void {
    this.#building.table.isolate(globalIds, others);
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
    this.#building.table.onlyFlag([], HIDDEN);
    this.#building.table.onlyFlag([], GHOST);
    this.#building.table.isolate(null);
    this.isolateStoreys(null);
  }

  #setFlag(globalIds: Iterable<GlobalId>, flag: number, on: boolean): void {
    this.#building.table.setFlag(globalIds, flag, on);
    this.#view.invalidate(true);
  }

  // How it looks -----------------------------------------------------------------------------------------------

  /**
   * Colour exactly these elements (sRGB bytes), hatch those whose colour is null: they have no value. Null instead of
   * a map gives all of them their own colours back. One texture upload.
   */
  setColors(colors: ReadonlyMap<GlobalId, Rgb | null> | null): void {
    this.#view.ambient.gentle = (colors?.size ?? 0) > 0;
    this.#building.table.setColors(colors);
    this.#view.invalidate();
  }

  /** Colour these as well, or anew; the others stay as they are. What a tick of values changed. */
  addColors(colors: ReadonlyMap<GlobalId, Rgb | null>): void {
    if (colors.size === 0) return;
    this.#building.table.addColors(colors);
    this.#view.invalidate();
  }

  /** These elements are in alarm: they pulse, and shine through what hides them. */
  setAlarms(alarms: ReadonlyMap<GlobalId, Severity> | null): void {
    this.#building.table.setAlarms(alarms);
    this.#view.invalidate();
  }

  /** Draw the building at another moment left of a line; null ends it. What is hidden or selected is so at both. */
  compare(other: Comparison | null): void {
    this.#view.split.other = other;
    this.#view.invalidate();
  }

  /** Mark exactly these as selected; they shine through what hides them. */
  select(globalIds: Iterable<GlobalId>): void {
    this.#selection = [...globalIds];
    this.#building.table.onlyFlag(this.#selection, SELECTED);
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
    const hovered = this.#view.slow ? null : this.#hover.id;
    this.#building.table.onlyFlag(hovered === null ? this.#highlighted : [...this.#highlighted, hovered], HIGHLIGHTED);
    this.#view.invalidate();
  }

  /** Show exactly these labels. */
  setMarkers(markers: readonly Marker[]): void {
    this.#markers.set(markers);
    this.#view.invalidate();
  }

  setTheme(theme: Theme): void {
    this.#view.setTheme(theme);
    this.overlays.setTheme(theme);
  }

  // The rest ---------------------------------------------------------------------------------------------------

  stats(): Stats {
    const { drawCalls, triangles, whole, frameMs, frames, stage } = this.#view;
    const { tiles, bytes, budget, table } = this.#building;
    const { ambient } = this.#view;
    return { drawCalls, triangles, whole, frameMs, frames, tiles: tiles.length, bytes: bytes + table.data.length + stage.bytes + ambient.bytes,
      residentTiles: tiles.filter((tile) => tile.filled).length, memory: bytes, memoryBudget: budget, ambientOcclusion: ambient.shown };
  }

  /** A picture without labels, in pixels; the canvas' own size unless given. */
  async screenshot(options: { width?: number; height?: number; type?: string } = {}): Promise<Blob> {
    return this.#view.screenshot(options.width, options.height, options.type ?? "image/png");
  }

  /** Draw now rather than with the next frame: for measuring, and for films. */
  render(): void {
    this.#view.render();
  }

  /** From now on only `render` draws; the function that is returned ends it. */
  hold(): () => void {
    this.#view.held = true;
    return () => {
      this.#view.held = false;
      this.#view.invalidate();
    };
  }

  /** Stop loading, free the GPU's memory and take the labels out of the page. The canvas may be used again. */
  dispose(): void {
    this.#abort.abort();
    this.walk.stop();
    this.drawings.dispose();
    this.overlays.dispose();
    this.#hover.dispose();
    this.#markers.dispose();
    this.#building.dispose();
    this.#view.dispose();
    this.#events.clear();
  }
}
