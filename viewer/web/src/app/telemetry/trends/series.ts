/** Readings as a chart draws them: gaps, several on one time axis, values under a cursor. Pure; times are s. */

export type Cell = number | null | undefined;

/** One point's values over time, rising. `doubt`: 0 good … 1 all doubtful; 2 a bad reading, which has no value. */
export interface Samples {
  ts: number[];
  mean: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
  doubt: number[];
  /** s; readings further apart than this leave a gap. */
  apart: number;
}

export const NOTHING: Samples = { ts: [], mean: [], min: [], max: [], doubt: [], apart: 0 };

export interface RawReading {
  ts: string;
  value: number | string | boolean | null;
  quality: string;
}

export interface BucketItem {
  ts: string;
  mean?: number | null;
  min?: number | null;
  max?: number | null;
  good?: number | null;
}

const DOUBT: Record<string, number> = { good: 0, uncertain: 1, stale: 1, bad: 2 };

export function fromRaw(items: readonly RawReading[], interval: number): Samples {
  const made: Samples = { ts: [], mean: [], min: [], max: [], doubt: [], apart: interval * 2.5 };
  for (const one of items) {
    const doubt = DOUBT[one.quality] ?? 1;
    const value = doubt === 2 ? null : toNumber(one.value);
    made.ts.push(Date.parse(one.ts) / 1000);
    for (const list of [made.mean, made.min, made.max]) list.push(value);
    made.doubt.push(doubt);
  }
  return made;
}

export function fromBuckets(items: readonly BucketItem[], seconds: number, interval: number): Samples {
  const made: Samples = { ts: [], mean: [], min: [], max: [], doubt: [], apart: Math.max(seconds * 1.6, interval * 2.5) };
  for (const one of items) {
    made.ts.push(Date.parse(one.ts) / 1000);
    made.mean.push(one.mean ?? null);
    made.min.push(one.min ?? null);
    made.max.push(one.max ?? null);
    made.doubt.push(one.good === undefined || one.good === null ? 0 : Math.round((1 - one.good) * 1000) / 1000);
  }
  return made;
}

export function toNumber(value: unknown): number | null {
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export interface TailReading {
  /** s */
  ts: number;
  value: number | null;
  doubt: number;
}

/** With what the live socket brought since: only what is newer than everything that was read. */
export function withTail(samples: Samples, tail: readonly TailReading[]): Samples {
  const last = samples.ts.at(-1) ?? Number.NEGATIVE_INFINITY;
  const newer = tail.filter((one) => one.ts > last);
  if (newer.length === 0) return samples;
  const values = newer.map((one) => one.value);
  return {
    ts: [...samples.ts, ...newer.map((one) => one.ts)], mean: [...samples.mean, ...values], min: [...samples.min, ...values], max: [...samples.max, ...values],
    doubt: [...samples.doubt, ...newer.map((one) => one.doubt)], apart: samples.apart,
  };
}

export const shifted = (samples: Samples, by: number): Samples => ({ ...samples, ts: samples.ts.map((ts) => ts + by) });

export interface Joined {
  ts: number[];
  /** Per series: mean, min, max. null breaks the line, undefined does not. */
  columns: { mean: Cell[]; min: Cell[]; max: Cell[]; doubt: number[] }[];
}

/** All series over the union of their times. Where a series is silent for longer than `apart`, its line breaks. */
export function joined(series: readonly Samples[]): Joined {
  const times = new Set<number>();
  for (const one of series) {
    let before: number | undefined;
    for (const ts of one.ts) {
      if (before !== undefined && ts - before > one.apart) times.add(breakAfter(before, one.apart));
      times.add(ts);
      before = ts;
    }
  }
  const ts = [...times].sort((a, b) => a - b);
  const place = new Map(ts.map((at, i) => [at, i]));
  return { ts, columns: series.map((one) => column(one, place, ts.length)) };
}

const breakAfter = (ts: number, apart: number): number => ts + apart / 2;

function column(one: Samples, place: ReadonlyMap<number, number>, length: number): Joined["columns"][number] {
  const empty = (): Cell[] => Array.from<Cell>({ length });
  const [mean, min, max] = [empty(), empty(), empty()];
  const doubt = new Array<number>(length).fill(0);
  one.ts.forEach((ts, i) => {
    const at = place.get(ts) ?? 0;
    mean[at] = one.mean[i] ?? null;
    min[at] = one.min[i] ?? null;
    max[at] = one.max[i] ?? null;
    doubt[at] = one.doubt[i] ?? 0;
    const next = one.ts[i + 1];
    if (next !== undefined && next - ts > one.apart) {
      // At every time up to the next: a line leaves out only what lies between two neighbours that are null.
      const end = place.get(next) ?? at;
      for (let gap = at + 1; gap < end; gap++) mean[gap] = min[gap] = max[gap] = null;
    }
  });
  return { mean, min, max, doubt };
}

/** The index of the value that holds at a moment (`hold`) or lies nearest to it; -1 where there is none near enough. */
export function indexAt(samples: Samples, at: number, hold: boolean): number {
  let low = 0;
  let high = samples.ts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((samples.ts[middle] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  const before = low - 1;
  const near = (i: number): number => Math.abs((samples.ts[i] ?? Number.POSITIVE_INFINITY) - at);
  const best = !hold && low < samples.ts.length && (before < 0 || near(low) < near(before)) ? low : before;
  return best >= 0 && near(best) <= Math.max(samples.apart, 1) ? best : -1;
}

export interface Summary {
  count: number;
  min: number | null;
  max: number | null;
  mean: number | null;
  last: number | null;
}

/** Of what is drawn within [from, to]. */
export function summaryOf(samples: Samples, from: number, to: number): Summary {
  let [count, sum] = [0, 0];
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let last: number | null = null;
  samples.ts.forEach((ts, i) => {
    const mean = samples.mean[i];
    if (ts < from || ts > to || mean === null || mean === undefined) return;
    count++;
    sum += mean;
    min = Math.min(min, samples.min[i] ?? mean);
    max = Math.max(max, samples.max[i] ?? mean);
    last = mean;
  });
  return count === 0 ? { count: 0, min: null, max: null, mean: null, last: null } : { count, min, max, mean: sum / count, last };
}

/** Colours of lines, told apart with every common colour blindness, 3:1 and more on the surface. */
export const COLOURS: Record<"light" | "dark", readonly string[]> = {
  light: ["#0b6b8a", "#c2410c", "#15803d", "#7c3aed", "#a16207", "#be185d", "#1d4ed8", "#57534e"],
  dark: ["#57b9d9", "#ff9d5c", "#5cc98a", "#b794f6", "#e8bd4a", "#f687b3", "#7db6f2", "#c4bdb5"],
};

/** Beyond the colours, lines are told apart by their dashes. */
export function styleOf(i: number, mode: "light" | "dark"): { colour: string; dash: number[] } {
  const colours = COLOURS[mode];
  return { colour: colours[i % colours.length] ?? "#888888", dash: i < colours.length ? [] : [8, 3] };
}
