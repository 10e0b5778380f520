/** What of the spatial graph the 3D view shows: the question that was asked, and the picture that answers it. */
import type { FlowLine, Rgb, Vec3 } from "../../engine";
import { createSavedStore } from "../lib/store";
import { usePatch, useSceneScope } from "../scene/state";

export type FlowMode = "upstream" | "downstream" | "affected";
/** One end of a route: an element by GlobalId, or the nearest exit. */
export type Stop = { globalId: string; name: string } | "outside";

export interface RouteQuestion {
  kind: "route";
  from: Stop | null;
  to: Stop | null;
  stepFree: boolean;
  lifts: boolean;
  /** Doors, stairs or lifts that cannot be passed. */
  closed: readonly { globalId: string; name: string }[];
}

export type Spatial =
  | { kind: "flow"; mode: FlowMode; globalId: string; name: string }
  | { kind: "system"; id: string; name: string }
  | RouteQuestion;

export interface SceneLabel {
  id: string;
  globalId?: string;
  position?: Vec3;
  text: string;
  kind: "room" | "shut" | "start" | "end" | "door";
}

/** What is painted over the building until another question is asked. */
export interface Picture {
  colours: ReadonlyMap<string, Rgb>;
  /** Shown alone, the rest as ghosts; null: everything. */
  only: readonly string[] | null;
  flow: readonly FlowLine[];
  route: readonly Vec3[] | null;
  labels: readonly SceneLabel[];
}

export const EMPTY: Picture = { colours: new Map(), only: null, flow: [], route: null, labels: [] };

/** The next click in 3D answers this instead of selecting. */
export interface Picking {
  what: "from" | "to" | "closed";
  done: (globalId: string) => void;
}

/** Where this person was last, by building: the crew's "from here". */
export const lastPlace = createSavedStore<Record<string, { globalId: string; name: string }>>("twin.here", {});

export const ROUTE: RouteQuestion = { kind: "route", from: null, to: null, stepFree: false, lifts: true, closed: [] };

/** Ask something of the spatial graph; null ends it. What was painted before goes. */
export function useAsk(): (question: Spatial | null) => void {
  const patch = usePatch();
  return (question) => patch({
    spatial: question, picture: null, picking: null,
    ...(question ? { painted: null, colouring: null, limits: null, isolated: null } : {}),
  });
}

/** Change one end of the route that is asked for, or begin one. */
export function useRouteEnd(): (end: "from" | "to", stop: Stop, building: string) => void {
  const { store } = useSceneScope();
  return (end, stop, building) => store.set((state) => {
    const known = state.spatial?.kind === "route" ? state.spatial : ROUTE;
    const from = known.from ?? (end === "to" ? (lastPlace.get()[building] ?? null) : null);
    return { ...state, spatial: { ...known, from, [end]: stop }, painted: null, colouring: null, limits: null, isolated: null, picking: null };
  });
}
