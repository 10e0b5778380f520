/** Calls per hour, errors on top in red, with the 95th percentile of latency as a line (uPlot). */
import { useEffect, useRef, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useModeValue } from "../context";
import { clock, formatNumber, shortTime } from "../lib/format";
import { latencyText, type HourSeries } from "../lib/hours";
import { PALETTES } from "../theme";

const HEIGHT = 190;
const FONT = "11px 'Inter Variable', system-ui";

export function UsageChart({ series, label }: { series: HourSeries; label: string }): ReactNode {
  const holder = useRef<HTMLDivElement>(null);
  const mode = useModeValue();
  const { t, i18n } = useTranslation();
  const language = i18n.language;
  const words = t("access.keys.calls");
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const p = PALETTES[mode];
    const bars = uPlot.paths.bars?.({ size: [0.72, 26], align: 1, radius: 0.15 });
    const column = (colour: string): uPlot.Series => ({ stroke: colour, fill: colour, width: 0, points: { show: false }, ...(bars ? { paths: bars } : {}) });
    const days = (series.times.at(-1) ?? 0) - (series.times[0] ?? 0) > 100_000;
    const axis: uPlot.Axis = { stroke: p.text3, ticks: { show: false }, font: FONT };
    const options: uPlot.Options = {
      width: element.clientWidth, height: HEIGHT, padding: [10, 4, 0, 0], legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: { x: { time: true, range: [series.times[0] ?? 0, (series.times.at(-1) ?? 0) + 3600] }, y: { range: (_u, _min, max) => [0, Math.max(4, max * 1.1)] }, ms: { range: (_u, _min, max) => [0, Math.max(0.01, (max || 0.01) * 1.25)] } },
      // Totals are drawn first and the successful ones over them: what stays visible above is the errors.
      series: [{}, column(p.critical), column(p.accent), { scale: "ms", stroke: p.high, width: 1.5, points: { size: 4, fill: p.high, width: 0 }, spanGaps: false }],
      axes: [
        { ...axis, grid: { show: false }, size: 24, space: days ? 70 : 50, values: (_u, ticks) => ticks.map((tick) => (days ? shortTime(tick * 1000, language).replace(/[, ]*00:00$/, "") : clock(tick * 1000, language))) },
        { ...axis, grid: { stroke: p.border, width: 1 }, size: 40, space: 34, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000], values: (_u, ticks) => ticks.map((tick) => formatNumber(tick, language)) },
        { ...axis, scale: "ms", side: 1, grid: { show: false }, size: 52, space: 40, values: (_u, ticks) => ticks.map((tick) => latencyText(tick, language)) },
      ],
      plugins: [readout(language, words)],
    };
    const totals = series.ok.map((n, i) => n + (series.errors[i] ?? 0));
    const plot = new uPlot(options, [series.times, totals, series.ok, series.latency], element);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [series, mode, language, words]);
  return <div ref={holder} className="chart" style={{ height: HEIGHT }} role="img" aria-label={label} />;
}

function readout(language: string, words: string): uPlot.Plugin {
  const box = document.createElement("div");
  box.className = "chart-readout";
  return {
    hooks: {
      init: (plot) => plot.over.append(box),
      setCursor: (plot) => {
        const i = plot.cursor.idx;
        const at = i === null || i === undefined ? undefined : plot.data[0][i];
        if (i === null || i === undefined || at === undefined) return void (box.textContent = "");
        const calls = plot.data[1]?.[i] ?? 0;
        const errors = calls - (plot.data[2]?.[i] ?? 0);
        const latency = plot.data[3]?.[i] ?? null;
        box.textContent = [shortTime(at * 1000, language), `${words} ${formatNumber(calls, language)}`, errors > 0 ? `✕ ${formatNumber(errors, language)}` : "", latency === null ? "" : `p95 ${latencyText(latency, language)}`].filter(Boolean).join("  ");
      },
    },
  };
}
