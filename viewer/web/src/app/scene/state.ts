/** What the 3D view shows. One store per open building; the engine and the panels follow it. */
import { createContext, useContext } from "react";
import type { Scene3D } from "../../engine";
import type { Tree } from "../../api/types";
import { createStore, useStore, type Store } from "../lib/store";
import { consistent } from "../workspace/selection";
import type { Painted } from "../issues/view";
import type { Picking, Picture, Spatial } from "../spatial/state";
import { CLOSED, type Timeline } from "../timeline/state";
import { NO_TOOLS, type Tools } from "../tools/state";
import type { Colouring } from "./colour";
import { lookAt } from "./look";

export type StoreyMode = "cut" | "isolate" | "ghost";
export type LeftTab = "structure" | "systems" | "search" | "saved";

export interface SceneState {
  /** GlobalId of the element in the inspector: of several the one chosen last. */
  selected: string | null;
  /** All that are chosen. Whoever sets `selected` alone chooses one (`consistent`). */
  selection: readonly string[];
  /** Every click adds or takes away, as with Ctrl: for fingers. */
  adding: boolean;
  storey: string | null;
  storeyMode: StoreyMode;
  hiddenLayers: readonly string[];
  /** GlobalIds of what was hidden by hand. */
  hidden: readonly string[];
  /** GlobalIds of what was made a ghost by hand. */
  ghosted: readonly string[];
  /** Elements shown alone, with the words that say which. */
  isolated: { ids: readonly string[]; title: string } | null;
  colouring: Colouring | null;
  limits: readonly [number, number] | null;
  /** Colours in steps rather than a continuous scale. */
  classes: boolean;
  leftTab: LeftTab;
  /** What is in the search box. */
  query: string;
  leftOpen: boolean;
  /** The alarm that the camera was sent to. */
  focusAlarm: string | null;
  progress: { loaded: number; total: number } | null;
  /** Elements coloured for an issue or a check. */
  painted: Painted | null;
  /** What is asked of the spatial graph, and what of the answer is drawn. */
  spatial: Spatial | null;
  picture: Picture | null;
  picking: Picking | null;
  /** The storey's plan beside the 3D view. */
  floorPlan: boolean;
}

export const START: SceneState = {
  selected: null,
  selection: [],
  adding: false,
  storey: null,
  storeyMode: "cut",
  hiddenLayers: [],
  hidden: [],
  ghosted: [],
  isolated: null,
  colouring: null,
  limits: null,
  classes: false,
  leftTab: "structure",
  query: "",
  leftOpen: true,
  focusAlarm: null,
  progress: null,
  painted: null,
  spatial: null,
  picture: null,
  picking: null,
  floorPlan: false,
};

export interface SceneScope {
  store: Store<SceneState>;
  /** Null until the engine has started. */
  scene: Store<Scene3D | null>;
  tools: Store<Tools>;
  timeline: Store<Timeline>;
}

export function createSceneScope(phone: boolean): SceneScope {
  const store = createStore<SceneState>({ ...START, leftOpen: !phone });
  const set: Store<SceneState>["set"] = (next) => store.set((before) => consistent(before, typeof next === "function" ? next(before) : next));
  return { store: { ...store, set }, scene: createStore<Scene3D | null>(null), tools: createStore<Tools>(NO_TOOLS), timeline: createStore<Timeline>(CLOSED) };
}

export const SceneContext = createContext<SceneScope | null>(null);

export function useSceneScope(): SceneScope {
  const scope = useContext(SceneContext);
  if (!scope) throw new Error("useSceneScope outside of the 3D view");
  return scope;
}

export function useSceneState(): SceneState {
  return useStore(useSceneScope().store);
}

export function usePatch(): (change: Partial<SceneState>) => void {
  const { store } = useSceneScope();
  return (change) => store.set((state) => ({ ...state, ...change }));
}

/** Hides one more element; Escape, undo and "show all" bring it back. */
export function useHide(): (globalId: string) => void {
  const { store } = useSceneScope();
  return (globalId) => store.set((state) => (state.hidden.includes(globalId) ? state : { ...state, hidden: [...state.hidden, globalId] }));
}

/** Selects an element, opens its storey where that is known, and takes the camera there. */
export function useShowElement(): (globalId: string, storey?: string | null) => void {
  const { store } = useSceneScope();
  const scene = useScene();
  return (globalId, storey) => {
    // Of several that are chosen it becomes the only one.
    store.set((state) => ({ ...state, selected: globalId, selection: state.selection.length > 1 ? [globalId] : state.selection, adding: false, isolated: null, ...(storey ? { storey, storeyMode: "cut" } : {}) }));
    if (scene) void lookAt(scene, globalId);
  };
}

/** Shows one storey and takes the camera to its rooms; null shows the building again. */
export function useShowStorey(tree: Tree): (storey: string | null) => void {
  const patch = usePatch();
  const scene = useScene();
  return (storey) => {
    patch({ storey, isolated: null });
    if (!scene) return;
    const rooms = tree.storeys.find((one) => one.id === storey && storey !== null)?.spaces.map((one) => one.global_id) ?? [];
    const seen = rooms.filter((one) => scene.has(one));
    if (seen.length > 0) void scene.flyTo(seen, { margin: 1.15 });
    else if (storey === null) void scene.fit();
  };
}

export function useScene(): Scene3D | null {
  return useStore(useSceneScope().scene);
}
