/** Starts the engine on a canvas, loads the building and keeps the engine in step with the state. */
import { App } from "antd";
import { useEffect, useRef, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Scene3D } from "../../engine";
import { url } from "../../api/client";
import type { Tree } from "../../api/types";
import { useBuilding, useModeValue } from "../context";
import { PictureNotices } from "../picture/notices";
import { GONE, plainId } from "../versions/view";
import { toggled } from "../workspace/selection";
import { lookAt } from "./look";
import { useSceneScope, useSceneState } from "./state";

declare global {
  interface Window {
    /** For tests and users' scripts (contract, "Viewer"). */
    twin?: {
      ready: Promise<void>;
      scene: {
        readonly elementCount: number;
        pick: (x: number, y: number) => string | null;
        flyTo: (globalId: string) => Promise<void>;
        stats: () => { drawCalls: number; triangles: number; frameMs: number; bytes: number };
      };
    };
  }
}

export function SceneCanvas({ tree }: { tree: Tree }): ReactNode {
  const { building, live } = useBuilding();
  const { store, scene: holder, tools } = useSceneScope();
  const canvas = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLDivElement>(null);
  const mode = useModeValue();
  const firstMode = useRef(mode);
  const { message } = App.useApp();
  const { t } = useTranslation();

  useEffect(() => {
    const element = canvas.current;
    if (!element || !overlay.current) return;
    let scene: Scene3D;
    try {
      scene = new Scene3D(element, { theme: firstMode.current, overlay: overlay.current });
    } catch (error) {
      void message.error(t("scene.noWebgl", { reason: error instanceof Error ? error.message : "" }), 0);
      return;
    }
    const offs = [
      scene.on("pick", ({ hit, additive }) => {
        if (tools.get().tool) return; // the click is the tool's
        const { picking, adding } = store.get();
        if (picking && hit) {
          store.set((state) => ({ ...state, picking: null }));
          picking.done(plainId(hit.globalId));
        } else if (!picking && (additive || adding)) {
          if (hit) store.set((state) => ({ ...state, selection: toggled(state.selection, plainId(hit.globalId)), spatial: null }));
        } else if (!picking) store.set((state) => ({ ...state, selected: hit ? plainId(hit.globalId) : null, focusAlarm: null }));
      }),
      scene.on("open", ({ hit }) => {
        if (hit && !tools.get().tool) void lookAt(scene, hit.globalId);
      }),
      scene.on("progress", (progress) => store.set((state) => ({
        ...state,
        progress: progress.loadedTiles >= progress.totalTiles ? null : { loaded: progress.loadedTiles, total: progress.totalTiles },
      }))),
    ];
    const tileset = url(`/buildings/${building.id}/tileset.json`);
    let opened: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => {
      opened = resolve;
    });
    window.twin = {
      ready,
      scene: {
        get elementCount() {
          return scene.elementCount;
        },
        pick: (x, y) => scene.pick(x, y)?.globalId ?? null,
        flyTo: (globalId) => scene.flyTo(globalId),
        stats: () => scene.stats(),
      },
    };
    holder.set(scene);
    void scene.load(tileset).catch(() => void message.error(t("scene.loadFailed"))).finally(() => {
      scene.render(); // so that whoever waits for `ready` can ask what is drawn
      opened();
    });
    offs.push(live.onEvent((event) => {
      if (event.topic === "model" || event.topic === "model_preview") void scene.load(tileset, { keepCamera: true }).catch(() => undefined);
    }));
    return () => {
      for (const off of offs) off();
      holder.set(null);
      delete window.twin;
      scene.dispose();
    };
  }, [building.id, holder, live, message, store, t, tools]);

  useSync(tree);
  return (
    <>
      <canvas ref={canvas} data-testid="scene" className="scene-canvas" tabIndex={0} aria-label={t("scene.canvas")} />
      <div ref={overlay} className="scene-overlay" />
      <PictureNotices scene={holder.get()} tree={tree} />
    </>
  );
}

/** Engine state follows ours; each concern in an effect of its own, so that one change is one call. */
function useSync(tree: Tree): void {
  const { scene: holder } = useSceneScope();
  const state = useSceneState();
  const mode = useModeValue();
  const scene = holder.get();
  useEffect(() => scene?.setTheme(mode), [scene, mode]);
  useEffect(() => scene?.select(state.selection.flatMap((one) => [one, one + GONE])), [scene, state.selection]);
  useEffect(() => {
    scene?.setStoreys(tree.storeys.flatMap((one) => (one.elevation === null || one.id === null ? [] : [{ id: one.id, elevation: one.elevation }])));
  }, [scene, tree]);
  useEffect(() => {
    if (!scene) return;
    scene.cutAbove(state.storey && state.storeyMode === "cut" ? state.storey : null);
    const alone = state.storey && state.storeyMode !== "cut" ? [state.storey] : null;
    scene.isolateStoreys(alone, state.storeyMode === "ghost" ? "ghost" : "hide");
  }, [scene, state.storey, state.storeyMode]);
  useEffect(() => {
    if (!scene) return;
    for (const layer of scene.layers) scene.setLayer(layer, !state.hiddenLayers.includes(layer));
  }, [scene, state.hiddenLayers, state.progress]);
}
