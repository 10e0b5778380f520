/** Charts that stay open beside the model: those one has put together, and those of what is selected. */
import { useQueries } from "@tanstack/react-query";
import { Button, Segmented } from "antd";
import { ChartLine, Crosshair, ExternalLink, GripVertical, Plus, Trash2 } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { get } from "../../api/client";
import type { ElementDetail, Point } from "../../api/types";
import { useBuilding } from "../context";
import { carry } from "../lib/dragged";
import { Empty, IconButton } from "../parts";
import { History, PointValue, useLatest } from "../scene/inspector-live";
import { usePatch, useScene, useSceneState } from "../scene/state";
import { usePointsById, useSettled, useZone } from "../telemetry/trends/data";
import { DropZone } from "../telemetry/trends/drop-zone";
import { useMarked } from "../telemetry/trends/events";
import { ChartPanel } from "../telemetry/trends/panel";
import { commonSides, sidesOf } from "../telemetry/trends/plot";
import { isPreset, spanOf, type Preset, type Range } from "../telemetry/trends/ranges";
import { createShown } from "../telemetry/trends/shown";
import { useRange } from "../telemetry/trends/use-range";
import { EMPTY, viewText, withChartMoved, withoutChart, withoutPoint, type TrendsView } from "../telemetry/trends/view";
import { symbolOf } from "../telemetry/types";
import "../telemetry/telemetry.css";
import { useDraw, useKeptCharts } from "./charts";
import { MOST_SELECTED } from "./selection";

const MOST = 6; // charts of the selection
const HEIGHT = 150; // px of a plot
const RANGES: readonly Preset[] = ["1h", "24h", "7d", "30d"];

export default function ChartsPanel(): ReactNode {
  const { t } = useTranslation();
  const { charts, keep } = useKeptCharts();
  const draw = useDraw();
  return (
    <aside className="panel side-panel charts-panel" aria-label={t("several.panels.trend")}>
      {charts.length > 0 ? <Kept charts={charts} keep={keep} /> : null}
      <DropZone className="charts-selection" drop={(what) => draw(what)}>
        <OfSelection others={charts} />
      </DropZone>
    </aside>
  );
}

function Kept({ charts, keep }: { charts: string[][]; keep: (charts: string[][]) => void }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const go = useNavigate();
  const zone = useZone();
  const draw = useDraw();
  const [range, setRange] = useState<Range>("24h");
  const view = useMemo<TrendsView>(() => ({ ...EMPTY, charts, range }), [charts, range]);
  const newest = useRef(view);
  useEffect(() => {
    newest.current = view;
  });
  const change = useCallback((next: (before: TrendsView) => TrendsView) => {
    const after = next(newest.current);
    setRange(after.range);
    if (after.charts !== newest.current.charts) keep(after.charts);
  }, [keep]);
  const ids = useMemo(() => [...new Set(charts.flat())], [charts]);
  const { points, loading } = usePointsById(ids);
  const [shown] = useState(() => createShown(spanOf(range, Date.now(), zone)));
  const { show: showRange, back } = useRange(view, change, shown.span, zone);
  const span = useSettled(shown.span, 160);
  const drawn = useMemo(() => [...points.values()], [points]);
  const marked = useMarked(drawn, view.marks);
  const register = useCallback(() => undefined, []);
  const holder = useRef<HTMLDivElement>(null);
  const count = useRef(charts.length);
  useEffect(() => {
    if (charts.length > count.current) holder.current?.lastElementChild?.scrollIntoView({ block: "nearest" });
    count.current = charts.length;
  }, [charts.length]);
  const sides = useMemo(() => commonSides(charts.map((chart) => sidesOf(chart.flatMap((id) => {
    const point = points.get(id);
    return point && point.kind !== "text" ? [{ unit: symbolOf(point), kind: point.kind, labels: point.labels ?? null }] : [];
  })))), [charts, points]);
  const scene = useScene();
  const patch = usePatch();
  const { selection } = useSceneState();
  const elementsOf = (chart: readonly string[]): string[] => [...new Set(chart.flatMap((id) => points.get(id)?.element?.global_id ?? []))];
  const measured = elementsOf(ids);
  const show = (): void => {
    patch({ selection: measured.slice(0, MOST_SELECTED) });
    const seen = measured.filter((one) => scene?.has(one));
    if (seen.length > 0) void scene?.flyTo(seen);
  };
  return (
    <>
      <header className="charts-bar">
        <Segmented size="small" aria-label={t("several.range")} value={isPreset(range) ? range : ""} onChange={(one) => showRange(one as Preset)} options={RANGES.map((value) => ({ value, label: t(`telemetry.trends.preset.${value}`) }))} />
        <span className="grow" />
        <IconButton size={15} icon={Crosshair} label={t("several.showDrawn")} disabled={measured.length === 0} onClick={show} />
        <IconButton size={15} icon={ExternalLink} label={t("several.inTrends")} onClick={() => void go(`/b/${building.id}/trends?${viewText(view)}`)} />
        <IconButton size={15} icon={Trash2} label={t("several.noCharts")} onClick={() => keep([])} />
      </header>
      <div ref={holder} className="charts-kept">
        {charts.map((chart, i) => (
          <DropZone key={i} className={elementsOf(chart).some((id) => selection.includes(id)) ? "is-chosen" : ""} drop={(what) => draw(what, i)}>
            <ChartPanel ids={chart} points={points} index={i} count={charts.length} view={view} span={span} shown={shown} show={showRange} back={back} zone={zone} sides={sides} marked={marked} register={register} height={HEIGHT}
              remove={(id) => change((before) => withoutPoint(before, id, i))} close={() => change((before) => withoutChart(before, i))} move={(by) => change((before) => withChartMoved(before, i, by))} add={null} loading={loading} />
          </DropZone>
        ))}
      </div>
    </>
  );
}

/** What is selected, drawn while it is. */
function OfSelection({ others }: { others: readonly (readonly string[])[] }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { selection } = useSceneState();
  const elements = useQueries({
    queries: selection.slice(0, MOST).map((id) => ({
      queryKey: ["element", id, building.id],
      queryFn: ({ signal }: { signal: AbortSignal }) => get<ElementDetail>(`/elements/${encodeURIComponent(id)}`, { building: building.id }, signal),
    })),
    combine: (all) => all.flatMap((one) => one.data ?? []),
  });
  const kept = new Set(others.flat());
  const points = elements.flatMap((one) => one.points).filter((one) => one.kind !== "text" && !kept.has(one.id)).slice(0, MOST);
  if (points.length > 0) return <div className="trend-grid">{points.map((one) => <Trend key={one.id} point={one} />)}</div>;
  if (others.length > 0) return <p className="charts-more muted"><Plus size={14} aria-hidden />{t("several.dropHere")}</p>;
  return <Empty icon={ChartLine} title={t("several.noTrend")} hint={t("several.noTrendHint")} />;
}

function Trend({ point }: { point: Point }): ReactNode {
  const { t } = useTranslation();
  const latest = useLatest(point);
  const draw = useDraw();
  return (
    <section>
      <header draggable onDragStart={(event) => carry(event.dataTransfer, { points: [point.id] })}>
        <GripVertical size={13} aria-hidden className="drag-grip" />
        <span title={point.name}>{point.name}</span>
        <PointValue point={point} latest={latest} />
        <Button type="text" size="small" icon={<Plus size={14} aria-hidden />} title={t("several.keepChart")} aria-label={t("several.draw", { name: point.name })} onClick={() => draw({ points: [point.id] })} />
      </header>
      <History point={point} />
    </section>
  );
}
