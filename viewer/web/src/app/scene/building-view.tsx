/** The main page: the building in 3D between its tree and what is known of the selected thing. */
import { Button, Drawer } from "antd";
import { Boxes, ListTree } from "lucide-react";
import { lazy, Suspense, useEffect, useState, type CSSProperties, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useBuilding } from "../context";
import { HoverCard } from "../equipment/hover-card";
import { usePhone } from "../lib/prefs";
import { PaintedNote } from "../issues/painted-note";
import { useIssueFocus, usePainted } from "../issues/scene-focus";
import { Empty, Failure, IconButton, Lines } from "../parts";
import { useTree } from "../queries";
import { useMay } from "../session";
import { ContextMenu } from "../spatial/context-menu";
import { usePicture } from "../spatial/effects";
import { useSpatialFocus } from "../spatial/focus";
import { SpatialPanel } from "../spatial/panel";
import { PickingNote } from "../spatial/picking-note";
import { PlanPanel } from "../spatial/plan-panel";
import "../spatial/spatial.css";
import { TimelineBar } from "../timeline/bar";
import { usePastInScene } from "../timeline/hooks";
import { useToolsInScene } from "../tools/hooks";
import { ToolPanel } from "../tools/tool-panel";
import { useChangesFocus } from "../versions/scene-changes";
import { SceneCanvas } from "./canvas";
import { useAlarmsInScene, useColouring, useMarkers } from "./effects";
import { useFocus } from "./focus";
import { RulesLegend } from "../workspace/rules-legend";
import { useSavedFocus } from "../workspace/focus";
import { Dock } from "../workspace/dock";
import { frontOf, movedTo, panelsOf, placeOf, SIDES, type PanelName, type Side } from "../workspace/docks";
import { changeLayout, clampSize, DEFAULT_SIZE, useLayout } from "../workspace/layout";
import { AlarmsPanel } from "../workspace/alarms-panel";
import { ChartDrop } from "../workspace/chart-drop";
import { SeveralPanel } from "../workspace/several";
import { Splitter } from "../workspace/splitter";
import { useSceneCommands } from "../workspace/scene-commands";
import { useHidden, useViewRecording } from "../workspace/view-history";
import "../workspace/workspace.css";
import { Inspector } from "./inspector";
import { LeftPanel } from "./left-panel";
import { Legend } from "./legend";
import { createSceneScope, SceneContext, usePatch, useScene, useSceneState } from "./state";
import { Toolbar } from "./toolbar";
import type { Tree } from "../../api/types";

const ChartsPanel = lazy(() => import("../workspace/charts-panel"));

export default function BuildingView({ shown }: { shown: boolean }): ReactNode {
  const { building } = useBuilding();
  const phone = usePhone();
  const tree = useTree(building.id);
  const [scope] = useState(() => createSceneScope(phone));
  if (tree.isError) return <div className="center"><Failure error={tree.error} retry={() => void tree.refetch()} /></div>;
  if (!tree.data) return <div className="scene-view"><div className="scene-stage is-loading" /></div>;
  if (tree.data.elements === 0) return <NoModel />;
  return (
    <SceneContext value={scope}>
      <View tree={tree.data} shown={shown} phone={phone} />
    </SceneContext>
  );
}

function NoModel(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const may = useMay();
  return (
    <div className="center">
      <Empty icon={Boxes} title={t("scene.noModel")} hint={t("scene.noModelHint")} action={
        may("model.upload") ? <Link to={`/b/${building.id}/models`}><Button type="primary">{t("models.upload")}</Button></Link> : null
      } />
    </div>
  );
}

function View({ tree, shown, phone }: { tree: Tree; shown: boolean; phone: boolean }): ReactNode {
  const { t } = useTranslation();
  const state = useSceneState();
  const patch = usePatch();
  const layout = useLayout();
  const leftOpen = phone ? state.leftOpen : state.leftOpen && layout.left?.open !== false;
  const setLeft = (open: boolean): void => {
    patch({ leftOpen: open });
    if (!phone) changeLayout({ left: { open } });
  };
  const wide = (dock: Side | "plan"): number => clampSize(dock, layout[dock]?.size ?? DEFAULT_SIZE[dock], dock === "bottom" ? window.innerHeight : window.innerWidth);
  const panel = <LeftPanel tree={tree} close={() => setLeft(false)} />;
  const inspector = state.spatial ? <SpatialPanel question={state.spatial} tree={tree} shown={shown} /> : state.selection.length > 1 ? <SeveralPanel selection={state.selection} tree={tree} /> : state.selected ? <Inspector globalId={state.selected} tree={tree} /> : null;
  const present = new Set<PanelName>([
    ...(leftOpen ? ["building" as const] : []), ...(inspector ? ["inspector" as const] : []), ...(state.floorPlan ? ["plan" as const] : []),
    ...(["alarms", "trend"] as const).filter((one) => placeOf(layout, one) !== "closed"),
  ]);
  const close = (name: PanelName): void => {
    if (name === "building") setLeft(false);
    else if (name === "inspector") patch({ selected: null, spatial: null, picture: null });
    else if (name === "plan") patch({ floorPlan: false });
    else changeLayout(movedTo(name, "closed"));
  };
  const open = (name: PanelName): void => changeLayout(movedTo(name, "bottom"));
  const content = (name: PanelName | null): ReactNode => (name === "building" ? panel : name === "inspector" ? inspector : name === "plan" ? <PlanPanel tree={tree} /> : name === "alarms" ? <AlarmsPanel /> : <Suspense fallback={<Lines />}><ChartsPanel /></Suspense>);
  const dock = (side: Side): ReactNode => {
    const panels = phone ? [] : panelsOf(layout, side, present);
    const front = frontOf(layout, side, panels);
    if (!front) return null;
    const edge = <Splitter dock={side} size={wide(side)} />;
    const body = <Dock side={side} panels={panels} front={front} size={wide(side)} close={close} open={open}>{content(front)}</Dock>;
    return side === "left" ? <>{body}{edge}</> : <>{edge}{body}</>;
  };
  const beside = phone || !frontOf(layout, "right", panelsOf(layout, "right", present)) ? 0 : wide("right");
  useEffect(() => {
    // A new alarm is announced over the model, not over the panel one works with.
    if (shown) document.documentElement.style.setProperty("--beside", `${beside}px`);
    return () => void document.documentElement.style.removeProperty("--beside");
  }, [shown, beside]);
  const drawing = SIDES.some((side) => frontOf(layout, side, panelsOf(layout, side, present)) === "trend");
  const planBeside = state.floorPlan && (phone || placeOf(layout, "plan") === "beside" || placeOf(layout, "plan") === "closed");
  return (
    <div className={`scene-view${layout.plan?.size && !phone ? " has-plan-size" : ""}`} style={{ "--left": `${wide("left")}px`, "--right": `${wide("right")}px`, "--plan": `${wide("plan")}px` } as CSSProperties}>
      {dock("left")}
      {planBeside ? <><PlanPanel tree={tree} />{phone ? null : <Splitter dock="plan" size={wide("plan")} />}</> : null}
      <div className="scene-middle">
      <div className="scene-stage">
        <SceneCanvas tree={tree} />
        <Effects tree={tree} shown={shown} />
        {leftOpen && !phone ? null : (
          <div className="stage-corner">
            <IconButton icon={ListTree} label={t("scene.openPanel")} onClick={() => setLeft(true)} />
          </div>
        )}
        <ToolPanel />
        <div className="stage-bottom">
          <Legend />
          <RulesLegend />
          <TimelineBar />
          <Toolbar tree={tree} shown={shown} />
        </div>
        <LoadBar />
        <PaintedNote />
        <PickingNote />
        <ContextMenu />
        <HoverCard tree={tree} />
        {phone || drawing ? null : <ChartDrop />}
        {state.adding ? (
          <div className="stage-note" role="status">
            <span>{t("several.addingNote")}</span>
            <Button size="small" type="link" onClick={() => patch({ adding: false })}>{t("several.done")}</Button>
          </div>
        ) : state.isolated && !state.painted ? (
          <div className="stage-note">
            <span>{t("scene.only", { what: state.isolated.title, count: state.isolated.ids.length })}</span>
            <Button size="small" type="link" onClick={() => patch({ isolated: null })}>{t("scene.showAll")}</Button>
          </div>
        ) : null}
      </div>
      {dock("bottom")}
      </div>
      {phone ? (
        <>
          <Drawer placement="left" open={state.leftOpen} onClose={() => patch({ leftOpen: false })} size="88%" closable={false}
            classNames={{ body: "flush" }}>{panel}</Drawer>
          {inspector ? <div className="bottom-sheet">{inspector}</div> : null}
        </>
      ) : dock("right")}
    </div>
  );
}

/** Hooks without a view of their own, so that live values do not render the panels. */
function Effects({ tree, shown }: { tree: Tree; shown: boolean }): null {
  useColouring(tree);
  useAlarmsInScene();
  useMarkers(tree);
  useFocus(shown);
  usePainted();
  useIssueFocus(shown);
  useChangesFocus(shown);
  usePicture();
  useSpatialFocus(shown);
  useToolsInScene(tree, shown);
  usePastInScene();
  useHidden();
  useViewRecording();
  useSceneCommands();
  useSavedFocus(tree, shown);
  return null;
}

function LoadBar(): ReactNode {
  const { progress } = useSceneState();
  const { t } = useTranslation();
  const scene = useScene();
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), 400);
    return () => clearTimeout(timer);
  }, []);
  if (!progress || !slow || !scene) return null;
  const share = progress.total > 0 ? progress.loaded / progress.total : 0;
  return (
    <div className="load-bar" role="progressbar" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}
      aria-label={t("scene.loading")}>
      <span style={{ width: `${Math.max(4, share * 100)}%` }} />
    </div>
  );
}
