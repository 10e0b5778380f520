/** One widget in its frame. */
import { useTranslation } from "react-i18next";
import { lazy, Suspense, type ReactNode } from "react";
import { useBuilding } from "../context";
import { Failure } from "../parts";
import { useTree } from "../queries";
import { ErrorBoundary } from "../shell/error-boundary";
import { AlarmList, OrderList, WallClock } from "./lists";
import { ManyPoints } from "./many-points";
import { Markdown } from "./markdown";
import { OnePoint } from "./one-point";
import { PlanWidget } from "./plan-widget";
import { usePointsByKey } from "./queries";
import { pointsOf, type PlaceWidget, type Widget } from "./types";

const SceneWidget = lazy(() => import("./scene-widget"));

export function WidgetBody({ widget }: { widget: Widget }): ReactNode {
  return (
    <ErrorBoundary>
      <Suspense fallback={<div className="db-wait" aria-busy />}><Body widget={widget} /></Suspense>
    </ErrorBoundary>
  );
}

function Body({ widget }: { widget: Widget }): ReactNode {
  switch (widget.kind) {
    case "value":
    case "gauge":
    case "light":
      return <OnePoint widget={widget} />;
    case "chart":
    case "comparison":
    case "table":
      return <ManyPoints widget={widget} />;
    case "alarms":
      return <AlarmList />;
    case "orders":
      return <OrderList />;
    case "clock":
      return <WallClock />;
    case "text":
      return <Markdown text={widget.text} />;
    case "plan":
    case "scene":
      return <Place widget={widget} />;
  }
}

function Place({ widget }: { widget: PlaceWidget }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const tree = useTree(building.id);
  if (tree.isError) return <Failure error={tree.error} retry={() => void tree.refetch()} />;
  if (!tree.data) return <div className="db-wait" aria-busy />;
  if (tree.data.elements === 0) return <p className="db-note">{t("scene.noModel")}</p>;
  return widget.kind === "plan" ? <PlanWidget widget={widget} tree={tree.data} /> : <SceneWidget widget={widget} tree={tree.data} />;
}

/** What stands above a widget: its title, else what it shows. */
export function useTitle(widget: Widget): string {
  const { t } = useTranslation();
  const keys = widget.title ? NONE : pointsOf(widget).slice(0, 1);
  const { points } = usePointsByKey(keys);
  if (widget.title) return widget.title;
  const name = points[0]?.name;
  return name && pointsOf(widget).length === 1 ? name : t(`dashboards.kind.${widget.kind}`);
}

const NONE: readonly string[] = [];
