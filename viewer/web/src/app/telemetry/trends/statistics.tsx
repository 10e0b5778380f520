/** How the values of each point are spread over the time shown: of every reading, not of what is drawn. */
import { Table, Tooltip } from "antd";
import { useQueries } from "@tanstack/react-query";
import { type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../../api/client";
import { formatNumber } from "../../lib/format";
import { usePhone } from "../../lib/prefs";
import { useErrorText } from "../../parts";
import type { Distribution } from "../types";
import { useValueText } from "./legend";
import type { Line } from "./plot";
import type { Span } from "./ranges";

export function Statistics({ lines, span }: { lines: readonly Line[]; span: Span }): ReactNode {
  const { t, i18n } = useTranslation();
  const phone = usePhone();
  const text = useValueText();
  const errorText = useErrorText();
  const minute = (at: number): string => new Date(Math.round(at / 60_000) * 60_000).toISOString();
  const [from, to] = [minute(span.from), minute(span.to)];
  const found = useQueries({
    queries: lines.map((line) => ({
      queryKey: ["distribution", line.id, from, to],
      queryFn: ({ signal }: { signal: AbortSignal }) => get<Distribution>(`/points/${line.id}/distribution`, { from, to, percentiles: "5,50,95", bins: 24 }, signal),
      staleTime: 60_000,
      enabled: from < to,
      retry: 1,
    })),
  });
  const rows = lines.map((line, i) => ({ line, found: found[i]?.data, error: found[i]?.error ?? null, loading: found[i]?.isPending ?? true }));
  type Row = (typeof rows)[number];
  const number = (key: string, title: string, of: (one: Distribution) => number | null | undefined): object => ({
    title, key, align: "right", className: "num", render: (_: unknown, row: Row) => (row.found ? text(of(row.found), row.line, true) : row.loading ? "…" : "–"),
  });
  return (
    <section className="card trend-statistics" aria-label={t("telemetry.trends.statistics")}>
      <Table<Row> size="small" rowKey={(row) => row.line.id} dataSource={rows} pagination={false} scroll={{ x: 760 }} columns={[
        {
          title: t("telemetry.points.point"), key: "name", ...(phone ? { width: 170 } : { fixed: "left" as const, width: 220 }), render: (_, row) => (
            <span className="trend-stat-name"><i style={{ background: row.line.colour }} aria-hidden />{row.line.name}{row.line.unit ? <small className="muted"> {row.line.unit}</small> : null}
              {row.error ? <Tooltip title={errorText(row.error)}><small className="sev-text-high"> {t("telemetry.trends.noStatistics")}</small></Tooltip> : null}</span>
          ),
        },
        number("mean", t("telemetry.trends.mean"), (one) => one.mean), number("min", t("telemetry.trends.min"), (one) => one.min), number("p5", "P5", (one) => one.percentiles["5"]),
        number("p50", t("telemetry.trends.median"), (one) => one.percentiles["50"]), number("p95", "P95", (one) => one.percentiles["95"]), number("max", t("telemetry.trends.max"), (one) => one.max),
        number("deviation", t("telemetry.trends.deviation"), (one) => one.deviation),
        { title: t("telemetry.trends.readings"), key: "count", align: "right", className: "num", render: (_, row) => (row.found ? formatNumber(row.found.count, i18n.language) : "–") },
        { title: t("telemetry.trends.histogram"), key: "histogram", width: 170, render: (_, row) => (row.found && row.found.count > 0 ? <Histogram found={row.found} line={row.line} /> : null) },
      ]} />
    </section>
  );
}

function Histogram({ found, line }: { found: Distribution; line: Line }): ReactNode {
  const { t, i18n } = useTranslation();
  const text = useValueText();
  const most = Math.max(1, ...found.counts);
  const wide = 150 / found.counts.length;
  const label = t("telemetry.trends.histogramLabel", { from: text(found.edges[0], line), to: text(found.edges.at(-1), line) });
  return (
    <svg width={150} height={30} role="img" aria-label={label} className="trend-histogram">
      {found.counts.map((count, i) => (
        <rect key={i} x={i * wide} width={Math.max(1, wide - 1)} y={29 - (28 * count) / most} height={(28 * count) / most + 1} fill={line.colour}>
          <title>{`${text(found.edges[i], line, true)} – ${text(found.edges[i + 1], line)}: ${formatNumber(count, i18n.language)}`}</title>
        </rect>
      ))}
    </svg>
  );
}
