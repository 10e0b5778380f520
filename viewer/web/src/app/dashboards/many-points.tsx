/** Widgets of several points: lines over a period, bars against the period before, a table of what they say now. */
import { useQueries } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import { useModeValue } from "../context";
import { formatNumber } from "../lib/format";
import { useSame } from "../lib/same";
import { useStore } from "../lib/store";
import { Ago, Failure, IconButton, useNow } from "../parts";
import { TrendChart } from "../telemetry/trends/chart";
import { useSeries, useZone } from "../telemetry/trends/data";
import { useValueText } from "../telemetry/trends/legend";
import { sidesOf, type Line } from "../telemetry/trends/plot";
import type { Span } from "../telemetry/trends/ranges";
import { NOTHING, styleOf } from "../telemetry/trends/series";
import { createShown } from "../telemetry/trends/shown";
import { symbolOf, type FullPoint } from "../telemetry/types";
import "../telemetry/telemetry.css";
import { changeOf, isCounter, totals, type Bucket } from "./comparison";
import { shortNames } from "./names";
import { Doubt, Gone, useNowOf } from "./one-point";
import { usePointsByKey, type Read } from "./queries";
import { PERIOD_MS, type Period, type PointsWidget } from "./types";

export function ManyPoints({ widget }: { widget: PointsWidget }): ReactNode {
  const read = usePointsByKey(widget.points);
  if (read.loading && read.points.length === 0) return <div className="db-wait" aria-busy />;
  if (read.points.length === 0) return read.error ? <Failure error={read.error} /> : <Gone keys={read.missing} />;
  if (widget.kind === "table") return <Table read={read} />;
  return widget.kind === "comparison" ? <Comparison read={read} period={widget.span ?? "day"} /> : <Chart read={read} period={widget.span ?? "day"} label={widget.title ?? ""} />;
}

/** How large an element is; null until it is known. */
export function useSize(): [(element: HTMLElement | null) => void, { width: number; height: number } | null] {
  const [size, setSize] = useState<{ width: number; height: number } | null>(null);
  const observer = useRef<ResizeObserver | null>(null);
  const ref = useCallback((element: HTMLElement | null) => {
    observer.current?.disconnect();
    if (!element) return;
    const measure = (): void => setSize({ width: Math.floor(element.clientWidth), height: Math.floor(element.clientHeight) });
    measure();
    observer.current = new ResizeObserver(measure);
    observer.current.observe(element);
  }, []);
  return [ref, size];
}

function Chart({ read, period, label }: { read: Read; period: Period; label: string }): ReactNode {
  const { t, i18n } = useTranslation();
  const mode = useModeValue();
  const zone = useZone();
  const [ref, size] = useSize();
  const now = useNow(Math.min(60_000, Math.max(2000, PERIOD_MS[period] / 1000)));
  const [held, setHeld] = useState(false);
  const [shown] = useState(() => createShown({ from: now - PERIOD_MS[period], to: now }));
  useEffect(() => {
    if (!held) shown.span.set({ from: now - PERIOD_MS[period], to: now });
  }, [now, period, held, shown]);
  const span = useStore(shown.span);
  const points = useMemo(() => read.points.filter((point) => point.kind !== "text"), [read.points]);
  const series = useSeries(points, span, size?.width ?? 400, true);
  const samples = useSame(series.map((one) => one.samples));
  const lines = useMemo(() => points.map((point, i): Line => {
    const { colour, dash } = styleOf(i, mode);
    return { id: point.id, name: point.name, unit: symbolOf(point), kind: point.kind, labels: point.labels ?? null, stepped: point.sampling === "hold" && point.kind !== "number", colour, dash, samples: samples[i] ?? NOTHING, compared: null };
  }), [points, samples, mode]);
  const sides = useMemo(() => sidesOf(lines), [lines]);
  const short = useMemo(() => shortNames(lines.map((line) => line.name)), [lines]);
  const show = useCallback((next: Span) => {
    setHeld(true);
    shown.span.set(next);
  }, [shown]);
  const failed = series.find((one) => one.error);
  const silent = lines.length > 0 && series.every((one) => one.samples && !one.loading && one.samples.ts.length === 0);
  return (
    <div className="db-chart">
      <ul className="db-legend">
        {lines.map((line, i) => <LegendItem key={line.id} name={short[i] ?? line.name} line={line} point={points.find((one) => one.id === line.id)} />)}
        {read.missing.length > 0 ? <li className="db-lost">{t("dashboards.gone", { count: read.missing.length })}: {read.missing.join(", ")}</li> : null}
        {held ? <li><IconButton icon={RotateCcw} size={13} label={t("dashboards.toNow")} onClick={() => setHeld(false)} /></li> : null}
      </ul>
      <div ref={ref} className="db-plot">
        {size && size.width > 60 && size.height > 60 && lines.length > 0 ? (
          <TrendChart lines={lines} shown={shown} show={show} back={() => setHeld(false)} width={size.width} height={size.height} zone={zone} bands={lines.length < 3} sides={sides}
            label={`${label}: ${lines.map((line) => line.name).join(i18n.language === "en" ? ", " : "、")}`} help={t("telemetry.trends.keys")} />
        ) : null}
        {failed ? <div className="trend-wait"><Failure error={failed.error} retry={failed.retry} /></div> : silent ? <div className="trend-wait muted">{t("telemetry.trends.nothing")}</div> : null}
      </div>
    </div>
  );
}

function LegendItem({ name, line, point }: { name: string; line: Line; point: FullPoint | undefined }): ReactNode {
  return <li><i style={{ background: line.colour }} aria-hidden /><span title={line.name}>{name}</span>{point ? <Newest point={point} line={line} /> : null}</li>;
}

function Newest({ point, line }: { point: FullPoint; line: Line }): ReactNode {
  const text = useValueText();
  const now = useNowOf(point);
  return <b className={`num${now.doubt ? " is-doubtful" : ""}`}>{text(now.number, line)}</b>;
}

const BUCKETS: Record<Period, string> = { hour: "1m", day: "1h", week: "6h", month: "1d", year: "1mo" };

/** Bars of this stretch and of the one before; a meter's are what it counted, anything else's are means. */
function Comparison({ read, period }: { read: Read; period: Period }): ReactNode {
  const { t, i18n } = useTranslation();
  const long = PERIOD_MS[period];
  const step = long / 60;
  const minute = Math.floor(useNow(60_000) / step) * step; // asked for anew when that would show, no more often
  const points = useMemo(() => read.points.filter((point) => point.kind === "number"), [read.points]);
  const found = useQueries({
    queries: points.map((point) => ({
      queryKey: ["readings", "compared", point.id, period, minute],
      queryFn: async ({ signal }: { signal: AbortSignal }) => {
        const range = { from: new Date(minute - 2 * long).toISOString(), to: new Date(minute).toISOString() };
        return (await get<{ items: Bucket[] }>(`/points/${point.id}/readings`, { ...range, bucket: BUCKETS[period], agg: "mean,first,last,count" }, signal)).items;
      },
      staleTime: step, placeholderData: (before: Bucket[] | undefined) => before, retry: 1,
    })),
  });
  const failed = found.find((one) => one.error && !one.data);
  if (failed) return <Failure error={failed.error} retry={() => void failed.refetch()} />;
  const rows = points.map((point, i) => ({ point, ...totals(found[i]?.data ?? [], minute - long, isCounter(point)) }));
  const number = (value: number | null): string => (value === null ? "–" : formatNumber(value, i18n.language));
  return (
    <div className="db-compare">
      <p className="db-compare-key"><span><i aria-hidden />{t(`dashboards.last.${period}`)}</span><span><i className="is-before" aria-hidden />{t("dashboards.before")}</span></p>
      <ul>
        {rows.map(({ point, now, before }) => {
          const most = Math.max(Math.abs(now ?? 0), Math.abs(before ?? 0)) || 1;
          const change = changeOf(now, before);
          return (
            <li key={point.id}>
              <span className="db-compare-name">{point.name}<small>{t(isCounter(point) ? "dashboards.counted" : "dashboards.mean")}</small></span>
              <span className="db-compare-numbers num"><b>{number(now)}</b> {symbolOf(point)} <small>{number(before)}</small>{change === null ? null : <em>{change > 0 ? "+" : ""}{new Intl.NumberFormat(i18n.language, { style: "percent", maximumFractionDigits: 0 }).format(change)}</em>}</span>
              <span className="db-bar" aria-hidden><i style={{ width: `${(Math.abs(now ?? 0) / most) * 100}%` }} /></span>
              <span className="db-bar is-before" aria-hidden><i style={{ width: `${(Math.abs(before ?? 0) / most) * 100}%` }} /></span>
            </li>
          );
        })}
      </ul>
      {read.missing.length > 0 ? <p className="db-lost">{t("dashboards.gone", { count: read.missing.length })}: {read.missing.join(", ")}</p> : null}
    </div>
  );
}

function Table({ read }: { read: Read }): ReactNode {
  const { t } = useTranslation();
  return (
    <table className="db-table">
      <thead><tr><th scope="col">{t("dashboards.point")}</th><th scope="col" className="is-number">{t("dashboards.value")}</th><th scope="col" className="is-number">{t("dashboards.age")}</th></tr></thead>
      <tbody>
        {read.points.map((point) => <TableRow key={point.id} point={point} />)}
        {read.missing.map((key) => <tr key={key} className="db-lost"><td className="mono">{key}</td><td colSpan={2} className="is-number">{t("dashboards.gone", { count: 1 })}</td></tr>)}
      </tbody>
    </table>
  );
}

function TableRow({ point }: { point: FullPoint }): ReactNode {
  const now = useNowOf(point);
  return (
    <tr className={now.doubt ? "is-doubtful" : ""}>
      <td>{point.name}</td>
      <td className="is-number num"><b>{now.text}</b> {now.unit}</td>
      <td className="is-number">{now.doubt === null && now.at !== null ? <Ago at={new Date(now.at).toISOString()} /> : <Doubt now={now} point={point} />}</td>
    </tr>
  );
}
