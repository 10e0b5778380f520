/** Ctrl+Z in the 3D view: what was hidden, shown alone, coloured, cut, selected, and where the camera was. */
import { useEffect, useRef } from "react";
import type { Scene3D, View } from "../../engine";
import { useScene, useSceneScope, type SceneState } from "../scene/state";
import type { Tools } from "../tools/state";
import { createStore, type Store } from "../lib/store";
import { EMPTY, redone, seen, undone, type History } from "./history";

const KEPT = ["selected", "selection", "ghosted", "storey", "storeyMode", "hiddenLayers", "hidden", "isolated", "colouring", "limits", "classes", "painted"] as const;
const TOOLS = ["section", "apart", "orthographic"] as const;
const RESTS = 350; // ms: what changes together is one step

interface Seen {
  state: Pick<SceneState, (typeof KEPT)[number]>;
  tools: Pick<Tools, (typeof TOOLS)[number]>;
  view: View;
}

const picked = <T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> => Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<T, K>;

/** The limits of a colouring follow from it; that they came is no step of one's own. */
function same(a: Seen, b: Seen): boolean {
  const apart = (p: View["eye"], q: View["eye"]): number => Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
  return KEPT.every((name) => name === "limits" || Object.is(a.state[name], b.state[name])) && TOOLS.every((name) => Object.is(a.tools[name], b.tools[name]))
    && apart(a.view.eye, b.view.eye) < 0.02 && apart(a.view.target, b.view.target) < 0.02;
}

/** One per page: the buttons and the palette use what the view has filled. */
export const viewHistory: Store<History<Seen>> = createStore<History<Seen>>(EMPTY);

/** Watches what is seen; once per view. */
export function useViewRecording(): void {
  const { store, tools } = useSceneScope();
  const scene = useScene();
  useEffect(() => {
    if (!scene) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => record(scene, store.get(), tools.get()), RESTS);
    };
    viewHistory.set(EMPTY);
    void scene.ready.then(soon);
    const offs = [store.subscribe(soon), tools.subscribe(soon), scene.on("camera", soon)];
    return () => {
      clearTimeout(timer);
      offs.forEach((off) => off());
    };
  }, [scene, store, tools]);
}

function record(scene: Scene3D, state: SceneState, tools: Tools): void {
  viewHistory.set((history) => seen(history, nowOf(scene, state, tools), same));
}

/** One step back or forth. */
export function useViewActions(): { undo: () => void; redo: () => void } {
  const { store, tools } = useSceneScope();
  const scene = useScene();
  const go = (step: (history: History<Seen>) => History<Seen>): void => {
    if (!scene) return;
    record(scene, store.get(), tools.get()); // what has just been done is what one goes back from
    const before = viewHistory.get();
    const after = step(before);
    if (after === before || !after.now) return;
    viewHistory.set(after);
    const { state, tools: kept, view } = after.now;
    store.set((now) => ({ ...now, ...state, focusAlarm: null }));
    tools.set((now) => ({ ...now, ...kept }));
    void scene.flyTo(view, { duration: 0 }); // a flight on its way would be a step of its own
  };
  return { undo: () => go(undone), redo: () => go(redone) };
}

const nowOf = (scene: Scene3D, state: SceneState, tools: Tools): Seen => ({ state: picked(state, KEPT), tools: picked(tools, TOOLS), view: scene.view() });

/** Ctrl+Z, Ctrl+Shift+Z and Ctrl+Y, unless somebody types. */
export function useHistoryKeys(enabled: boolean, undo: () => void, redo: () => void): void {
  const latest = useRef({ undo, redo });
  useEffect(() => {
    latest.current = { undo, redo };
  });
  useEffect(() => {
    if (!enabled) return;
    const listen = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement | null;
      if (!(event.ctrlKey || event.metaKey) || event.altKey || target?.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target?.tagName ?? "")) return;
      const key = event.key.toLowerCase();
      if (key !== "z" && key !== "y") return;
      event.preventDefault();
      if (key === "y" || event.shiftKey) latest.current.redo();
      else latest.current.undo();
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [enabled]);
}

/** Hides and ghosts in the engine what the state says, and nothing else. */
export function useHidden(): void {
  const scene = useScene();
  const { store } = useSceneScope();
  useEffect(() => {
    if (!scene) return;
    let before: readonly [readonly string[], readonly string[]] = [[], []];
    const follow = (): void => {
      const { hidden, ghosted } = store.get();
      if (hidden === before[0] && ghosted === before[1]) return;
      const [nowHidden, nowGhosted] = [new Set(hidden), new Set(ghosted)];
      scene.show([...before[0].filter((one) => !nowHidden.has(one)), ...before[1].filter((one) => !nowGhosted.has(one))]);
      if (hidden.length > 0) scene.hide(hidden);
      if (ghosted.length > 0) scene.ghost(ghosted);
      before = [hidden, ghosted];
    };
    follow();
    return store.subscribe(follow);
  }, [scene, store]);
}
