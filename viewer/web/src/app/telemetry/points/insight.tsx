/** What the history of a point teaches: its usual day, the next day with its error, what was out of the ordinary, what it goes along with. */
import { useQuery } from "@tanstack/react-query";
import { Alert, Segmented, Skeleton, Table } from "antd";
import { lazy, Suspense, useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../../api/client";
import { formatNumber, shortTime } from "../../lib/format";
import { useErrorText } from "../../parts";
import type { Series } from "../../scene/chart";
import { PointField, useDuration } from "../fields";
import { symbolOf, type FullPoint } from "../types";

const Chart = lazy(async () => ({ default: (await import("../../scene/chart")).Chart }));
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface ForecastError {
  hours: number;
  mae: number;
  rmse: number;
  mase: number | null;
  r2: number | null;
  coverage: number;
  level: number;
  naive_mae: number;
  skill: number | null;
}

interface Expectation {
  ts: string;
  value: number | null;
  low: number | null;
  high: number | null;
}

interface Forecast {
  items: Expectation[];
  model: string;
  trained_from: string;
  trained_to: string;
  error: ForecastError;
}

interface Anomalies {
  items: (Expectation & { expected: number | null; score: number | null })[];
  model: string;
  error: ForecastError;
}

interface Profile {
  items: { weekday: number | null; slot: string; mean: number; p10: number; p50: number; p90: number; days: number }[];
  time_zone: string;
  days: number;
}

interface Correlation {
  points: string[];
  names: string[];
  bucket: string;
  matrix: (number | null)[][];
  count: number[][];
  pairs: { a: string; b: string; best_lag_seconds: number | null; best_r: number | null }[];
}

export function Insight({ point }: { point: FullPoint }): ReactNode {
  return (
    <div className="tab-form insight">
      <DailyProfile point={point} />
      <NextDay point={point} />
      <OutOfOrder point={point} />
      <Along point={point} />
    </div>
  );
}

/** While it is worked out, where it cannot be, and what comes out of it. */
function Part({ title, query, children }: { title: string; query: { isPending: boolean; error: unknown }; children: () => ReactNode }): ReactNode {
  const text = useErrorText();
  return (
    <section>
      <h3>{title}</h3>
      {query.error ? <Alert type="info" showIcon title={text(query.error)} /> : query.isPending ? <Skeleton active paragraph={{ rows: 3 }} title={false} /> : <Suspense fallback={<div className="chart-wait" />}>{children()}</Suspense>}
    </section>
  );
}

function DailyProfile({ point }: { point: FullPoint }): ReactNode {
  const { t } = useTranslation();
  const [by, setBy] = useState<"day" | "weekday">("day");
  const [day, setDay] = useState(1);
  const query = useQuery({ queryKey: ["points", "profile", point.id, by], queryFn: ({ signal }) => get<Profile>(`/points/${point.id}/profile`, { by }, signal), staleTime: 600_000, retry: 0 });
  const series = useMemo<Series>(() => {
    const items = (query.data?.items ?? []).filter((one) => by === "day" || one.weekday === day);
    const at = (slot: string): number => {
      const [hours, minutes] = slot.split(":").map(Number);
      return new Date(2000, 0, 3, hours ?? 0, minutes ?? 0).getTime() / 1000;
    };
    return { times: items.map((one) => at(one.slot)), mean: items.map((one) => one.p50), min: items.map((one) => one.p10), max: items.map((one) => one.p90) };
  }, [query.data, by, day]);
  const from = new Date(2000, 0, 3).getTime() / 1000;
  return (
    <Part title={t("telemetry.insight.profile")} query={query}>{() => (
      <>
        <div className="insight-line">
          <Segmented size="small" value={by} onChange={setBy} options={(["day", "weekday"] as const).map((value) => ({ value, label: t(`telemetry.insight.by.${value}`) }))} />
          {by === "weekday" ? <Segmented size="small" value={day} onChange={setDay} options={[1, 2, 3, 4, 5, 6, 7].map((value) => ({ value, label: t(`telemetry.insight.day.${value}` as "telemetry.insight.day.1") }))} /> : null}
        </div>
        <Chart series={series} unit={symbolOf(point)} from={from} to={from + 86_400} height={150} />
        <p className="muted">{t("telemetry.insight.profileHint", { days: query.data?.days ?? 0, zone: query.data?.time_zone ?? "" })}</p>
      </>
    )}</Part>
  );
}

function NextDay({ point }: { point: FullPoint }): ReactNode {
  const { t, i18n } = useTranslation();
  const [now] = useState(() => Math.floor(Date.now() / HOUR) * HOUR);
  const query = useQuery({ queryKey: ["points", "forecast", point.id, now], queryFn: ({ signal }) => get<Forecast>(`/points/${point.id}/forecast`, { hours: 24 }, signal), staleTime: 600_000, retry: 0 });
  const before = useQuery({
    queryKey: ["readings", point.id, "hourly", now], staleTime: 600_000,
    queryFn: ({ signal }) => get<{ items: { ts: string; mean: number | null }[] }>(`/points/${point.id}/readings`, { from: new Date(now - 2 * DAY).toISOString(), to: new Date(now + HOUR).toISOString(), bucket: "1h", agg: "mean" }, signal),
  });
  const series = useMemo<Series>(() => {
    const ahead = query.data?.items ?? [];
    const first = ahead[0] ? Date.parse(ahead[0].ts) : Number.POSITIVE_INFINITY;
    const past = (before.data?.items ?? []).filter((one) => Date.parse(one.ts) < first);
    return {
      times: [...past, ...ahead].map((one) => Date.parse(one.ts) / 1000), mean: [...past.map((one) => one.mean), ...ahead.map((one) => one.value)],
      min: [...past.map((one) => one.mean), ...ahead.map((one) => one.low)], max: [...past.map((one) => one.mean), ...ahead.map((one) => one.high)],
    };
  }, [query.data, before.data]);
  const unit = symbolOf(point);
  return (
    <Part title={t("telemetry.insight.forecast")} query={query}>{() => (
      <>
        <Chart series={series} unit={unit} from={(now - 2 * DAY) / 1000} to={(now + DAY) / 1000} height={160} />
        {query.data ? <ErrorLine error={query.data.error} unit={unit} model={query.data.model} /> : null}
        {query.data ? <p className="muted">{t("telemetry.insight.trained", { from: shortTime(query.data.trained_from, i18n.language), to: shortTime(query.data.trained_to, i18n.language) })}</p> : null}
      </>
    )}</Part>
  );
}

/** No forecast without the error that such forecasts had on days they had not seen. */
function ErrorLine({ error, unit, model }: { error: ForecastError; unit: string; model: string }): ReactNode {
  const { t, i18n } = useTranslation();
  const n = (value: number): string => formatNumber(value, i18n.language);
  const percent = (value: number): string => `${Math.round(value * 100)} %`;
  const named = `telemetry.insight.model.${model}`;
  const facts: [string, ReactNode][] = [
    [t("telemetry.insight.mae"), `${n(error.mae)} ${unit}`], [t("telemetry.insight.rmse"), `${n(error.rmse)} ${unit}`], ["MASE", error.mase === null ? "–" : n(error.mase)],
    [t("telemetry.insight.coverage", { level: percent(error.level) }), percent(error.coverage)], [t("telemetry.insight.naive"), `${n(error.naive_mae)} ${unit}`], [t("telemetry.insight.skill"), error.skill === null ? "–" : percent(error.skill)],
    [t("telemetry.insight.heldBack"), `${error.hours} h`], [t("telemetry.insight.modelTitle"), i18n.exists(named) ? t(named as "telemetry.insight.model.structural") : model],
  ];
  return <dl className="insight-error">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd className="num">{value}</dd></div>)}</dl>;
}

const ODD = 4; // usual errors

function OutOfOrder({ point }: { point: FullPoint }): ReactNode {
  const { t, i18n } = useTranslation();
  const [now] = useState(() => Math.floor(Date.now() / HOUR) * HOUR);
  const query = useQuery({
    queryKey: ["points", "anomalies", point.id, now], staleTime: 600_000, retry: 0,
    queryFn: ({ signal }) => get<Anomalies>(`/points/${point.id}/anomalies`, { from: new Date(now - 7 * DAY).toISOString(), to: new Date(now).toISOString() }, signal),
  });
  const items = useMemo(() => query.data?.items ?? [], [query.data]);
  const series = useMemo<Series>(() => ({ times: items.map((one) => Date.parse(one.ts) / 1000), mean: items.map((one) => one.value), min: items.map((one) => one.low), max: items.map((one) => one.high) }), [items]);
  const odd = items.filter((one) => Math.abs(one.score ?? 0) >= ODD).toSorted((a, b) => Math.abs(b.score ?? 0) - Math.abs(a.score ?? 0)).slice(0, 10);
  const n = (value: number | null): string => (value === null ? "–" : formatNumber(value, i18n.language));
  return (
    <Part title={t("telemetry.insight.anomalies")} query={query}>{() => (
      <>
        <Chart series={series} unit={symbolOf(point)} from={(now - 7 * DAY) / 1000} to={now / 1000} height={150} />
        {odd.length === 0 ? <p className="muted">{t("telemetry.insight.noAnomalies")}</p> : (
          <Table size="small" rowKey="ts" dataSource={odd} pagination={false} columns={[
            { title: t("telemetry.trends.time"), key: "ts", render: (_, one) => <span className="num nowrap">{shortTime(one.ts, i18n.language)}</span> },
            { title: t("telemetry.insight.was"), key: "value", align: "right", render: (_, one) => <b className="num">{n(one.value)}</b> },
            { title: t("telemetry.insight.expected"), key: "expected", align: "right", render: (_, one) => <span className="num">{n(one.expected)} <small className="muted">{n(one.low)} – {n(one.high)}</small></span> },
            { title: t("telemetry.insight.score"), key: "score", align: "right", render: (_, one) => <span className="num">{n(one.score)}</span> },
          ]} />
        )}
        {query.data ? <p className="muted">{t("telemetry.insight.anomalyError", { mae: formatNumber(query.data.error.mae, i18n.language), unit: symbolOf(point), coverage: Math.round(query.data.error.coverage * 100) })}</p> : null}
      </>
    )}</Part>
  );
}

function Along({ point }: { point: FullPoint }): ReactNode {
  const { t, i18n } = useTranslation();
  const duration = useDuration();
  const [others, setOthers] = useState<string[]>([]);
  const wanted = others.filter((one) => one !== point.key);
  const [now] = useState(() => Math.floor(Date.now() / HOUR) * HOUR);
  const query = useQuery({
    queryKey: ["points", "correlation", point.key, wanted, now], enabled: wanted.length > 0, staleTime: 600_000, retry: 0,
    queryFn: ({ signal }) => get<Correlation>("/readings/correlation", { point: [point.key, ...wanted], from: new Date(now - 14 * DAY).toISOString(), to: new Date(now).toISOString(), bucket: "1h", lags: 24 }, signal),
  });
  const found = query.data;
  const rows = (found?.points ?? []).slice(1).map((key, i) => ({ key, name: found?.names[i + 1] ?? key, r: found?.matrix[0]?.[i + 1] ?? null, count: found?.count[0]?.[i + 1] ?? 0, pair: found?.pairs.find((one) => one.a === point.key && one.b === key) ?? null }));
  const text = useErrorText();
  return (
    <section>
      <h3>{t("telemetry.insight.correlation")}</h3>
      <PointField multiple value={others} onChange={(next) => setOthers(Array.isArray(next) ? next.slice(0, 9) : [])} />
      {query.error ? <Alert type="info" showIcon title={text(query.error)} /> : wanted.length === 0 ? <p className="muted">{t("telemetry.insight.correlationHint")}</p> : (
        <Table size="small" rowKey="key" dataSource={rows} pagination={false} loading={query.isFetching} columns={[
          { title: t("telemetry.points.point"), key: "name", dataIndex: "name" },
          { title: "r", key: "r", align: "right", render: (_, one) => <b className="num">{one.r === null ? "–" : one.r.toFixed(2)}</b> },
          { title: t("telemetry.insight.bestLag"), key: "lag", render: (_, one) => (one.pair?.best_lag_seconds === null || one.pair?.best_lag_seconds === undefined ? "–" : <span className="num">{one.pair.best_lag_seconds === 0 ? t("telemetry.insight.sameTime") : t(one.pair.best_lag_seconds > 0 ? "telemetry.insight.after" : "telemetry.insight.ahead", { time: duration(Math.abs(one.pair.best_lag_seconds)) })} <small className="muted">r = {one.pair.best_r?.toFixed(2)}</small></span>) },
          { title: t("telemetry.insight.hours"), key: "n", align: "right", render: (_, one) => <span className="num">{formatNumber(one.count, i18n.language)}</span> },
        ]} />
      )}
    </section>
  );
}
