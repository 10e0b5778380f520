import type {
  Box, Destination, FlyOptions, GlobalId, Hit, Layer, LoadOptions, Marker, Others, Rgb, SceneEvents, SceneOptions,
  Severity, Stats, StoreyInfo, Theme, Vec3, View,
} from "./types";

/** Type skeleton of the public interface; the renderer replaces it (same names). */
export declare class Scene3D {
  constructor(canvas: HTMLCanvasElement, options?: SceneOptions);
  readonly canvas: HTMLCanvasElement;
  /** Resolves when the tiles of the last `load` are shown (or reported as errors). */
  readonly ready: Promise<void>;
  /** Elements with a mesh in the loaded tiles. */
  readonly elementCount: number;
  /** Layers and storeys (server ids or GlobalIds as the tileset names them) known so far. */
  readonly layers: readonly Layer[];
  readonly storeys: readonly string[];
  load(tilesetUrl: string, options?: LoadOptions): Promise<void>;
  on<K extends keyof SceneEvents>(event: K, listener: (value: SceneEvents[K]) => void): () => void;
  has(globalId: GlobalId): boolean;
  boxOf(target: GlobalId | readonly GlobalId[]): Box | null;
  bounds(): Box | null;
  pick(x: number, y: number): Hit | null;
  pickAsync(x: number, y: number): Promise<Hit | null>;
  project(point: Vec3): { x: number; y: number } | null;
  flyTo(destination: Destination, options?: FlyOptions): Promise<void>;
  fit(options?: FlyOptions): Promise<void>;
  setView(name: "top" | "iso" | "north" | "south" | "east" | "west", options?: FlyOptions): Promise<void>;
  plan(storeyId: string | null, options?: FlyOptions): Promise<void>;
  view(): View;
  setStoreys(storeys: readonly StoreyInfo[]): void;
  cutAbove(storeyId: string | null, height?: number): void;
  setLayer(layer: Layer, visible: boolean): void;
  isLayerVisible(layer: Layer): boolean;
  isolateStoreys(storeyIds: readonly string[] | null, others?: Others): void;
  isolate(globalIds: Iterable<GlobalId> | null, others?: Others): void;
  hide(globalIds: Iterable<GlobalId>): void;
  show(globalIds: Iterable<GlobalId>): void;
  ghost(globalIds: Iterable<GlobalId>): void;
  showAll(): void;
  setColors(colors: ReadonlyMap<GlobalId, Rgb> | null): void;
  setAlarms(alarms: ReadonlyMap<GlobalId, Severity> | null): void;
  select(globalIds: Iterable<GlobalId>): void;
  readonly selection: readonly GlobalId[];
  highlight(globalIds: Iterable<GlobalId>): void;
  setMarkers(markers: readonly Marker[]): void;
  setPath(points: readonly Vec3[] | null): void;
  setTheme(theme: Theme): void;
  stats(): Stats;
  screenshot(options?: { width?: number; height?: number; type?: string }): Promise<Blob>;
  render(): void;
  dispose(): void;
}
