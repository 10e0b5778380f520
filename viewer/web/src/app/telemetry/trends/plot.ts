/** The drawing of one chart with uPlot: lines, bands, axes per unit, doubtful readings. No React. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { FONT, PALETTES, type Mode } from "../../theme";
import type { Joined, Samples } from "./series";
import type { Span } from "./ranges";

/** One point in a chart. */
export interface Line {
  id: string;
  name: string;
  /** As it is written on instruments. */
  unit: string;
  kind: "number" | "bool" | "enum" | "text";
  labels: Record<string, string> | null;
  /** Between readings the value before holds. */
  stepped: boolean;
  colour: string;
  dash: number[];
  samples: Samples;
  /** The period that is compared, moved to the times of the one shown. */
  compared: Samples | null;
}

export const AXIS = 54; // px, least width of an axis of values
const AXIS_MOST = 124;
const EDGE = 10; // px beside a plot that has no axis there
export const X_AXIS = 26;
const COLUMNS = 4; // of each line: mean, min, max, compared

export interface PlotLook {
  width: number;
  height: number;
  mode: Mode;
  language: string;
  zone: string;
  bands: boolean;
  /** What the axes need, the same in all charts so that their times stand below each other. */
  sides: Sides;
  on: string;
  off: string;
}

/** px that axes take beside a plot. */
export interface Sides {
  left: number;
  right: number;
}

export type Measured = Pick<Line, "unit" | "kind" | "labels">;

/** Different units of the lines, in their order: each has an axis, left and right in turn. */
export function unitsOf(lines: readonly Measured[]): string[] {
  return [...new Set(lines.map(scaleOf))];
}

export function sidesOf(lines: readonly Measured[]): Sides {
  const widths = unitsOf(lines).map((unit) => axisWidth(lines.filter((line) => scaleOf(line) === unit)));
  const sum = (odd: number): number => widths.filter((_, i) => i % 2 === odd).reduce((all, one) => all + one, 0);
  return { left: sum(0), right: sum(1) };
}

/** The sides of several charts that stand below each other. */
export function commonSides(all: readonly Sides[]): Sides {
  return { left: Math.max(AXIS, ...all.map((one) => one.left)), right: Math.max(0, ...all.map((one) => one.right)) };
}

export const rightOf = (sides: Sides): number => (sides.right > 0 ? sides.right : EDGE);

/** px of a text of 11 px letters, about: Chinese ones are as wide as high. */
const textWidth = (text: string): number => [...text].reduce((sum, one) => sum + ((one.codePointAt(0) ?? 0) > 0x2e7f ? 11 : 6.3), 0);

/** Names of states need more room than numbers; what is longer than the most is cut. */
function axisWidth(lines: readonly Measured[]): number {
  if (lines[0]?.kind !== "enum") return AXIS;
  const widest = Math.max(0, ...Object.values(lines[0].labels ?? {}).map(textWidth));
  return Math.min(AXIS_MOST, Math.max(AXIS, Math.ceil(widest) + 14));
}

function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = text;
  while (kept && textWidth(`${kept}…`) > width) kept = kept.slice(0, -1);
  return `${kept.trimEnd()}…`;
}

const scaleOf = (line: Measured): string => (line.kind === "number" ? `u:${line.unit}` : `k:${line.kind}`);

export function dataOf(all: Joined, lines: readonly Line[]): uPlot.AlignedData {
  const columns: uPlot.AlignedData[number][] = [all.ts];
  let next = lines.length; // compared series come after the lines
  lines.forEach((line, i) => {
    const own = all.columns[i];
    const other = line.compared ? all.columns[next++] : undefined;
    const none = own?.mean ?? [];
    columns.push(own?.mean ?? [], own?.min ?? none, own?.max ?? none, other?.mean ?? []);
  });
  return columns as uPlot.AlignedData;
}

export function optionsOf(lines: readonly Line[], look: PlotLook, span: Span, doubts: () => Joined | null, plugin: uPlot.Plugin): uPlot.Options {
  const units = unitsOf(lines);
  const scales: uPlot.Scales = { x: { time: true, auto: false, min: span.from / 1000, max: span.to / 1000 } };
  for (const unit of units) scales[unit] = scaleFor(lines.filter((line) => scaleOf(line) === unit));
  const own = sidesOf(lines);
  return {
    width: look.width, height: look.height,
    padding: [8, rightOf(look.sides) - own.right, 0, look.sides.left - own.left],
    legend: { show: false },
    focus: { alpha: 1 },
    tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), look.zone),
    cursor: { y: false, points: { size: 7, width: 2 }, drag: { x: true, y: false, setScale: false }, bind: { dblclick: () => () => null } },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales,
    series: [{}, ...lines.flatMap((line) => seriesOf(line, look))],
    // Between off and on, or two states, lies nothing: only numbers have a band.
    bands: look.bands ? lines.flatMap((line, i) => (line.kind === "number" ? [{ series: [1 + i * COLUMNS + 2, 1 + i * COLUMNS + 1] as uPlot.Band.Bounds, fill: `${line.colour}2e` }] : [])) : [],
    axes: [timeAxis(look), ...units.map((unit, i) => valueAxis(unit, i, lines, look))],
    plugins: [plugin, { hooks: { draw: (plot) => drawDoubts(plot, lines, doubts(), look) } }],
  };
}

function seriesOf(line: Line, look: PlotLook): uPlot.Series[] {
  const paths = line.stepped || line.kind !== "number" ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
  const scale = scaleOf(line);
  const shape = (width: number): uPlot.Series => ({ scale, width, points: { show: false }, spanGaps: false, ...(paths ? { paths } : {}) });
  const lonely = { ...shape(1.6), stroke: line.colour, dash: line.dash, points: { show: isLonely, size: 4, fill: line.colour, stroke: line.colour } };
  const edge: uPlot.Series = { ...shape(0), stroke: "transparent", show: look.bands };
  return [lonely, edge, edge, { ...shape(1.4), stroke: `${line.colour}99`, dash: [3, 4], show: line.compared !== null }];
}

/** Readings that no line leads to or from would not be seen: few values are drawn as dots, too. */
function isLonely(plot: uPlot, seriesIdx: number, from: number, to: number): boolean {
  let n = 0;
  const values = plot.data[seriesIdx] ?? [];
  for (let i = from; i <= to; i++) if (values[i] !== null && values[i] !== undefined) n++;
  return n > 0 && n <= Math.max(2, plot.width / 24);
}

function scaleFor(lines: readonly Line[]): uPlot.Scale {
  const [first] = lines;
  if (first?.kind === "bool") return { range: [-0.08, 1.12] };
  if (first?.kind === "enum") {
    const codes = lines.flatMap((line) => Object.keys(line.labels ?? {}).map(Number));
    if (codes.length > 0) return { range: [Math.min(...codes) - 0.3, Math.max(...codes) + 0.3] };
  }
  return { range: (_plot, min, max) => numberRange(min, max) };
}

/** With some air, never of no height, and from 0 where the values come near it. */
export function numberRange(min: number | null, max: number | null): [number, number] {
  if (min === null || max === null || !Number.isFinite(min) || !Number.isFinite(max)) return [0, 1];
  const height = max - min || Math.max(Math.abs(max) * 0.1, 1);
  const [low, high] = [min - height * 0.08, max + height * 0.08];
  if (min >= 0 && low < height * 0.15) return [0, high];
  return [low, high];
}

const AXIS_FONT = `11px ${FONT}`;

function timeAxis(look: PlotLook): uPlot.Axis {
  const p = PALETTES[look.mode];
  return {
    stroke: p.text3, font: AXIS_FONT, size: X_AXIS, gap: 4, space: look.width < 500 ? 62 : 76, ticks: { show: false }, grid: { stroke: `${p.border}b0`, width: 1 },
    values: (_plot, splits, _axis, _space, increment) => timeLabels(splits, increment, look.language, look.zone),
  };
}

/** "14:00" within a day, "3 Nov" where a day begins, months and years on long stretches. */
export function timeLabels(splits: readonly number[], increment: number, language: string, zone: string): string[] {
  const format = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat => new Intl.DateTimeFormat(language, { timeZone: zone, ...options });
  const clock = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(increment < 60 ? { second: "2-digit" } : {}) });
  const day = format({ month: "short", day: "numeric" });
  const month = format({ month: "short" });
  const year = format({ year: "numeric" });
  return splits.map((ts) => {
    const date = new Date(ts * 1000);
    if (increment >= 300 * 86_400) return year.format(date);
    if (increment >= 25 * 86_400) return format({ month: "numeric" }).format(date).replace(/\D/g, "") === "1" ? year.format(date) : month.format(date);
    if (increment >= 86_400) return day.format(date);
    const text = clock.format(date);
    return /^00:00(:00)?$/.test(text) ? day.format(date) : text;
  });
}

function valueAxis(unit: string, i: number, lines: readonly Line[], look: PlotLook): uPlot.Axis {
  const p = PALETTES[look.mode];
  const own = lines.filter((line) => scaleOf(line) === unit);
  const [first] = own;
  const size = axisWidth(own);
  return {
    scale: unit, side: i % 2 === 0 ? 3 : 1, size, gap: 6, font: AXIS_FONT, space: 30, ticks: { show: false },
    stroke: own.length === 1 && lines.length > 1 ? (first?.colour ?? p.text3) : p.text3,
    grid: i === 0 ? { stroke: p.border, width: 1 } : { show: false },
    ...(first?.kind === "bool" ? { splits: () => [0, 1], values: () => [look.off, look.on] } : {}),
    ...(first?.kind === "enum" ? { splits: () => Object.keys(first.labels ?? {}).map(Number).sort((a, b) => a - b), values: (_plot: uPlot, ticks: number[]) => ticks.map((tick) => cut(first.labels?.[String(tick)] ?? String(tick), size - 12)) } : {}),
    ...(first?.kind === "number" ? { values: (_plot: uPlot, ticks: number[]) => axisNumbers(ticks, look.language) } : {}),
  };
}

export function axisNumbers(ticks: readonly number[], language: string): string[] {
  const step = ticks.length > 1 ? Math.abs((ticks[1] ?? 0) - (ticks[0] ?? 0)) : 1;
  const big = Math.max(...ticks.map(Math.abs)) >= 100_000;
  const digits = step > 0 ? Math.min(6, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9))) : 0;
  const format = new Intl.NumberFormat(language, big ? { notation: "compact", maximumFractionDigits: 2 } : { maximumFractionDigits: digits, minimumFractionDigits: digits });
  return ticks.map((tick) => format.format(tick));
}

/** What was uncertain or bad is marked on the line, or along the lower edge where values stand close or are missing. */
function drawDoubts(plot: uPlot, lines: readonly Line[], all: Joined | null, look: PlotLook): void {
  if (!all) return;
  const p = PALETTES[look.mode];
  const { ctx, bbox } = plot;
  const ratio = bbox.width / Math.max(1, plot.over.clientWidth);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  lines.forEach((line, n) => {
    const column = all.columns[n];
    column?.doubt.forEach((doubt, i) => {
      if (doubt === 0) return;
      const x = plot.valToPos(all.ts[i] ?? 0, "x", true);
      if (x < bbox.left - 4 || x > bbox.left + bbox.width + 4) return;
      const value = column.mean[i];
      ctx.fillStyle = ctx.strokeStyle = doubt >= 2 ? p.critical : p.medium;
      if (doubt < 2 && typeof value === "number") {
        ctx.lineWidth = 1.5 * ratio;
        ctx.beginPath();
        ctx.arc(x, plot.valToPos(value, scaleOf(line), true), 3.2 * ratio, 0, Math.PI * 2);
        ctx.stroke();
      }
      ctx.fillRect(x - ratio, bbox.top + bbox.height - (4 + n * 5) * ratio, 2 * ratio, 4 * ratio);
    });
  });
  ctx.restore();
}
