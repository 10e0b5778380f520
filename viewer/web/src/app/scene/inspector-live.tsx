/** Live values of an element: each with quality, age, the last 24 hours and, where writable, a control. */
import { useQuery } from "@tanstack/react-query";
import { Spin } from "antd";
import { ChartLine, ChevronRight, CircleSlash, Clock, TriangleAlert } from "lucide-react";
import { lazy, Suspense, useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import type { Page, Point } from "../../api/types";
import type { LiveValue, Quality } from "../live";
import { toQuality } from "../live";
import { formatNumber, unitText } from "../lib/format";
import { carry } from "../lib/dragged";
import { shortName } from "../lib/names";
import { useValue } from "../lib/values";
import { Ago, Failure, IconButton } from "../parts";
import { useMay } from "../session";
import { useDraw } from "../workspace/charts";
import type { Series } from "./chart";
import { PointCommand } from "./command";

const Chart = lazy(async () => ({ default: (await import("./chart")).Chart }));

export function LivePoints({ points, owner }: { points: readonly Point[]; owner: string | null }): ReactNode {
  const [open, setOpen] = useState<string | null>(points[0]?.id ?? null);
  return (
    <div className="points">
      {points.map((point) => (
        <PointRow key={point.id} point={point} owner={owner} open={open === point.id} toggle={() => setOpen(open === point.id ? null : point.id)} />
      ))}
    </div>
  );
}

/** The socket's value, or what the list said before it came. */
export function useLatest(point: Point): LiveValue | undefined {
  const live = useValue(point.handle);
  if (live) return live;
  if (!point.latest) return undefined;
  return { value: point.latest.value, ts: Date.parse(point.latest.ts), quality: toQuality(point.latest.quality) };
}

function PointRow({ point, owner, open, toggle }: { point: Point; owner: string | null; open: boolean; toggle: () => void }): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const draw = useDraw();
  const latest = useLatest(point);
  const drawn = point.kind !== "text";
  return (
    <section className={`point${open ? " is-open" : ""}`}>
      <div className="point-bar" draggable={drawn} onDragStart={(event) => carry(event.dataTransfer, { points: [point.id] })}>
      <button type="button" className="point-head" aria-expanded={open} onClick={toggle}>
        <ChevronRight size={13} aria-hidden className="point-chevron" />
        <span className="point-name" title={point.name}>{shortName(point.name, owner)}</span>
        <QualityMark quality={latest?.quality ?? 0} />
        <PointValue point={point} latest={latest} />
      </button>
      {drawn ? <IconButton size={14} icon={ChartLine} label={t("several.toChart")} onClick={() => draw({ points: [point.id] })} /> : null}
      </div>
      {open ? (
        <div className="point-body">
          <div className="point-meta">
            <code>{point.key}</code>
            <Ago at={latest ? new Date(latest.ts).toISOString() : null} />
          </div>
          {point.kind === "text" ? null : <History point={point} />}
          {point.writable && may("point.command") ? <PointCommand point={point} current={latest?.value ?? null} /> : null}
        </div>
      ) : null}
    </section>
  );
}

export function PointValue({ point, latest }: { point: Point; latest: LiveValue | undefined }): ReactNode {
  const { t, i18n } = useTranslation();
  if (!latest || latest.value === null) return <span className="point-value muted">–</span>;
  const stale = latest.quality >= 2 ? " is-doubtful" : "";
  if (point.kind === "bool") return <span className={`point-value${stale}`}>{latest.value ? t("value.on") : t("value.off")}</span>;
  if (point.kind === "enum") return <span className={`point-value${stale}`}>{point.labels?.[String(latest.value)] ?? String(latest.value)}</span>;
  if (typeof latest.value !== "number") return <span className={`point-value${stale}`}>{String(latest.value)}</span>;
  return (
    <span className={`point-value num${stale}`}>
      {formatNumber(latest.value, i18n.language)}<small>{point.unit_symbol ?? unitText(point.unit)}</small>
    </span>
  );
}

function QualityMark({ quality }: { quality: Quality }): ReactNode {
  const { t } = useTranslation();
  if (quality === 0) return null;
  const [Icon, name] = quality === 1 ? [TriangleAlert, "uncertain"] as const : quality === 2 ? [CircleSlash, "bad"] as const : [Clock, "stale"] as const;
  const text = t(`quality.${name}`);
  return <span className={`quality is-${name}`} title={text}><Icon size={12} aria-hidden />{text}</span>;
}

interface Bucket {
  ts: string;
  mean?: number | null;
  min?: number | null;
  max?: number | null;
  last?: number | null;
}

const DAY = 86_400_000;

export function History({ point }: { point: Point }): ReactNode {
  const { t } = useTranslation();
  // Whole minutes, so that a re-render asks for the same range.
  const [to] = useState(() => Math.ceil(Date.now() / 60_000) * 60_000);
  const from = to - DAY;
  const about = point.kind === "number" ? "mean" : "last"; // a switch is never 0.4 on
  const history = useQuery({
    queryKey: ["readings", point.id, to],
    queryFn: ({ signal }) => get<Page<Bucket & { last?: number }>>(`/points/${point.id}/readings`, {
      from: new Date(from).toISOString(), to: new Date(to).toISOString(), bucket: "5m", agg: `${about},min,max`, limit: 1000, ...(about === "last" ? { fill: "previous" } : {}),
    }, signal),
    staleTime: 60_000,
  });
  const series = useMemo<Series>(() => {
    const items = (history.data?.items ?? []).toSorted((a, b) => Date.parse(a.ts) - Date.parse(b.ts));
    return {
      times: items.map((one) => Date.parse(one.ts) / 1000),
      mean: items.map((one) => one[about] ?? null),
      min: items.map((one) => one.min ?? null),
      max: items.map((one) => one.max ?? null),
    };
  }, [history.data, about]);
  const states = useMemo(() => statesOf(point, t("value.on"), t("value.off")), [point, t]);
  if (history.isError) return <Failure error={history.error} retry={() => void history.refetch()} />;
  if (history.isPending) return <div className="chart-wait"><Spin size="small" /></div>;
  if (series.times.length === 0) return <div className="chart-wait muted">{t("inspector.noHistory")}</div>;
  return (
    <Suspense fallback={<div className="chart-wait"><Spin size="small" /></div>}>
      <Chart series={series} unit={point.unit_symbol ?? unitText(point.unit)} states={states} from={from / 1000} to={to / 1000} />
    </Suspense>
  );
}

/** What the values of a switch or an enum mean; null: they are amounts. */
function statesOf({ kind, labels }: Point, on: string, off: string): ReadonlyMap<number, string> | null {
  if (kind === "bool") return new Map([[0, off], [1, on]]);
  if (kind !== "enum") return null;
  return new Map(Object.entries(labels ?? {}).map(([code, label]) => [Number(code), label] as const).sort(([a], [b]) => a - b));
}
