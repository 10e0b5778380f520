/** The drawings of a report: lines with the band between least and most, and bars. They print as they are seen. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { formatNumber, unitText } from "../lib/format";
import { useMedia } from "../lib/prefs";
import { bandPath, linePath, scaleOf } from "./plot";
import type { ChartNumbers, UseNumbers } from "./types";
import type { ReportWords } from "./words";

const HEIGHT = 210;
const [WIDE, NARROW] = [720, 360]; // px of the drawing: a phone's letters are as large as a desk's
const BOX = { left: 46, right: 8, top: 8, bottom: 22 };
const PHONE = "screen and (width < 720px)"; // not the width of paper
const [HOUR, DAY] = [3_600_000, 86_400_000];
const STEPS = [HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 61 * DAY, 122 * DAY];
type Series = ChartNumbers["series"][number];

/** Points of a unit share a drawing: two units on one axis would say nothing. */
export function LineCharts({ numbers, words }: { numbers: ChartNumbers; words: ReportWords }): ReactNode {
  const units = [...new Set(numbers.series.map((one) => one.unit))];
  return <>{units.map((unit) => <LineChart key={unit ?? ""} unit={unit} ts={numbers.ts} series={numbers.series.filter((one) => one.unit === unit)} words={words} />)}</>;
}

function LineChart({ unit, ts, series, words }: { unit: string | null; ts: string[]; series: Series[]; words: ReportWords }): ReactNode {
  const { i18n } = useTranslation();
  const phone = useMedia(PHONE);
  const WIDTH = phone ? NARROW : WIDE;
  const single = series.length === 1;
  const scale = scaleOf(series.flatMap((one) => (single ? [...one.values.min, ...one.values.max] : one.values.mean)));
  const times = ts.map((at) => Date.parse(at));
  const [first, last] = [times[0] ?? 0, times.at(-1) ?? 1];
  const x = (at: number): number => BOX.left + ((at - first) / Math.max(1, last - first)) * (WIDTH - BOX.left - BOX.right);
  const y = (value: number | null): number | null => (value === null ? null : BOX.top + (1 - (value - scale.low) / (scale.high - scale.low)) * (HEIGHT - BOX.top - BOX.bottom));
  const xs = times.map(x);
  const step = STEPS.find((one) => (last - first) / one <= (phone ? 4 : 8)) ?? 366 * DAY;
  const marks = Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => first + step * i); // the first is a midnight
  const label = series.map((one) => one.name).join(", ");
  return (
    <figure className="rp-figure">
      <figcaption>{series.map((one, i) => <span key={one.point} className={`rp-key rp-line-${i}`}><i aria-hidden />{one.name}</span>)}{unit ? <small>{unitText(unit)}</small> : null}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label} className="rp-chart">
        {scale.ticks.map((tick) => {
          const at = y(tick) ?? 0;
          return <g key={tick}><line x1={BOX.left} x2={WIDTH - BOX.right} y1={at} y2={at} className="rp-grid" /><text x={BOX.left - 6} y={at + 3.5} textAnchor="end">{formatNumber(tick, i18n.language)}</text></g>;
        })}
        {marks.map((at, i) => <text key={at} x={x(at)} y={HEIGHT - 5} textAnchor={i === 0 ? "start" : x(at) > WIDTH - 24 ? "end" : "middle"}>{words.part(new Date(at).toISOString(), step / 1000)}</text>)}
        {single ? <path d={bandPath(xs, (series[0]?.values.min ?? []).map(y), (series[0]?.values.max ?? []).map(y))} className="rp-band" /> : null}
        {series.map((one, i) => <path key={one.point} d={linePath(xs, one.values.mean.map(y))} className={`rp-line rp-line-${i}`} />)}
      </svg>
    </figure>
  );
}

/** What was used in each part of the period. What is not known as a whole is paler. */
export function Bars({ use, words }: { use: UseNumbers; words: ReportWords }): ReactNode {
  const { t, i18n } = useTranslation();
  const WIDTH = useMedia(PHONE) ? NARROW : WIDE;
  const parts = use.parts;
  const scale = scaleOf(parts.map((one) => one.amount), true);
  const height = 120;
  const y = (value: number): number => BOX.top + (1 - (value - scale.low) / (scale.high - scale.low)) * (height - BOX.top - BOX.bottom);
  const wide = (WIDTH - BOX.left - BOX.right) / Math.max(1, parts.length);
  const seconds = parts.length > 1 ? (Date.parse(parts[1]?.start ?? "") - Date.parse(parts[0]?.start ?? "")) / 1000 : 86_400;
  const every = Math.ceil(parts.length / (WIDTH === WIDE ? 12 : 6));
  return (
    <svg viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={t("reports.use.course")} className="rp-chart">
      {scale.ticks.map((tick) => <g key={tick}><line x1={BOX.left} x2={WIDTH - BOX.right} y1={y(tick)} y2={y(tick)} className="rp-grid" /><text x={BOX.left - 6} y={y(tick) + 3.5} textAnchor="end">{formatNumber(tick, i18n.language)}</text></g>)}
      {parts.map((one, i) => (
        <g key={one.start}>
          {one.amount === null ? null : <rect x={BOX.left + wide * i + wide * 0.14} width={wide * 0.72} y={y(Math.max(one.amount, 0))} height={Math.max(0, y(0) - y(Math.max(one.amount, 0)))} className={`rp-bar${one.complete ? "" : " is-part"}`}><title>{`${words.part(one.start, seconds)}: ${words.amount(one.amount, use.unit)}`}</title></rect>}
          {i % every === 0 ? <text x={BOX.left + wide * (i + 0.5)} y={height - 5} textAnchor="middle">{words.part(one.start, seconds)}</text> : null}
        </g>
      ))}
    </svg>
  );
}
