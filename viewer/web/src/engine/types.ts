/**
 * The renderer's public vocabulary.
 *
 * Every coordinate here is in the **building frame**: metres, z up, float64, as the server and IFC give it. Screen
 * positions are CSS pixels from the canvas' top left corner. Colours are sRGB bytes, 0 to 255.
 */

/** [x, y, z] in metres in the building frame. */
export type Vec3 = readonly [number, number, number];

/** Axis-aligned box in the building frame. */
export interface Box {
  readonly min: Vec3;
  readonly max: Vec3;
}

/** [red, green, blue], sRGB, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** A 22-character IFC GlobalId. */
export type GlobalId = string;

/** What a tile shows; one of the four of the import, or whatever else a tileset names. */
export type Layer = "shell" | "spaces" | "services" | "furniture" | (string & {});

export type Severity = "low" | "medium" | "high" | "critical";

export type Theme = "light" | "dark";

/** A section: what lies on the side that `direction` points to is cut away. */
export interface ClipPlane {
  readonly location: Vec3;
  /** Of any length but zero. */
  readonly direction: Vec3;
}

/** How the elements that are not meant appear while others are isolated. */
export type Others = "ghost" | "hide";

/** A camera position; `target` is what it looks at and orbits. */
export interface View {
  readonly eye: Vec3;
  readonly target: Vec3;
  readonly projection?: "perspective" | "orthographic";
  /** With perspective: vertical, in degrees. The engine's own unless given. */
  readonly fieldOfView?: number;
  /** Without perspective: metres from the lower to the upper side of the picture. By the distance unless given. */
  readonly height?: number;
}

/** Where the camera should go: an element, several, a box, or an exact view (a server viewpoint fits). */
export type Destination = GlobalId | readonly GlobalId[] | Box | View;

export interface FlyOptions {
  /** Milliseconds; 0 jumps. 700 unless given, 0 where the user prefers reduced motion. */
  readonly duration?: number;
  /** Free space around the destination as a factor of its size, 1 fits exactly. 1.35 unless given. */
  readonly margin?: number;
}

/** What lies under a screen position. */
export interface Hit {
  readonly globalId: GlobalId;
  /** The tile's `model` as the tileset names it, or "" when it does not. */
  readonly model: string;
  readonly storey: string | null;
  readonly layer: Layer;
  /** Point on the surface, building frame, within a few millimetres. */
  readonly point: Vec3;
}

export interface PointerHit {
  /** Null over empty space. */
  readonly hit: Hit | null;
  readonly x: number;
  readonly y: number;
  /** True when Ctrl, Cmd or Shift was held: add to the selection rather than replace it. */
  readonly additive: boolean;
}

export interface Progress {
  readonly loadedTiles: number;
  readonly totalTiles: number;
  readonly loadedBytes: number;
  /** As declared by the tileset, 0 when it does not. */
  readonly totalBytes: number;
}

export interface TileError {
  readonly uri: string;
  readonly message: string;
  readonly storey: string | null;
  readonly layer: Layer;
}

/** What there is no room for in memory, though it should be shown. */
export interface LeftOut {
  readonly tiles: number;
  readonly elements: number;
  /** Null: on no storey. */
  readonly storeys: readonly (string | null)[];
  readonly layers: readonly Layer[];
}

/** Where the device decides: "auto". */
export type Quality = "auto" | "on" | "off";

/** One storey as the application knows it; `id` is what the tileset calls `storey`. */
export interface StoreyInfo {
  readonly id: string;
  /** Height of its floor, m in the building frame. */
  readonly elevation: number;
}

/** An HTML label that follows an element or a position. */
export interface Marker {
  /** Stable name: a marker with the same id keeps its DOM node. */
  readonly id: string;
  /** Anchored to the top centre of this element's box… */
  readonly globalId?: GlobalId;
  /** …or to this point. */
  readonly position?: Vec3;
  /** Trusted markup (never user text: use `element` for that)… */
  readonly html?: string;
  /** …or a node the caller owns and keeps up to date. */
  readonly element?: HTMLElement;
  /** Which one stays where several overlap; the greater wins. 0 unless given. */
  readonly priority?: number;
  /** Never hidden to make room for others. */
  readonly pinned?: boolean;
  readonly onClick?: () => void;
}

/** A line in which something flows, from its first point to its last. */
export interface FlowLine {
  readonly points: readonly Vec3[];
  readonly colour: Rgb;
  /** Metres already flowed before the first point, so that arrows go on in step; 0 unless given. */
  readonly from?: number;
}

export type SnapKind = "corner" | "edge" | "face";

/** A point exactly on an element, for measuring. */
export interface SnapHit extends Hit {
  readonly kind: SnapKind;
  /** Of the face under the pointer, unit, towards the eye; null where the element has no surface there. */
  readonly normal: Vec3 | null;
  /** Ends of the edge that was hit. */
  readonly edge: readonly [Vec3, Vec3] | null;
}

/** A line over the picture. */
export interface Drawing {
  /** Stable name: a drawing with the same id keeps its nodes. */
  readonly id: string;
  readonly points: readonly Vec3[];
  /** Back to the first point. */
  readonly closed?: boolean;
  /** A dot at every point. */
  readonly dots?: boolean;
  readonly className?: string;
  readonly label?: { readonly text: string; readonly at: Vec3 };
}

/** Something that is dragged along a line. */
export interface Handle {
  readonly id: string;
  readonly position: Vec3;
  /** Unit. */
  readonly axis: Vec3;
  /** Its accessible name. */
  readonly label: string;
  /** What it stands at, for a screen reader: m. */
  readonly value: number;
  /** `metres` along the axis since the start. */
  readonly onDrag: (metres: number, phase: "start" | "move" | "end") => void;
}

/** A cut through the building: outside a box, or on one side of a plane, nothing is drawn. */
export type Section =
  | { readonly kind: "box"; readonly box: Box }
  | { readonly kind: "plane"; readonly location: Vec3; readonly direction: Vec3 };

export interface Stats {
  /** Draws of the last frame, all passes. */
  readonly drawCalls: number;
  /** Triangles of the last frame, all passes. */
  readonly triangles: number;
  /** Whether the last frame showed all that is to be seen, shadows too; a slow machine first draws what tells most. */
  readonly whole: boolean;
  /** CPU time of the last frame in milliseconds: everything between its start and the last WebGL call. */
  readonly frameMs: number;
  /** Bytes of geometry and state on the GPU. */
  readonly bytes: number;
  /** Frames drawn since the scene was made; does not rise while nothing changes. */
  readonly frames: number;
  readonly tiles: number;
  /** Tiles whose geometry is in memory. */
  readonly residentTiles: number;
  /** Bytes of geometry in memory, and how many may be. */
  readonly memory: number;
  readonly memoryBudget: number;
  /** Whether the picture shows ambient occlusion. */
  readonly ambientOcclusion: boolean;
}

export interface SceneOptions {
  readonly theme?: Theme;
  /** Replaces `fetch` for tiles and tileset (tests, other credentials). */
  readonly fetch?: typeof fetch;
  /** Downloads at the same time; 6 unless given. */
  readonly concurrency?: number;
  /** Bytes of geometry in memory at most; by the device unless given. */
  readonly memory?: number;
  /** Corners darken when the camera rests; by the device unless given. */
  readonly ambientOcclusion?: Quality;
  /** Upper limit of the device pixel ratio; 2 unless given. */
  readonly maxPixelRatio?: number;
  /** Where marker nodes go; the canvas' parent (which must be positioned) unless given. */
  readonly overlay?: HTMLElement;
}

/** Which elements of another tileset are shown beside the building's own. */
export interface OverlayOptions {
  readonly only: ReadonlySet<GlobalId>;
  /** Appended to their ids, so that they are told from the building's own. */
  readonly mark: string;
  /** Only tiles of these storeys are loaded; null is "on no storey". */
  readonly storeys?: ReadonlySet<string | null>;
}

export interface LoadOptions {
  /** Storeys to load first, in that order; then what is nearest to the middle of the building. */
  readonly first?: readonly string[];
  /** Leave the camera where it is (a new model version of the same building). */
  readonly keepCamera?: boolean;
}

/** The building at another moment, drawn left of a line. */
export interface Comparison {
  readonly colors: ReadonlyMap<GlobalId, Rgb | null>;
  readonly alarms: ReadonlyMap<GlobalId, Severity>;
  /** Where the line is, as a share of the canvas' width. */
  readonly share: number;
}

/** Events and what their listeners get. */
export interface SceneEvents {
  /** A click or tap, null over empty space. */
  pick: PointerHit;
  /** A double click or double tap. */
  open: PointerHit;
  /** A right click or long press. */
  menu: PointerHit;
  /** The element under a resting mouse changed. */
  hover: PointerHit;
  progress: Progress;
  /** A tile that could not be shown; the rest goes on. */
  error: TileError;
  /** What there is no room for has changed; null: for nothing any more. */
  leftOut: LeftOut | null;
  /** The camera moved. */
  camera: View;
  /** A tile became visible. */
  tile: { readonly uri: string; readonly storey: string | null; readonly layer: Layer; readonly elements: number };
  /** Walking ended because the camera was taken elsewhere. */
  walkEnd: null;
  /** "lost" and "restored" of the WebGL context; nothing needs to be done. */
  context: "lost" | "restored";
}
