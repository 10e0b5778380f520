/** This stretch of time against the one before. Pure. */
import type { FullPoint } from "../telemetry/types";

export interface Bucket {
  ts: string;
  mean: number | null;
  first: number | null;
  last: number | null;
  count: number | null;
}

/** What only counts up: energy and volume. Its sum is what it rose by, not the sum or mean of its readings. */
export const isCounter = (point: Pick<FullPoint, "brick_class" | "quantity" | "unit">): boolean =>
  /(Energy|Usage|Volume)/i.test(point.brick_class ?? "") || /^(Energy|Volume)$/i.test(point.quantity ?? "") || /(W-HR|W_HR)$/.test(point.unit ?? "");

/**
 * Of the buckets from `middle` (ms) on, and of those before it; null where nothing is known. A meter that fell back was
 * replaced or set to zero: what it rose by since counts.
 */
export function totals(buckets: readonly Bucket[], middle: number, counter: boolean): { now: number | null; before: number | null } {
  const side = (later: boolean): readonly Bucket[] => buckets.filter((one) => Date.parse(one.ts) >= middle === later && (one.count ?? 1) > 0);
  if (!counter) return { now: meanOf(side(true)), before: meanOf(side(false)) };
  const [before, after] = [side(false), side(true)];
  return { now: risen(after, before.at(-1)?.last ?? null), before: risen(before, null) };
}

function meanOf(buckets: readonly Bucket[]): number | null {
  let [sum, weight] = [0, 0];
  for (const { mean, count } of buckets) {
    if (mean === null) continue;
    sum += mean * (count ?? 1);
    weight += count ?? 1;
  }
  return weight > 0 ? sum / weight : null;
}

function risen(buckets: readonly Bucket[], from: number | null): number | null {
  let level = from ?? buckets[0]?.first ?? null;
  if (level === null || buckets.length === 0) return null;
  let sum = 0;
  for (const { first, last } of buckets) {
    for (const value of [first, last]) {
      if (value === null) continue;
      sum += value >= level ? value - level : 0;
      level = value;
    }
  }
  return sum;
}

/** A share: 0.07 is seven percent more. */
export const changeOf = (now: number | null, before: number | null): number | null => (now === null || before === null || before === 0 ? null : (now - before) / Math.abs(before));
