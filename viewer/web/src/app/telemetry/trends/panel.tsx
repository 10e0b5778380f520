/** One chart with its head: legend, tools, marks, and its table where that is wanted. */
import { Dropdown, Spin } from "antd";
import { ArrowDown, ArrowUp, EllipsisVertical, Plus, Trash2 } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type uPlot from "uplot";
import { useModeValue } from "../../context";
import { usePhone } from "../../lib/prefs";
import { useSame } from "../../lib/same";
import { useStore } from "../../lib/store";
import { IconButton } from "../../parts";
import { symbolOf, type FullPoint } from "../types";
import { TrendChart } from "./chart";
import { useSeries, type Series } from "./data";
import type { Marked } from "./events";
import type { Drawn } from "./export";
import { Legend, useValueText, valueAt } from "./legend";
import { Marks, marksOf } from "./marks";
import type { Line, Sides } from "./plot";
import { comparedShift, isPreset, type Span } from "./ranges";
import { NOTHING, styleOf, summaryOf } from "./series";
import type { Shown } from "./shown";
import { Statistics } from "./statistics";
import { TrendTable } from "./table";
import type { TrendsView } from "./view";

export interface PanelProps {
  ids: readonly string[];
  points: ReadonlyMap<string, FullPoint>;
  index: number;
  count: number;
  view: TrendsView;
  span: Span;
  shown: Shown;
  show: (span: Span) => void;
  back: () => void;
  zone: string;
  sides: Sides;
  marked: Marked;
  register: (index: number, drawn: Drawn | null) => void;
  remove: (id: string) => void;
  close: () => void;
  move: (by: -1 | 1) => void;
  add: (() => void) | null;
  loading: boolean;
  /** px of the plot; unless told, what suits so many charts on a page. */
  height?: number;
}

export function ChartPanel(props: PanelProps): ReactNode {
  const { ids, points, index, count, view, span, shown, zone, sides, register } = props;
  const { t } = useTranslation();
  const phone = usePhone();
  const [holder, width] = useWidth();
  const own = useMemo(() => ids.flatMap((id) => points.get(id) ?? []).filter((point) => point.kind !== "text"), [ids, points]);
  const shift = view.compare === "none" ? 0 : comparedShift(span, view.compare);
  const series = useSeries(own, span, width || 800, isPreset(view.range));
  const compared = useSeries(shift === 0 ? NO_POINTS : own, span, width || 800, false, shift);
  const lines = useLines(own, series, compared);
  const marks = useMemo(() => marksOf(own, props.marked, span.to, t), [own, props.marked, span.to, t]);
  const plot = useRef<uPlot | null>(null);
  const onPlot = useCallback((made: uPlot | null) => {
    plot.current = made;
    register(index, made ? { plot: made, lines } : null);
  }, [register, index, lines]);
  useEffect(() => {
    if (plot.current) register(index, { plot: plot.current, lines });
    return () => register(index, null);
  }, [register, index, lines]);
  const height = props.height ?? (phone ? 230 : count === 1 ? 400 : count === 2 ? 290 : 220);
  const label = useSummary(lines, span, zone);
  const empty = series.length > 0 && series.every((one) => one.samples !== null && !one.loading && one.samples.ts.length === 0);
  const first = series.some((one) => one.samples === null && !one.error) || (props.loading && own.length === 0);
  return (
    <section className="card trend-card" data-testid={`chart-${index}`} aria-label={t("telemetry.trends.chartNumber", { number: index + 1 })}>
      <header className="trend-head">
        <Legend lines={lines} series={series} shown={shown} bands={view.bands} remove={props.remove} comparedTitle={shift === 0 ? null : t(`telemetry.trends.compare.${view.compare}`)} />
        <span className="trend-tools">
          {props.add ? <IconButton icon={Plus} label={t("telemetry.trends.add")} onClick={props.add} size={15} /> : null}
          <Dropdown trigger={["click"]} menu={{
            items: [
              { key: "up", label: t("telemetry.trends.up"), icon: <ArrowUp size={14} />, disabled: index === 0, onClick: () => props.move(-1) },
              { key: "down", label: t("telemetry.trends.down"), icon: <ArrowDown size={14} />, disabled: index === count - 1, onClick: () => props.move(1) },
              { key: "close", label: t("telemetry.trends.close"), icon: <Trash2 size={14} />, onClick: props.close },
            ],
          }}>
            <button type="button" className="icon-button" aria-label={t("telemetry.trends.chartMenu", { number: index + 1 })}><EllipsisVertical size={15} aria-hidden /></button>
          </Dropdown>
        </span>
      </header>
      <div ref={holder} className="trend-holder" style={{ minHeight: height }}>
        {width > 0 && lines.length > 0 ? (
          <>
            <TrendChart lines={lines} shown={shown} show={props.show} back={props.back} width={width} height={height} zone={zone} bands={view.bands} sides={sides} label={label}
              help={t("telemetry.trends.keys")} onPlot={onPlot} />
            {marks.length > 0 ? <Marks marks={marks} shown={shown} width={width} sides={sides} /> : null}
          </>
        ) : null}
        {first ? <div className="trend-wait"><Spin /></div> : empty ? <div className="trend-wait muted">{t("telemetry.trends.nothing")}</div> : null}
        <CursorTime shown={shown} zone={zone} lines={lines} />
      </div>
      {view.statistics && lines.length > 0 ? <Statistics lines={lines} span={span} /> : null}
      {view.table && lines.length > 0 ? <TrendTable lines={lines} span={span} zone={zone} caption={label} /> : null}
    </section>
  );
}

const NO_POINTS: readonly FullPoint[] = [];

function useLines(points: readonly FullPoint[], series: readonly Series[], compared: readonly Series[]): Line[] {
  const mode = useModeValue();
  const own = useSame(series.map((one) => one.samples));
  const other = useSame(compared.map((one) => one.samples));
  const compares = compared.length > 0;
  return useMemo(
    () => points.map((point, i): Line => {
      const { colour, dash } = styleOf(i, mode);
      return {
        id: point.id, name: point.name, unit: symbolOf(point), kind: point.kind, labels: point.labels ?? null, stepped: point.sampling === "hold" && point.kind !== "number", colour, dash,
        samples: own[i] ?? NOTHING, compared: compares ? (other[i] ?? NOTHING) : null,
      };
    }),
    [points, mode, compares, own, other],
  );
}

/** Time and values under the cursor, for eyes above the chart and, moved by keys, for ears. */
function CursorTime({ shown, zone, lines }: { shown: Shown; zone: string; lines: readonly Line[] }): ReactNode {
  const { i18n } = useTranslation();
  const text = useValueText();
  const at = useStore(shown.cursor);
  const format = useMemo(() => new Intl.DateTimeFormat(i18n.language, { timeZone: zone, dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" }), [i18n.language, zone]);
  const values = at === null ? [] : lines.map((line) => `${line.name} ${text(valueAt(line.samples, at, line.stepped)?.mean, line)}`);
  return (
    <>
      <div className="trend-time num" aria-hidden>{at === null ? "" : format.format(at * 1000)}</div>
      <div className="sr-only" aria-live="polite">{at === null ? "" : `${format.format(at * 1000)}: ${values.join("; ")}`}</div>
    </>
  );
}

/** "Room temperature: mean 21.4 °C, from 19 to 24 °C; …, 1 March to 31 March". */
function useSummary(lines: readonly Line[], span: Span, zone: string): string {
  const { t, i18n } = useTranslation();
  const text = useValueText();
  const format = new Intl.DateTimeFormat(i18n.language, { timeZone: zone, dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
  const parts = lines.map((line) => {
    const { count, mean, min, max } = summaryOf(line.samples, span.from / 1000, span.to / 1000);
    return count === 0 ? t("telemetry.trends.saidNothing", { name: line.name }) : t("telemetry.trends.said", { name: line.name, mean: text(mean, line), min: text(min, line), max: text(max, line) });
  });
  return t("telemetry.trends.summary", { from: format.format(span.from), to: format.format(span.to), lines: parts.join("; ") });
}

/** How wide the element is; 0 until it is known. */
function useWidth(): [(element: HTMLElement | null) => void, number] {
  const [width, setWidth] = useState(0);
  const observer = useRef<ResizeObserver | null>(null);
  const ref = useCallback((element: HTMLElement | null) => {
    observer.current?.disconnect();
    if (!element) return;
    setWidth(Math.floor(element.clientWidth));
    observer.current = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.current.observe(element);
  }, []);
  return [ref, width];
}
