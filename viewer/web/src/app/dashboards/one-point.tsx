/** Widgets of one point: a large number, a gauge, a light. They follow the live socket. */
import { ArrowDownRight, ArrowRight, ArrowUpRight, CircleAlert, CircleCheck, Clock, TriangleAlert, Unplug } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { formatNumber, shortTime } from "../lib/format";
import { useValue } from "../lib/values";
import type { LiveValue } from "../live";
import { Ago, Failure, useNow } from "../parts";
import { niceSpan, quantityName } from "../scene/colour";
import { useSeries } from "../telemetry/trends/data";
import type { Samples } from "../telemetry/trends/series";
import { symbolOf, type FullPoint } from "../telemetry/types";
import { usePointsByKey } from "./queries";
import type { PointWidget } from "./types";

const HOUR = 3_600_000;

export function OnePoint({ widget }: { widget: PointWidget }): ReactNode {
  const keys = useMemo(() => [widget.point], [widget.point]);
  const { points, missing, loading, error } = usePointsByKey(keys);
  const point = points[0];
  if (missing.length > 0) return <Gone keys={missing} />;
  if (error) return <Failure error={error} />;
  if (loading || !point) return <div className="db-wait" aria-busy />;
  if (widget.kind === "gauge") return <Gauge widget={widget} point={point} />;
  return widget.kind === "light" ? <Light widget={widget} point={point} /> : <Value widget={widget} point={point} />;
}

/** What a widget says of points that are not there any more. */
export function Gone({ keys }: { keys: readonly string[] }): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="db-gone" role="note">
      <Unplug size={20} strokeWidth={1.5} aria-hidden />
      <b>{t("dashboards.gone", { count: keys.length })}</b>
      <small className="mono">{keys.slice(0, 5).join(", ")}{keys.length > 5 ? " …" : ""}</small>
    </div>
  );
}

export interface Now {
  text: string;
  unit: string;
  number: number | null;
  at: number | null;
  /** Old, in doubt or bad: why it is not to be trusted. */
  doubt: "stale" | "uncertain" | "bad" | "none" | "retired" | null;
}

/** What a point says now: from the socket, before its first word there from what the server knew. */
export function useNowOf(point: FullPoint): Now {
  const { t, i18n } = useTranslation();
  const live = useValue(point.handle);
  const value = live ?? fromLatest(point);
  const doubt = point.retired_at ? "retired" : !value ? "none" : value.quality === 3 ? "stale" : value.quality === 2 ? "bad" : value.quality === 1 ? "uncertain" : null;
  const raw = value?.value ?? null;
  const text = ((): string => {
    if (raw === null || doubt === "bad") return "–";
    if (point.kind === "bool") return point.labels?.[raw ? "1" : "0"] ?? t(raw ? "value.on" : "value.off");
    if (point.kind === "enum") return point.labels?.[String(raw)] ?? String(raw);
    return typeof raw === "number" ? formatNumber(raw === 0 ? 0 : raw, i18n.language) : String(raw);
  })();
  return { text, unit: text === "–" || point.kind !== "number" ? "" : symbolOf(point), number: doubt === "bad" ? null : typeof raw === "boolean" ? Number(raw) : typeof raw === "number" ? raw : null, at: value?.ts ?? null, doubt };
}

const QUALITIES = { good: 0, uncertain: 1, bad: 2, stale: 3 } as const;

function fromLatest(point: FullPoint): LiveValue | undefined {
  const { latest } = point;
  if (!latest) return undefined;
  return { value: latest.value, ts: Date.parse(latest.ts), quality: point.stale ? 3 : (QUALITIES[latest.quality as "good"] ?? 0) };
}

/** Beside a value that is not as it should be: why, in words. */
export function Doubt({ now, point }: { now: Now; point: FullPoint }): ReactNode {
  const { t, i18n } = useTranslation();
  if (now.doubt === null) return null;
  const Icon = now.doubt === "stale" ? Clock : now.doubt === "retired" ? Unplug : CircleAlert;
  return (
    <span className={`db-doubt is-${now.doubt}`}>
      <Icon size={13} aria-hidden />
      {now.doubt === "retired" ? t("dashboards.retired", { when: shortTime(point.retired_at ?? "", i18n.language) }) : now.doubt === "none" ? t("dashboards.noReading") : t(`quality.${now.doubt}`)}
      {now.at !== null && now.doubt !== "none" && now.doubt !== "retired" ? <Ago at={new Date(now.at).toISOString()} /> : null}
    </span>
  );
}

type Side = "low" | "high" | null;

const beyond = (value: number | null, widget: PointWidget): Side => {
  if (value === null) return null;
  if (typeof widget.low === "number" && value < widget.low) return "low";
  return typeof widget.high === "number" && value > widget.high ? "high" : null;
};

function Beyond({ side, widget, unit }: { side: Side; widget: PointWidget; unit: string }): ReactNode {
  const { t, i18n } = useTranslation();
  if (!side) return null;
  return <span className="db-beyond"><TriangleAlert size={13} aria-hidden />{t(`dashboards.beyond.${side}`, { limit: `${formatNumber(widget[side] ?? 0, i18n.language)} ${unit}` })}</span>;
}

/** The last six hours up to now, moved on each minute. */
function useCourse(point: FullPoint): Samples | null {
  const now = useNow(60_000);
  const points = useMemo(() => [point], [point]);
  const span = useMemo(() => ({ from: now - 6 * HOUR, to: now }), [now]);
  return useSeries(point.kind === "number" ? points : NONE, span, 160, true)[0]?.samples ?? null;
}

const NONE: readonly FullPoint[] = [];

/** Rising or falling against the mean of the hour before: by more than a hundredth of what it usually spans. */
export function trendOf(samples: Samples | null, value: number | null): "up" | "down" | "same" | null {
  const last = samples?.ts.at(-1);
  if (!samples || value === null || last === undefined) return null;
  const known = samples.mean.filter((one): one is number => one !== null);
  const before = samples.mean.filter((one, i): one is number => one !== null && (samples.ts[i] ?? 0) < last - 900 && (samples.ts[i] ?? 0) >= last - 4500);
  if (before.length === 0 || known.length < 3) return null;
  const mean = before.reduce((sum, one) => sum + one, 0) / before.length;
  const small = Math.max((Math.max(...known) - Math.min(...known)) * 0.05, Math.abs(mean) * 0.002);
  return value - mean > small ? "up" : mean - value > small ? "down" : "same";
}

const ARROWS = { up: ArrowUpRight, down: ArrowDownRight, same: ArrowRight } as const;

function Value({ widget, point }: { widget: PointWidget; point: FullPoint }): ReactNode {
  const { t } = useTranslation();
  const now = useNowOf(point);
  const course = useCourse(point);
  const side = beyond(now.number, widget);
  const trend = point.kind === "number" && now.doubt === null ? trendOf(course, now.number) : null;
  const Arrow = trend ? ARROWS[trend] : null;
  return (
    <div className={`db-value${side ? " is-beyond" : ""}${now.doubt ? " is-doubtful" : ""}`} data-testid="value">
      <p><b className="num">{now.text}</b>{now.unit ? <span className="db-unit">{now.unit}</span> : null}{Arrow ? <Arrow className="db-arrow" role="img" aria-label={t(`dashboards.trend.${trend ?? "same"}`)} /> : null}</p>
      <div className="db-under"><Doubt now={now} point={point} /><Beyond side={side} widget={widget} unit={now.unit} /></div>
      <Spark samples={course} />
    </div>
  );
}

function Spark({ samples }: { samples: Samples | null }): ReactNode {
  const path = useMemo(() => (samples ? sparkPath(samples) : ""), [samples]);
  return path ? <svg className="db-spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden><path d={path} vectorEffect="non-scaling-stroke" /></svg> : null;
}

/** In a picture of 100 × 24; broken where nothing is known. */
export function sparkPath({ ts, mean, apart }: Pick<Samples, "ts" | "mean" | "apart">): string {
  const known = mean.filter((one): one is number => one !== null);
  const [first, last] = [ts[0], ts.at(-1)];
  if (known.length < 2 || first === undefined || last === undefined || last <= first) return "";
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const y = (value: number): number => (high > low ? 22 - ((value - low) / (high - low)) * 20 : 12);
  let path = "";
  let before: number | null = null;
  ts.forEach((at, i) => {
    const value = mean[i];
    if (typeof value !== "number") return void (before = null);
    path += `${before !== null && at - before <= apart ? "L" : "M"}${(((at - first) / (last - first)) * 100).toFixed(1)} ${y(value).toFixed(1)}`;
    before = at;
  });
  return path;
}

/** An arc of 240 degrees around (60, 60). */
function arc(from: number, to: number, radius = 48): string {
  const at = (share: number): string => {
    const angle = ((150 + 240 * share) * Math.PI) / 180;
    return `${(60 + radius * Math.cos(angle)).toFixed(2)} ${(60 + radius * Math.sin(angle)).toFixed(2)}`;
  };
  return `M${at(from)}A${radius} ${radius} 0 ${(to - from) * 240 > 180 ? 1 : 0} 1 ${at(to)}`;
}

/** The ends of a gauge: those given, then what the point may be, then what fits the first value. */
function useEnds(widget: PointWidget, point: FullPoint, value: number | null): [number, number] {
  const [guessed, setGuessed] = useState<[number, number] | null>(null);
  const outside = value !== null && (guessed === null || value < guessed[0] || value > guessed[1]);
  const percent = point.unit === "PERCENT" || point.unit === "PERCENT_RH";
  if (outside && !percent) setGuessed(niceSpan(Math.min(0, value), Math.max(value * 1.5, 1)));
  const fallback = percent ? ([0, 100] as const) : (guessed ?? ([0, 1] as const));
  const low = widget.low ?? point.min_value ?? fallback[0];
  const high = widget.high ?? point.max_value ?? fallback[1];
  return high > low ? [low, high] : [low, low + 1];
}

function Gauge({ widget, point }: { widget: PointWidget; point: FullPoint }): ReactNode {
  const { i18n } = useTranslation();
  const now = useNowOf(point);
  const [low, high] = useEnds(widget, point, now.number);
  const share = now.number === null ? null : Math.min(1, Math.max(0, (now.number - low) / (high - low)));
  const side = beyond(now.number, widget);
  const end = (value: number): string => formatNumber(value, i18n.language);
  return (
    <div className={`db-gauge${side ? " is-beyond" : ""}${now.doubt ? " is-doubtful" : ""}`}>
      <svg viewBox="0 0 120 100" role="meter" aria-valuemin={low} aria-valuemax={high} {...(now.number === null ? {} : { "aria-valuenow": now.number })} aria-valuetext={`${now.text} ${now.unit}`} aria-label={widget.title || point.name}>
        <path className="db-gauge-track" d={arc(0, 1)} />
        {share === null || share < 0.004 ? null : <path className="db-gauge-arc" d={arc(0, share)} />}
        <text className="db-gauge-value num" x="60" y="64" textAnchor="middle">{now.text}</text>
        <text className="db-gauge-unit" x="60" y="78" textAnchor="middle">{now.unit}</text>
        <text className="db-gauge-end num" x="18" y="97" textAnchor="middle">{end(low)}</text>
        <text className="db-gauge-end num" x="102" y="97" textAnchor="middle">{end(high)}</text>
      </svg>
      <div className="db-under"><Doubt now={now} point={point} /><Beyond side={side} widget={widget} unit={now.unit} /></div>
    </div>
  );
}

const ALERTS = new Set(["fault", "smoke", "leak", "co"]);

/** Never by colour alone: a mark and words beside it. */
function Light({ widget, point }: { widget: PointWidget; point: FullPoint }): ReactNode {
  const now = useNowOf(point);
  const side = beyond(now.number, widget);
  const alert = point.kind === "bool" && now.number === 1 && ALERTS.has(quantityName(point) ?? "");
  const tone = now.number === null || now.doubt === "retired" ? "none" : alert || side ? "bad" : point.kind === "bool" && now.number === 0 ? "off" : "ok";
  const Icon = tone === "bad" ? TriangleAlert : tone === "ok" ? CircleCheck : null;
  return (
    <div className={`db-light is-${tone}${now.doubt ? " is-doubtful" : ""}`}>
      <span className="db-lamp" aria-hidden>{Icon ? <Icon strokeWidth={1.8} /> : null}</span>
      <div><b>{now.text}{now.unit ? ` ${now.unit}` : ""}</b><div className="db-under"><Doubt now={now} point={point} /><Beyond side={side} widget={widget} unit={now.unit} /></div></div>
    </div>
  );
}
