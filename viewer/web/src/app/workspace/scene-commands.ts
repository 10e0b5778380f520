/** What the 3D view can do at the moment, for the command palette. */
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { labelsShown } from "../lib/prefs";
import { createStore } from "../lib/store";
import { useScene, useSceneScope } from "../scene/state";
import { movedTo, RESET } from "./docks";
import { changeLayout } from "./layout";
import { useViewActions } from "./view-history";

type Label = "workspace.actions.fit" | "workspace.actions.all" | "workspace.isolate" | "several.ghost" | "several.reset" | "several.openAlarms" | "several.openTrend" | "workspace.hide" | "workspace.undo" | "workspace.redo" | "workspace.actions.plan"
  | "workspace.actions.labels" | "workspace.actions.noColour" | "workspace.actions.panel" | "workspace.actions.saveView";

export interface SceneCommand {
  id: string;
  label: Label;
  keys?: string;
  run: () => void;
}

export const sceneCommands = createStore<readonly SceneCommand[]>([]);

export function useSceneCommands(): void {
  const scene = useScene();
  const { store } = useSceneScope();
  const history = useViewActions();
  const { t } = useTranslation();
  const latestTitle = useRef("");
  const latest = useRef(history);
  useEffect(() => {
    latest.current = history;
    latestTitle.current = t("scene.selection");
  });
  useEffect(() => {
    if (!scene) return;
    const change = store.set;
    sceneCommands.set([
      { id: "fit", label: "workspace.actions.fit", keys: "F", run: () => void scene.fit() },
      { id: "all", label: "workspace.actions.all", keys: "Esc", run: () => {
        change((state) => ({ ...state, isolated: null, painted: null, hidden: [], ghosted: [], storey: null }));
      } },
      { id: "isolate", label: "workspace.isolate", keys: "I", run: () => change((state) => (state.selection.length > 0 ? { ...state, isolated: { ids: state.selection, title: latestTitle.current } } : state)) },
      { id: "hide", label: "workspace.hide", keys: "H", run: () => change((state) => ({ ...state, hidden: [...new Set([...state.hidden, ...state.selection])] })) },
      { id: "ghost", label: "several.ghost", keys: "G", run: () => change((state) => ({ ...state, ghosted: [...new Set([...state.ghosted, ...state.selection])] })) },
      { id: "undo", label: "workspace.undo", keys: "Ctrl+Z", run: () => latest.current.undo() },
      { id: "redo", label: "workspace.redo", keys: "Ctrl+Y", run: () => latest.current.redo() },
      { id: "plan", label: "workspace.actions.plan", run: () => change((state) => ({ ...state, floorPlan: !state.floorPlan })) },
      { id: "labels", label: "workspace.actions.labels", keys: "L", run: () => labelsShown.set(!labelsShown.get()) },
      { id: "colour", label: "workspace.actions.noColour", run: () => change((state) => ({ ...state, colouring: null, limits: null, painted: null, isolated: null })) },
      { id: "panel", label: "workspace.actions.panel", run: () => change((state) => ({ ...state, leftOpen: !state.leftOpen })) },
      { id: "reset", label: "several.reset", run: () => changeLayout(RESET) },
      { id: "alarms", label: "several.openAlarms", run: () => changeLayout(movedTo("alarms", "bottom")) },
      { id: "trend", label: "several.openTrend", run: () => changeLayout(movedTo("trend", "bottom")) },
      { id: "saved", label: "workspace.actions.saveView", run: () => change((state) => ({ ...state, leftOpen: true, leftTab: "saved" })) },
    ]);
    return () => sceneCommands.set([]);
  }, [scene, store]);
}
