/** Trends: any points in one or several charts, from an hour to years, with alarms and orders, to look at and to take along. */
import { Button, Drawer } from "antd";
import { ChartLine, Plus } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { useBuilding } from "../../context";
import { usePhone } from "../../lib/prefs";
import type { Dragged } from "../../lib/dragged";
import { Empty } from "../../parts";
import { useMe } from "../../session";
import { symbolOf, type FullPoint } from "../types";
import { usePointsById, useSettled, useZone } from "./data";
import { useMarked } from "./events";
import type { Drawn } from "./export";
import { ChartPanel } from "./panel";
import { DropZone } from "./drop-zone";
import { usePointsOf } from "./dropped";
import { PointPicker } from "./picker";
import { spanOf } from "./ranges";
import { savedViews } from "./saved";
import { createShown } from "./shown";
import { TrendsToolbar } from "./toolbar";
import { useRange } from "./use-range";
import { chartFor, parseView, viewText, withChartMoved, withoutChart, withoutPoint, withPoint, withPoints, type TrendsView } from "./view";
import { commonSides, sidesOf } from "./plot";
import "../telemetry.css";

export default function Trends(): ReactNode {
  const { t } = useTranslation();
  const phone = usePhone();
  const zone = useZone();
  const [view, change] = useView();
  const [picking, setPicking] = useState<number | "any" | null>(null);
  const ids = useMemo(() => [...new Set(view.charts.flat())], [view.charts]);
  const { points, loading } = usePointsById(ids);
  const known = useRef(new Map<string, FullPoint>());
  const unitOf = (id: string): string | null | undefined => (points.get(id) ?? known.current.get(id))?.unit;
  const [shown] = useState(() => createShown(spanOf(view.range, Date.now(), zone)));
  const { show, back } = useRange(view, change, shown.span, zone);
  const span = useSettled(shown.span, 160);
  const drawnPoints = useMemo(() => [...points.values()], [points]);
  const marked = useMarked(drawnPoints, view.marks);
  const drawn = useRef(new Map<number, Drawn>());
  const register = useCallback((chart: number, one: Drawn | null) => {
    if (one) drawn.current.set(chart, one);
    else drawn.current.delete(chart);
  }, []);
  const chosen = useMemo(() => new Set(ids), [ids]);
  const add = (point: FullPoint, chart: number | "any"): void => {
    known.current.set(point.id, point);
    change((before) => withPoint(before, point.id, chart === "any" ? chartFor(before, point.unit, unitOf) : chart));
  };
  const pointsOf = usePointsOf();
  const drop = (what: Dragged, chart: number | null): void => void pointsOf(what).then((found) => {
    for (const point of found) known.current.set(point.id, point);
    change((before) => withPoints(before, found, chart));
  });
  const sides = useMemo(() => {
    return commonSides(view.charts.map((chart) => sidesOf(chart.flatMap((id) => {
      const point = points.get(id);
      return point && point.kind !== "text" ? [{ unit: symbolOf(point), kind: point.kind, labels: point.labels ?? null }] : [];
    }))));
  }, [view.charts, points]);
  const picker = <PointPicker chosen={chosen} add={(point) => add(point, picking ?? "any")} autoFocus={phone} />;
  return (
    <div className={`trends${phone ? " is-phone" : ""}`}>
      {phone ? null : <aside className="trends-side" aria-label={t("telemetry.points.title")}>{picker}</aside>}
      <div className="trends-main">
        <TrendsToolbar view={view} change={change} shown={shown} show={show} zone={zone} points={points} drawn={() => [...drawn.current].sort(([a], [b]) => a - b).map(([, one]) => one)}
          pick={phone ? () => setPicking("any") : null} />
        {view.charts.length === 0 ? (
          <DropZone drop={(what) => drop(what, null)} className="trends-empty">
            <Empty icon={ChartLine} title={t("telemetry.trends.none")} hint={t(phone ? "telemetry.trends.noneHintPhone" : "telemetry.trends.noneHint")}
              action={phone ? <Button type="primary" icon={<Plus size={15} />} onClick={() => setPicking("any")}>{t("telemetry.trends.add")}</Button> : null} />
          </DropZone>
        ) : (
          <>
            {view.charts.map((chart, i) => (
              <DropZone key={i} drop={(what) => drop(what, i)}>
                <ChartPanel ids={chart} points={points} index={i} count={view.charts.length} view={view} span={span} shown={shown} show={show} back={back} zone={zone} sides={sides} marked={marked} register={register}
                  remove={(id) => change((before) => withoutPoint(before, id, i))} close={() => change((before) => withoutChart(before, i))} move={(by) => change((before) => withChartMoved(before, i, by))}
                  add={phone ? () => setPicking(i) : null} loading={loading} />
              </DropZone>
            ))}
            {phone ? null : <DropZone drop={(what) => drop(what, null)} className="trends-new">{t("telemetry.trends.dropNew")}</DropZone>}
          </>
        )}
      </div>
      {phone ? (
        <Drawer open={picking !== null} onClose={() => setPicking(null)} placement="bottom" size="75%" title={t("telemetry.trends.add")} classNames={{ body: "flush" }} destroyOnHidden>{picker}</Drawer>
      ) : null}
    </div>
  );
}

/** The view in the address; without one, that which this person had open last. */
function useView(): [TrendsView, (next: (before: TrendsView) => TrendsView) => void] {
  const { building } = useBuilding();
  const me = useMe();
  const saved = savedViews(me.name, building.id);
  const [params, setParams] = useSearchParams();
  const given = params.has("c") || params.has("r");
  const last = saved.get().last;
  const text = given || last === null ? params.toString() : last;
  const view = useMemo(() => parseView(new URLSearchParams(text)), [text]);
  useEffect(() => {
    if (!given && last !== null) setParams(new URLSearchParams(last), { replace: true });
  }, [given, last, setParams]);
  const newest = useRef(view);
  useEffect(() => {
    newest.current = view;
  }, [view]);
  const change = useCallback((next: (before: TrendsView) => TrendsView) => {
    newest.current = next(newest.current);
    const text = viewText(newest.current);
    saved.set((kept) => ({ ...kept, last: text }));
    setParams(new URLSearchParams(text), { replace: true });
  }, [saved, setParams]);
  return [view, change];
}
