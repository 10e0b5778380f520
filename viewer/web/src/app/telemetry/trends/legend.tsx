/** Above a chart: its lines with what they say under the cursor, or last; each can be taken out. */
import { Tooltip } from "antd";
import { CircleAlert, LoaderCircle, X } from "lucide-react";
import { type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { formatNumber } from "../../lib/format";
import { useStore } from "../../lib/store";
import { useErrorText } from "../../parts";
import type { Series } from "./data";
import type { Line } from "./plot";
import { indexAt, type Samples } from "./series";
import type { Shown } from "./shown";

/** A value as it is read: "21.4 °C", "on", the label of a code. */
export function useValueText(): (value: number | null | undefined, line: Pick<Line, "kind" | "unit" | "labels">, bare?: boolean) => string {
  const { t, i18n } = useTranslation();
  return (value, line, bare) => {
    if (value === null || value === undefined) return "–";
    if (line.kind === "bool") return value === 0 || value === 1 ? (line.labels?.[String(value)] ?? t(value ? "value.on" : "value.off")) : t("telemetry.trends.shareOn", { percent: Math.round(value * 100) });
    if (line.kind === "enum" && Number.isInteger(value)) return line.labels?.[String(value)] ?? String(value);
    return `${formatNumber(value === 0 ? 0 : value, i18n.language)}${bare || !line.unit ? "" : ` ${line.unit}`}`;
  };
}

export function Legend({ lines, series, shown, bands, remove, comparedTitle }: {
  lines: readonly Line[]; series: readonly Series[]; shown: Shown; bands: boolean; remove: (id: string) => void; comparedTitle: string | null;
}): ReactNode {
  const cursor = useStore(shown.cursor);
  return (
    <ul className="trend-legend">
      {lines.map((line, i) => <LegendItem key={line.id} line={line} series={series[i]} cursor={cursor} bands={bands} remove={() => remove(line.id)} comparedTitle={comparedTitle} />)}
    </ul>
  );
}

interface At {
  mean: number | null;
  min: number | null;
  max: number | null;
  doubt: number;
}

export function valueAt(samples: Samples | null, at: number | null, hold: boolean): At | null {
  if (!samples) return null;
  const i = at === null ? samples.mean.findLastIndex((one) => one !== null) : indexAt(samples, at, hold);
  if (i < 0) return null;
  return { mean: samples.mean[i] ?? null, min: samples.min[i] ?? null, max: samples.max[i] ?? null, doubt: samples.doubt[i] ?? 0 };
}

function LegendItem({ line, series, cursor, bands, remove, comparedTitle }: {
  line: Line; series: Series | undefined; cursor: number | null; bands: boolean; remove: () => void; comparedTitle: string | null;
}): ReactNode {
  const { t } = useTranslation();
  const text = useValueText();
  const errorText = useErrorText();
  const now = valueAt(line.samples, cursor, line.stepped);
  const before = line.compared ? valueAt(line.compared, cursor, line.stepped) : null;
  const spread = bands && now && line.kind === "number" && now.min !== null && now.max !== null && now.max > now.min;
  return (
    <li className="trend-legend-item" data-point={line.id}>
      <i style={{ background: line.colour }} aria-hidden />
      <span className="trend-legend-name" title={line.name}>{line.name}</span>
      <b className={`num${now && now.doubt > 0 ? " is-doubtful" : ""}`}>{text(now?.mean, line)}</b>
      {spread ? <small className="num">{text(now.min, line, true)} – {text(now.max, line, true)}</small> : null}
      {before ? <Tooltip title={comparedTitle}><small className="num trend-before">{text(before.mean, line)}</small></Tooltip> : null}
      {series?.error ? (
        <Tooltip title={errorText(series.error)}>
          <button type="button" className="trend-legend-error" onClick={series.retry} aria-label={t("telemetry.trends.failed", { name: line.name })}><CircleAlert size={13} aria-hidden /></button>
        </Tooltip>
      ) : series?.loading && !series.samples ? <LoaderCircle size={13} className="is-turning" aria-hidden /> : null}
      <button type="button" className="trend-legend-remove" onClick={remove} aria-label={t("telemetry.trends.removePoint", { name: line.name })}><X size={13} aria-hidden /></button>
    </li>
  );
}
