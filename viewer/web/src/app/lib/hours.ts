/** Hours as series: the server leaves out hours without calls, a chart needs every one. Pure. */
import type { RouteUsage } from "../../api/identity";

const HOUR = 3_600_000;

export interface HourSeries {
  /** Start of each hour, s since the epoch. */
  times: number[];
  ok: number[];
  errors: number[];
  /** s; null where nothing was called. */
  latency: (number | null)[];
}

/** Every whole hour of [from, to) in ms, half-open, with what was called in it. */
export function everyHour(hours: readonly RouteUsage[], from: number, to: number): HourSeries {
  const known = new Map(hours.map((one) => [Date.parse(one.hour ?? ""), one.figures]));
  const series: HourSeries = { times: [], ok: [], errors: [], latency: [] };
  for (let at = Math.floor(from / HOUR) * HOUR; at < to; at += HOUR) {
    const figures = known.get(at);
    series.times.push(at / 1000);
    series.ok.push((figures?.calls ?? 0) - (figures?.errors ?? 0));
    series.errors.push(figures?.errors ?? 0);
    series.latency.push(figures?.latency_p95 ?? null);
  }
  return series;
}

/** "4.2 ms", "1.3 s". */
export function latencyText(seconds: number | null, language: string): string {
  if (seconds === null) return "–";
  const ms = seconds * 1000;
  const format = (value: number, digits: number): string => new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
  return ms < 1000 ? `${format(ms, ms < 10 ? 1 : 0)} ms` : `${format(seconds, seconds < 10 ? 1 : 0)} s`;
}

/** Share of calls that were errors: "0 %", "0.3 %", "12 %". */
export function errorShare(errors: number, calls: number, language: string): string {
  return new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: calls > 0 && errors / calls < 0.1 ? 1 : 0 }).format(calls > 0 ? errors / calls : 0);
}
