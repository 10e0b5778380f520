/** What of the spatial graph the 3D view shows: the question that was asked, and the picture that answers it. */
import type { FlowLine, Rgb, Vec3 } from "../../engine";
import { usePatch, useSceneScope } from "../scene/state";
import { lastPlace } from "./here";

export type FlowMode = "upstream" | "downstream" | "affected";
/** One end of a route: an element by GlobalId, or the nearest exit. */
export type Stop = { globalId: string; name: string } | "outside";

/** What a way may use. */
export interface WayOptions {
  stepFree: boolean;
  lifts: boolean;
  /** Doors, stairs or lifts that cannot be passed. */
  closed: readonly { globalId: string; name: string }[];
}

export interface RouteQuestion extends WayOptions {
  kind: "route";
  from: Stop | null;
  to: Stop | null;
}

/** A short way round several orders, and back where it began if so wished. */
export interface RoundQuestion extends WayOptions {
  kind: "round";
  from: Stop | null;
  /** Server ids of work orders. */
  orders: readonly string[];
  back: boolean;
}

export type Spatial =
  | { kind: "flow"; mode: FlowMode; globalId: string; name: string }
  | { kind: "system"; id: string; name: string }
  | RouteQuestion
  | RoundQuestion;

export interface SceneLabel {
  id: string;
  globalId?: string;
  position?: Vec3;
  text: string;
  /** Stands before the text: which stop of a round it is. */
  mark?: string;
  kind: "room" | "shut" | "start" | "end" | "stop" | "door";
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

export const ANY_WAY: WayOptions = { stepFree: false, lifts: true, closed: [] };
export const ROUTE: RouteQuestion = { kind: "route", from: null, to: null, ...ANY_WAY };

/** Ask something of the spatial graph; null ends it. What was painted before goes. */
export function useAsk(): (question: Spatial | null) => void {
  const patch = usePatch();
  return (question) => patch({
    spatial: question, picture: null, picking: null,
    ...(question ? { painted: null, colouring: null, limits: null, isolated: null } : {}),
  });
}

/** Change one end of the route that is asked for (of a round: where it starts), or begin one. */
export function useRouteEnd(): (end: "from" | "to", stop: Stop, building: string) => void {
  const { store } = useSceneScope();
  return (end, stop, building) => store.set((state) => {
    if (state.spatial?.kind === "round" && end === "from") return { ...state, spatial: { ...state.spatial, from: stop }, picture: null, picking: null };
    const known = state.spatial?.kind === "route" ? state.spatial : ROUTE;
    const from = known.from ?? (end === "to" ? (lastPlace.get()[building] ?? null) : null);
    return { ...state, spatial: { ...known, from, [end]: stop }, painted: null, colouring: null, limits: null, isolated: null, picking: null };
  });
}
