/** A route as steps one reads and a line one walks along. Pure. */
import { lineLength, type Vec3 } from "../../engine";
import type { RouteAnswer, RouteStep } from "./types";

export interface Leg {
  step: RouteStep;
  /** m from the start of the route. */
  from: number;
  to: number;
  /** +1 up, -1 down, 0 level. */
  rise: -1 | 0 | 1;
}

const LEVEL = 0.5; // m; less is a threshold, not a storey

export function stepPoints(step: RouteStep, polyline: readonly Vec3[]): readonly Vec3[] {
  if (step.points) return step.points;
  if (step.from_index === undefined || step.to_index === undefined) return [];
  return polyline.slice(step.from_index, step.to_index + 1);
}

/** The steps with where on the line they lie. Together they cover it, whatever their own lengths add up to. */
export function legs(route: RouteAnswer): Leg[] {
  const drawn = route.steps.map((step) => {
    const points = stepPoints(step, route.polyline);
    const [first, last] = [points[0], points.at(-1)];
    const up = first && last ? last[2] - first[2] : 0;
    return { step, long: lineLength(points), rise: (Math.abs(up) < LEVEL ? 0 : Math.sign(up)) as -1 | 0 | 1 };
  });
  const total = drawn.reduce((sum, one) => sum + one.long, 0);
  const scale = total > 0 ? lineLength(route.polyline) / total : 1;
  let at = 0;
  return drawn.map(({ step, long, rise }) => {
    const from = at;
    at += long * scale;
    return { step, from, to: at, rise };
  });
}

/** The leg one is on; the last one at the end. -1 without any. */
export function legAt(all: readonly Leg[], metres: number): number {
  const found = all.findIndex((one) => metres < one.to);
  return found >= 0 ? found : all.length - 1;
}

/** The storey one walks on: the leg's own, else the last one that was known. */
export function storeyAt(all: readonly Leg[], metres: number): string | null {
  for (let i = legAt(all, metres); i >= 0; i--) {
    const storey = all[i]?.step.storey;
    if (storey) return storey;
  }
  return all.find((one) => one.step.storey)?.step.storey ?? null;
}

/** Steps worth a line: crossing a threshold of some centimetres is none. */
export function told(all: readonly Leg[]): Leg[] {
  return all.filter(({ step, to, from }) => step.kind !== "walk" || to - from > 0.6 || all.length === 1);
}

const ICONS: Record<string, string> = { stairs_up: "stair", stairs_down: "stair", stairs: "stair", corridor: "walk" };
export const plainKind = (kind: string): string => ICONS[kind] ?? kind;
