/** The canvas: WebGL, camera, frames on demand, picking. Coordinates are the scene's: building frame minus origin. */
import { Box3, Frustum, Scene, Vector3, WebGLRenderer, type Group } from "three";
import { Ambient } from "./ambient";
import type { RawHit } from "./cast";
import { Controls, type ControlHost } from "./controls";
import { makeBatches } from "./draws";
import { Economy } from "./economy";
import { Lens, project, unproject, viewProjection, type LensCamera } from "./lens";
import { MAX_PLANES, NO_CUT, applyTheme, disposeMaterials, makeMaterials, makeUniforms } from "./materials";
import { Motion } from "./motion";
import { basis, dot, lookAt, slopeOf, sub, type Pose, type V3 } from "./rig";
import { sight, type Seen } from "./sighting";
import { unit } from "./snap";
import { Split } from "./split";
import type { Sight } from "./residency";
import { Stage } from "./stage";
import { StateTexture } from "./state-texture";
import { countsOf, type Counts, type Pass } from "./tile";
import type { Theme } from "./types";
import { cool, warmed } from "./warm";

const PULSE = 66; // ms between frames that only pulse
const SLOWEST_PULSE = 700; // ms; slower than that nobody sees a pulse in it
const SLOW_FRAME = 120; // ms; a frame that takes longer is a burden
const REST = 250; // ms without a movement
const SHADOWS = 200_000; // triangles that cast shadows also where a picture takes long: what tells most
const PATIENCE = 3; // times as long as a slow frame nothing is drawn while tiles come

export interface ViewportHost extends Seen {
  /** After each frame, for labels. */
  onFrame(moved: boolean): void;
  onClick: ControlHost["onClick"];
  onHover: ControlHost["onHover"];
  onLeave: ControlHost["onLeave"];
  onContext(state: "lost" | "restored"): void;
  /** The camera has come to rest, or what is to be shown has changed. */
  onRest(): void;
}

export class Viewport {
  readonly canvas: HTMLCanvasElement;
  readonly renderer: WebGLRenderer;
  readonly uniforms = makeUniforms();
  readonly materials = makeMaterials(this.uniforms);
  /** Tiles go here… */
  readonly root = new Scene();
  readonly batches = makeBatches(this.root, this.materials);
  /** …and what is no part of the building here. */
  readonly extras = new Scene();
  readonly stage: Stage;
  readonly ambient: Ambient;
  /** Another moment beside this one. */
  readonly split = new Split();
  /** Of everything loaded; empty until then. */
  readonly bounds = new Box3();
  readonly reducedMotion = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)");
  frameMs = 0;
  frames = 0;
  drawCalls = 0;
  triangles = 0;
  /** Whether all that is to be seen is in the picture, shadows too: on slow machines that takes a moment. */
  whole = true;

  readonly #host: ViewportHost;
  readonly #maxPixelRatio: number;
  readonly #lens = new Lens();
  readonly #state = new StateTexture();
  readonly #economy = new Economy(() => {
    this.#fitCanvas();
    this.#moved = false;
  });
  readonly #controls: Controls;
  readonly #resize: ResizeObserver;
  readonly #frustum = new Frustum();
  readonly #abort = new AbortController();
  #pose: Pose = lookAt([-33, -42, 27], [0, 0, 0]);
  /** To be drawn once, while the first tiles are on their way. */
  #warm: Group | null = null;
  readonly #motion = new Motion();
  #request = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #resting: ReturnType<typeof setTimeout> | undefined;
  #moved = true;
  #shadowsStale = true;
  #shadowsAt = -1e9;
  #shadowPause = 330; // ms
  #drawnAt = -1e9;
  /** When the camera last moved or a tile last came, ms; since then only what tells most is drawn where that takes long. */
  #stirred = -1e9;
  #hurried = false;
  #loading = false;
  /** A tile came while the GPU was drawing. */
  #behind = false;
  /** How long the browser took to give the last frame that was asked for, ms: long where the GPU falls behind. */
  #late = 0;
  #lost = false;
  #disposed = false;
  #width = 1;
  #height = 1;
  flat = false;
  /** Somebody walks: dragging looks around rather than to go round something. */
  walking = false;
  /** Something over the building moves: draw a few frames a second. */
  animated = false;
  /** Nothing is drawn but by `render`: somebody takes picture after picture. */
  held = false;

  constructor(canvas: HTMLCanvasElement, host: ViewportHost, maxPixelRatio: number) {
    this.canvas = canvas;
    this.#host = host;
    this.#maxPixelRatio = maxPixelRatio;
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: false, stencil: false, powerPreference: "high-performance" });
    this.renderer.autoClear = false;
    this.renderer.info.autoReset = false;
    // Asking for errors makes the page wait for each shader in turn; without, the browser compiles them side by side.
    this.renderer.debug.checkShaderErrors = import.meta.env?.DEV ?? false;
    this.renderer.setClearColor(0x000000, 0);
    for (const scene of [this.root, this.extras]) scene.matrixWorldAutoUpdate = false;
    this.stage = new Stage(this.root, this.uniforms, this.materials);
    this.ambient = new Ambient(this.renderer, this.materials, () => this.invalidate());
    const options = { signal: this.#abort.signal };
    canvas.addEventListener("webglcontextlost", (e) => this.#onLost(e), options);
    canvas.addEventListener("webglcontextrestored", () => this.#onRestored(), options);
    this.#resize = new ResizeObserver(() => this.#fitCanvas());
    this.#resize.observe(canvas);
    this.#controls = new Controls({
      canvas,
      getPose: () => this.#pose,
      setPose: (pose) => this.setPose(pose),
      pointUnder: (x, y) => this.#pointUnder(x, y),
      size: () => ({ width: this.#width, height: this.#height }),
      onClick: (...args) => this.#host.onClick(...args),
      onHover: (x, y) => this.#host.onHover(x, y),
      onLeave: () => this.#host.onLeave(),
      flat: () => this.flat,
      walking: () => this.walking,
    });
    this.#fitCanvas();
    this.#warm = warmed(this.renderer, this.materials, () => {
      if (this.#warm) this.root.add(this.#warm);
      if (this.#loading) this.invalidate(); // else once the first tiles have been asked for: the page may stand still for it
    });
  }

  get pose(): Pose {
    return this.#pose;
  }
  get aspect(): number {
    return this.#width / this.#height;
  }
  get size(): { width: number; height: number } {
    return { width: this.#width, height: this.#height };
  }

  /** Set the camera at once; ends a flight. */
  setPose(pose: Pose): void {
    this.#motion.stop();
    this.#pose = pose;
    this.#moved = true;
    this.invalidate();
  }

  /** Move the camera there; resolves on arrival, or when something else moves it. */
  fly(to: Pose, duration: number): Promise<void> {
    this.#motion.stop();
    if (duration <= 0 || this.#disposed) {
      this.setPose(to);
      return Promise.resolve();
    }
    const arrival = this.#motion.fly(this.#pose, to, duration);
    this.invalidate();
    return arrival;
  }

  /** The building is this large: put the floor under it. */
  setBounds(bounds: Box3): void {
    this.bounds.copy(bounds);
    this.stage.place(bounds);
    this.invalidate(true);
  }

  setTheme(theme: Theme): void {
    applyTheme(this.uniforms, theme);
    this.invalidate();
  }

  /** Nothing above this scene height is drawn or picked; null ends it. The plane slides there. */
  setCut(height: number | null): void {
    const top = this.bounds.isEmpty() ? 0 : this.#top;
    if (this.reducedMotion?.matches) this.uniforms.uCut.value = height ?? NO_CUT;
    else this.#motion.slide(Math.min(this.uniforms.uCut.value, top), height ?? NO_CUT);
    this.#changed();
    this.invalidate();
  }
  /** Cut away what lies on the positive side of planes (normal and distance, scene); the first six count. */
  setPlanes(planes: readonly (readonly [number, number, number, number])[]): void {
    planes.slice(0, MAX_PLANES).forEach((plane, i) => this.uniforms.uPlanes.value[i]?.set(...plane));
    this.uniforms.uPlaneCount.value = Math.min(planes.length, MAX_PLANES);
    this.invalidate(true);
  }

  /** Where the cut is going; NO_CUT without one. */
  get cut(): number {
    return this.#motion.cut ?? this.uniforms.uCut.value;
  }

  /** A cut this high takes nothing away. */
  get #top(): number {
    return this.bounds.max.z + 0.5;
  }

  /** Something else than the camera changed what is seen. */
  invalidate(shadows = false): void {
    if (shadows) this.#changed();
    if (this.#request || this.#disposed || this.#lost || this.held) return;
    const asked = performance.now();
    this.#request = requestAnimationFrame((now) => {
      this.#request = 0;
      this.#late = Math.max(0, now - asked);
      this.render(this.#economy.budget);
    });
  }

  /** A tile came. It is drawn at once, but on a machine that draws slowly only now and then: else drawing is all it does. */
  arrived(): void {
    this.#changed();
    this.#stir(performance.now());
    if (this.#economy.measuring) {
      this.#behind = true; // pictures that nobody has seen would only queue up
      return;
    }
    const wait = this.#drawnAt + this.#rest - performance.now();
    if (wait <= 0) return this.invalidate();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.invalidate(), wait);
  }

  /** How long after a frame nothing is drawn that nobody asked for, ms. */
  get #rest(): number {
    return this.frameMs > SLOW_FRAME ? this.frameMs * PATIENCE : 0;
  }

  /** Draw now; while the camera moves or tiles come no more than so many triangles. */
  render(budget = Infinity): void {
    if (this.#disposed || this.#lost || this.#width < 1 || this.#height < 1) return;
    const start = performance.now();
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#request);
    this.#request = 0;
    this.#behind = false;
    this.#advance(start);
    this.uniforms.uState.value = this.#state.of(this.#host.table());
    this.renderer.info.reset();
    const camera = this.#placeCamera();
    const still = !this.#moved && !this.#motion.busy;
    if (!still) this.#stir(start);
    const counts = this.#choose(camera, this.#hurried ? budget : Infinity);
    if (counts.whole && this.#shadowsStale && !this.#motion.sliding && start - this.#shadowsAt > Math.max(this.#shadowPause, this.#rest)) this.#updateShadows(start);
    this.#show("main", counts);
    this.renderer.setRenderTarget(null);
    this.renderer.clear();
    this.split.draw(this.renderer, this.root, camera, this.uniforms, this.#host.table(), this.size);
    if (this.#warm?.parent) this.#cool();
    this.ambient.frame(this.renderer, this.root, camera, 2 * slopeOf(this.#pose) * this.#pose.distance, start, still && counts.whole,
      () => this.#onlySolid(counts));
    if (this.extras.children.length > 0) this.renderer.render(this.extras, camera);
    this.#host.onFrame(this.#moved);
    if (this.#moved) {
      this.#economy.moved(start);
      this.#restLater();
    }
    this.#moved = false;
    this.frames++;
    this.whole = counts.whole && !this.#shadowsStale;
    this.drawCalls = this.renderer.info.render.calls;
    this.triangles = this.renderer.info.render.triangles;
    this.#drawnAt = performance.now();
    this.frameMs = this.#drawnAt - start;
    this.#time(counts.whole, budget);
    if (this.#motion.busy) this.invalidate();
    else if (!counts.whole) this.#completeLater(this.#economy.patience);
    else if (this.#shadowsStale) this.#timer = setTimeout(() => this.invalidate(), Math.max(this.#shadowPause + 20, this.#rest));
    else if (this.#pulsing) this.#timer = setTimeout(() => this.invalidate(), this.#pulse);
  }

  #cool(): void {
    if (this.#warm) cool(this.#warm);
    this.#warm = null;
  }

  #stir(now: number): void {
    this.#stirred = now;
    this.#hurried = true;
  }

  /** Draw everything once nothing has stirred for a while. */
  #completeLater(wait: number): void {
    this.#timer = setTimeout(() => {
      const more = this.#stirred + this.#economy.patience - performance.now();
      if (more > 0) return this.#completeLater(more);
      this.#hurried = false;
      this.invalidate();
    }, wait);
  }

  /** See how long the GPU takes; where more could have been drawn in that time, draw it. */
  #time(whole: boolean, budget: number): void {
    this.#economy.drawn(this.renderer.getContext() as WebGL2RenderingContext, this.triangles, whole, () => {
      if (this.#behind || (!whole && this.#economy.budget > budget)) this.invalidate();
    });
  }

  /** Time goes on: flight, cut, pulse. */
  #advance(now: number): void {
    const pose = this.#motion.poseAt(now);
    if (pose) [this.#pose, this.#moved] = [pose, true];
    this.uniforms.uCut.value = this.#motion.cutAt(now, this.#top) ?? this.uniforms.uCut.value;
    this.uniforms.uTime.value = this.#pulsing ? (now / 1000) % 1000 : 0.3;
  }

  /** ms between two frames of a pulse: as many as the machine draws with ease, and never so few that it looks broken. */
  get #pulse(): number {
    const cost = Math.max(this.frameMs, this.#late);
    return cost > PULSE ? Math.min(SLOWEST_PULSE, cost * PATIENCE) : PULSE;
  }

  /** Whether a picture takes so long that none is drawn for a pulse or for what the mouse passes. */
  get slow(): boolean {
    return this.#economy.whole > SLOWEST_PULSE;
  }

  /** Whether time goes on in the picture: never where motion is not wanted. */
  get #pulsing(): boolean {
    const something = this.animated || this.#host.table().alarmed || (this.split.other?.alarms.size ?? 0) > 0;
    return something && !this.slow && !this.reducedMotion?.matches;
  }

  /** What casts shadows and darkens corners, and nothing else; returns what brings the picture back. */
  #onlySolid(counts: Counts): () => void {
    this.stage.show(false);
    this.#show("shadow", counts);
    return () => {
      this.stage.show(true);
      this.#show("main", counts);
    };
  }

  /** Something else is shown than before. */
  #changed(): void {
    this.#shadowsStale = true;
    this.ambient.stale();
    this.#restLater();
  }

  #restLater(): void {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.#host.onRest(), REST);
  }

  /** Tells of boxes (scene) how much they matter from where the camera is; null is where nothing is known. */
  sights(): (box: Box3 | null) => Omit<Sight, "wanted"> {
    const seen = new Frustum().setFromProjectionMatrix(viewProjection(this.#placeCamera()));
    const eye = new Vector3(...this.#pose.eye);
    return (box) => (box ? { inPicture: seen.intersectsBox(box), distance: box.distanceToPoint(eye) } : { inPicture: true, distance: 0 });
  }

  /** Tiles are about to come: they are seen at once, and shadows follow when there is time. */
  set loading(loading: boolean) {
    this.#loading = loading;
    this.#shadowPause = loading ? 2000 : 330;
    this.#shadowsAt = performance.now();
    if (!loading || this.#warm?.parent) this.invalidate();
  }

  #updateShadows(now: number): void {
    this.#shadowsStale = false;
    this.#shadowsAt = now;
    this.#show("shadow", this.#choose(null, Math.max(SHADOWS, this.#economy.budget)));
    this.stage.update(this.renderer, this.root);
  }

  /** How many elements of each tile in the picture to draw: all, or within a budget of triangles those that tell most. */
  #choose(camera: LensCamera | null, budget = Infinity): Counts {
    if (camera) this.#frustum.setFromProjectionMatrix(viewProjection(camera));
    const cut = this.uniforms.uCut.value;
    const tiles = this.#host.tiles().filter((tile) =>
      this.#host.isShown(tile) && tile.box.min.z < cut && (!camera || this.#frustum.intersectsBox(tile.box)));
    return countsOf(tiles, new Vector3(...this.#pose.eye), budget);
  }

  /** Set the tiles to a pass. */
  #show(pass: Pass, { of }: Counts): void {
    for (const tile of this.#host.tiles()) tile.show(pass, of.get(tile) ?? 0, this.#host.table());
    for (const batch of Object.values(this.batches)) batch.settle();
  }

  #placeCamera(): LensCamera {
    return this.#lens.place(this.#pose, this.size, this.bounds, this.uniforms);
  }

  // Picking ----------------------------------------------------------------------------------------------------

  /** What is seen at a CSS position: everything but rooms and, of these, the floors; where there is nothing else, a room. */
  pick(x: number, y: number): RawHit | null {
    if (this.#disposed || x < 0 || y < 0 || x >= this.#width || y >= this.#height) return null;
    const camera = this.#placeCamera();
    const from = this.unproject(x, y, 0);
    const along = unit(sub(this.unproject(x, y, 1), from));
    const slope = dot(along, basis(this.#pose.yaw, this.#pose.pitch).forward);
    const met = sight(this.#host, this.uniforms, from, along, camera.near / slope, camera.far / slope);
    return met && { feature: met.feature, depth: met.distance * slope };
  }

  /** The point of the scene behind a CSS position at a distance along the view direction. */
  unproject(x: number, y: number, depth: number): V3 {
    return unproject(this.#pose, this.size, x, y, depth);
  }

  /** CSS position of a scene point; null behind the camera. */
  project(point: V3): { x: number; y: number } | null {
    return project(this.#pose, this.size, point);
  }

  #pointUnder(x: number, y: number): V3 {
    const hit = this.pick(x + 0.5, y + 0.5);
    if (hit) return this.unproject(x, y, hit.depth);
    // Over empty space: as far away as the middle of the building, where that lies ahead.
    const center = this.bounds.isEmpty() ? null : this.bounds.getCenter(new Vector3());
    const ahead = center ? dot(sub([center.x, center.y, center.z], this.#pose.eye), basis(this.#pose.yaw, this.#pose.pitch).forward) : 0;
    return this.unproject(x, y, ahead > 1 ? ahead : this.#pose.distance);
  }

  // Canvas -----------------------------------------------------------------------------------------------------

  get #pixelRatio(): number {
    return Math.min(globalThis.devicePixelRatio || 1, this.#maxPixelRatio);
  }

  #fitCanvas(): void {
    if (this.#disposed) return;
    this.#width = this.canvas.clientWidth;
    this.#height = this.canvas.clientHeight;
    if (this.#width < 1 || this.#height < 1) return;
    this.renderer.setPixelRatio(this.#pixelRatio * this.#economy.share);
    this.renderer.setSize(this.#width, this.#height, false);
    this.#moved = true;
    if (this.frames > 0) this.render(); // now, or the resized canvas stays empty until the next frame
    else this.invalidate();
  }

  #onLost(event: Event): void {
    event.preventDefault(); // else the browser never restores it
    this.#lost = true;
    this.#host.onContext("lost");
  }

  #onRestored(): void {
    this.#lost = false;
    this.#state.drop();
    this.split.drop();
    this.ambient.drop();
    this.#changed();
    this.#shadowsAt = -1e9;
    this.#host.onContext("restored");
    this.invalidate();
  }

  /** A picture of the scene without labels, of the given size in pixels or the canvas' own. */
  async screenshot(width: number | undefined, height: number | undefined, type: string): Promise<Blob> {
    const own = { width: this.#width, height: this.#height };
    const given = width !== undefined || height !== undefined;
    const sized = given || this.#economy.share !== 1; // a picture to keep has all its pixels
    if (given) {
      this.#width = width ?? Math.round(((height as number) * own.width) / own.height);
      this.#height = height ?? Math.round((this.#width * own.height) / own.width);
    }
    if (sized) {
      this.renderer.setPixelRatio(given ? 1 : this.#pixelRatio);
      this.renderer.setSize(this.#width, this.#height, false);
    }
    this.#shadowsAt = -1e9;
    this.ambient.hurry();
    this.render();
    const blob = await new Promise<Blob>((resolve, reject) => {
      this.canvas.toBlob((made) => (made ? resolve(made) : reject(new Error("the canvas gave no picture"))), type);
      if (sized) this.#fitCanvas(); // toBlob has taken its copy
    });
    return blob;
  }

  /** Free everything; the canvas may be used again. */
  dispose(): void {
    this.#disposed = true;
    this.#cool();
    cancelAnimationFrame(this.#request);
    clearTimeout(this.#timer);
    clearTimeout(this.#resting);
    this.ambient.dispose();
    this.#economy.dispose();
    this.#motion.stop();
    this.#abort.abort();
    this.#resize.disconnect();
    this.#controls.dispose();
    this.stage.dispose();
    this.#state.drop();
    this.split.drop();
    for (const batch of Object.values(this.batches)) batch.dispose();
    disposeMaterials(this.materials);
    this.root.clear();
    this.extras.clear();
    this.renderer.dispose();
  }
}
