/** The building in 3D on a board: the viewer's own engine, a kept viewpoint, live colours and alarms. A chunk of its own. */
import { App } from "antd";
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { url } from "../../api/client";
import type { Tree } from "../../api/types";
import { Scene3D } from "../../engine";
import { useBuilding, useModeValue } from "../context";
import { asNumber } from "../lib/values";
import { Painter, type Colouring } from "../scene/colour";
import { useColourings, useOpenAlarms } from "../scene/effects";
import { worstAlarms } from "../timeline/frames";
import { decodeView, type SharedView } from "../tools/view-link";
import { Scale, useLimits } from "./scale";
import type { PlaceWidget } from "./types";

export default function SceneWidget({ widget, tree }: { widget: PlaceWidget; tree: Tree }): ReactNode {
  const { t } = useTranslation();
  const { live } = useBuilding();
  const mode = useModeValue();
  const canvas = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLDivElement>(null);
  const shared = useMemo(() => (widget.view ? decodeView(widget.view) : null), [widget.view]);
  const storey = widget.storey ?? shared?.storey ?? null;
  const scene = useScene(canvas, overlay, tree);
  const known = useColourings(tree);
  const wanted = widget.quantity || (shared?.colouring ?? "");
  const colouring = wanted ? (known.find((one) => one.key === wanted) ?? null) : null;
  const limits = useLimits(colouring);
  const alarms = useOpenAlarms();
  useEffect(() => scene?.setTheme(mode), [scene, mode]);
  usePlace(scene, tree, storey, shared);
  useEffect(() => scene?.setAlarms(worstAlarms(alarms.filter((one) => one.active).map(({ global_id, severity }) => ({ globalId: global_id, severity })))), [scene, alarms]);
  useEffect(() => {
    if (!scene || !colouring || (colouring.kind === "number" && !limits)) return;
    const painter = new Painter(colouring, { limits: limits ?? [0, 1], classes: false });
    const number = (handle: number): number | null => asNumber(live.values.get(handle));
    scene.setColors(painter.changed(number));
    const stop = live.onAnyValue((changed) => scene.addColors(painter.changed(number, changed)));
    return () => {
      stop();
      scene.setColors(null);
    };
  }, [scene, colouring, limits, live]);
  useGhosts(scene, colouring, storey);
  const missing = wanted && !colouring && known.length > 0;
  return (
    <div className="db-scene">
      <canvas ref={canvas} className="db-canvas" tabIndex={0} aria-label={t("scene.canvas")} data-testid="widget-scene" />
      <div ref={overlay} className="scene-overlay" />
      {colouring ? <div className="db-scene-scale"><Scale colouring={colouring} limits={limits} /></div> : missing ? <p className="db-scene-scale db-lost">{t("dashboards.quantityGone")}</p> : null}
    </div>
  );
}

/** The engine on the canvas; null until the building is loaded. */
function useScene(canvas: React.RefObject<HTMLCanvasElement | null>, overlay: React.RefObject<HTMLDivElement | null>, tree: Tree): Scene3D | null {
  const { t } = useTranslation();
  const { building, live } = useBuilding();
  const { message } = App.useApp();
  const mode = useModeValue();
  const first = useRef(mode);
  const [scene, setScene] = useState<Scene3D | null>(null);
  useEffect(() => {
    if (!canvas.current || !overlay.current) return;
    let made: Scene3D;
    try {
      made = new Scene3D(canvas.current, { theme: first.current, overlay: overlay.current });
    } catch (error) {
      void message.error(t("scene.noWebgl", { reason: error instanceof Error ? error.message : "" }), 6);
      return;
    }
    let current = true;
    const tileset = url(`/buildings/${building.id}/tileset.json`);
    void made.load(tileset).catch(() => undefined).finally(() => {
      if (current) setScene(made);
    });
    const stop = live.onEvent((event) => {
      if (event.topic === "model") void made.load(tileset, { keepCamera: true }).catch(() => undefined);
    });
    return () => {
      current = false;
      stop();
      setScene(null);
      made.dispose();
    };
  }, [building.id, canvas, overlay, live, message, t]);
  useEffect(() => {
    scene?.setStoreys(tree.storeys.flatMap((one) => (one.elevation === null || one.id === null ? [] : [{ id: one.id, elevation: one.elevation }])));
  }, [scene, tree]);
  return scene;
}

/** The kept view, or all of the building; a storey is cut open. */
function usePlace(scene: Scene3D | null, tree: Tree, storey: string | null, shared: SharedView | null): void {
  useEffect(() => {
    if (!scene) return;
    const there = storey !== null && tree.storeys.some((one) => one.id === storey) ? storey : null;
    const mode = shared?.storeyMode ?? "cut";
    scene.cutAbove(mode === "cut" ? there : null);
    scene.isolateStoreys(there && mode !== "cut" ? [there] : null, mode === "ghost" ? "ghost" : "hide");
    for (const layer of scene.layers) scene.setLayer(layer, !(shared?.hiddenLayers.includes(layer) ?? false));
    void (shared ? scene.flyTo(shared.view, { duration: 0 }) : scene.fit({ duration: 0 }));
  }, [scene, tree, storey, shared]);
}

/** From outside, walls hide the rooms: while a whole building is coloured, the rest of it is a ghost. */
function useGhosts(scene: Scene3D | null, colouring: Colouring | null, storey: string | null): void {
  useEffect(() => {
    if (!scene) return;
    scene.isolate(colouring && storey === null ? [...new Set(colouring.points.map((one) => one.globalId))] : null, "ghost");
    return () => scene.isolate(null, "ghost");
  }, [scene, colouring, storey]);
}
