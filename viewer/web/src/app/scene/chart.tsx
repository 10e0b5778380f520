/** A line with its min–max band (uPlot), in the theme's colours. */
import { useEffect, useRef, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useModeValue } from "../context";
import { clock, formatNumber } from "../lib/format";
import { PALETTES } from "../theme";

export interface Series {
  /** Seconds since the epoch, rising. */
  times: number[];
  mean: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
}

export function Chart({ series, unit, height = 132, states = null, from, to }: {
  series: Series; unit: string; height?: number; states?: ReadonlyMap<number, string> | null; from: number; to: number;
}): ReactNode {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const mode = useModeValue();
  const { i18n } = useTranslation();
  const language = i18n.language;
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const p = PALETTES[mode];
    const paths = states ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
    const say = (value: number): string => states?.get(value) ?? formatNumber(value, language);
    const line = (width: number): uPlot.Series => ({
      stroke: p.accent, width, points: { show: false }, ...(paths ? { paths } : {}), spanGaps: false,
    });
    const options: uPlot.Options = {
      width: element.clientWidth,
      height,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
      scales: { x: { time: true, range: [from, to] }, ...(states ? { y: { range: rangeOf(states) } } : {}) },
      series: [{}, line(1.6), { ...line(0), stroke: "transparent" }, { ...line(0), stroke: "transparent" }],
      bands: [{ series: [3, 2], fill: `${p.accent}26` }],
      axes: [
        { stroke: p.text3, grid: { show: false }, ticks: { show: false }, size: 24, font: "11px 'Inter Variable', system-ui", space: 60,
          values: (_plot, ticks) => ticks.map((tick) => clock(tick * 1000, language)) },
        { stroke: p.text3, grid: { stroke: p.border, width: 1 }, ticks: { show: false }, size: 44, font: "11px 'Inter Variable', system-ui", space: 28,
          values: (_plot, ticks) => ticks.map(say), ...(states ? { splits: () => [...states.keys()] } : {}) },
      ],
      plugins: [readout(language, (value) => `${say(value)} ${unit}`)],
    };
    const made = new uPlot(options, [series.times, series.mean, series.min, series.max], element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
    // A new plot for new data costs 2 ms for 300 buckets; updates come once a minute.
  }, [series, mode, language, height, states, unit, from, to]);
  return <div ref={holder} className="chart" style={{ height }} />;
}

/** Every state on the axis, with a little room. */
function rangeOf(states: ReadonlyMap<number, string>): [number, number] {
  const codes = [...states.keys()];
  return [Math.min(0, ...codes) - 0.1, Math.max(1, ...codes) + 0.1];
}

/** Time and value under the cursor. */
function readout(language: string, say: (value: number) => string): uPlot.Plugin {
  const box = document.createElement("div");
  box.className = "chart-readout";
  return {
    hooks: {
      init: (plot) => plot.over.append(box),
      setCursor: (plot) => {
        const i = plot.cursor.idx;
        const value = i === null || i === undefined ? null : plot.data[1]?.[i];
        const time = i === null || i === undefined ? null : plot.data[0][i];
        box.textContent = value === null || value === undefined || time === null || time === undefined
          ? "" : `${clock(time * 1000, language)}  ${say(value)}`;
      },
    },
  };
}
