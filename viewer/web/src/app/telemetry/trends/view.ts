/** What the page of trends shows, and how an address says it: a link carries the whole view. Pure. */
import { parseRange, rangeText, type Range } from "./ranges";

export const COMPARES = ["none", "before", "week", "year"] as const;
export type Compare = (typeof COMPARES)[number];

export interface TrendsView {
  /** Ids of the points of each chart. */
  charts: string[][];
  range: Range;
  compare: Compare;
  /** Min and max of each bucket around its mean. */
  bands: boolean;
  /** Alarms and work orders. */
  marks: boolean;
  statistics: boolean;
  table: boolean;
}

export const MOST_CHARTS = 8;
export const MOST_SERIES = 12;

export const EMPTY: TrendsView = { charts: [], range: "24h", compare: "none", bands: true, marks: true, statistics: false, table: false };

const SWITCHES = ["bands", "marks", "statistics", "table"] as const;

export function viewText(view: TrendsView): string {
  const params = new URLSearchParams();
  for (const chart of view.charts) params.append("c", chart.join("."));
  params.set("r", rangeText(view.range));
  if (view.compare !== "none") params.set("with", view.compare);
  for (const name of SWITCHES) if (view[name] !== EMPTY[name]) params.set(name, view[name] ? "1" : "0");
  return params.toString();
}

export function parseView(params: URLSearchParams): TrendsView {
  const charts = params.getAll("c").slice(0, MOST_CHARTS).map((text) => [...new Set(text.split(".").filter((id) => /^[0-9a-f-]{36}$/.test(id)))].slice(0, MOST_SERIES));
  const compare = COMPARES.find((one) => one === params.get("with")) ?? "none";
  const view: TrendsView = { ...EMPTY, charts: charts.filter((chart) => chart.length > 0), range: parseRange(params.get("r")) ?? EMPTY.range, compare };
  for (const name of SWITCHES) {
    const value = params.get(name);
    if (value === "0" || value === "1") view[name] = value === "1";
  }
  return view;
}

/** A point put into a chart (`null`: a new one below); it is taken out of nothing, and put in once. */
export function withPoint(view: TrendsView, point: string, chart: number | null): TrendsView {
  if (chart === null || !view.charts[chart]) {
    return view.charts.length >= MOST_CHARTS ? view : { ...view, charts: [...view.charts, [point]] };
  }
  return {
    ...view, charts: view.charts.map((points, i) => (i !== chart || points.includes(point) || points.length >= MOST_SERIES ? points : [...points, point])),
  };
}

/** Points let go in a chart, or (`null`) below: those of one unit in a new chart together, what is drawn already left out. */
export function withPoints(view: TrendsView, points: readonly { id: string; unit: string | null }[], chart: number | null): TrendsView {
  if (chart !== null) return points.reduce((now, point) => withPoint(now, point.id, chart), view);
  const drawn = new Set(view.charts.flat());
  const units = new Map<string | null, number>();
  return points.filter((point) => !drawn.has(point.id)).reduce((now, point) => {
    const at = units.get(point.unit) ?? null;
    if (at === null) units.set(point.unit, now.charts.length);
    return withPoint(now, point.id, at);
  }, view);
}

export function withoutPoint(view: TrendsView, point: string, chart: number): TrendsView {
  return { ...view, charts: view.charts.map((points, i) => (i === chart ? points.filter((one) => one !== point) : points)).filter((points) => points.length > 0) };
}

export const withoutChart = (view: TrendsView, chart: number): TrendsView => ({ ...view, charts: view.charts.filter((_, i) => i !== chart) });

/** Two charts change places. */
export function withChartMoved(view: TrendsView, chart: number, by: -1 | 1): TrendsView {
  const charts = [...view.charts];
  const [here, there] = [charts[chart], charts[chart + by]];
  if (!here || !there) return view;
  charts[chart] = there;
  charts[chart + by] = here;
  return { ...view, charts };
}

/** The chart that a point which is just clicked goes to: the last one with its unit, else a new one. */
export function chartFor(view: TrendsView, unit: string | null, unitOf: (point: string) => string | null | undefined): number | null {
  for (let i = view.charts.length - 1; i >= 0; i--) {
    const points = view.charts[i] ?? [];
    if (points.length < MOST_SERIES && points.some((one) => unitOf(one) === unit)) return i;
  }
  return null;
}
