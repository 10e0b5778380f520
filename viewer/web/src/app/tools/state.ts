/** What the tools of the 3D view hold: what is being measured, where the building is cut open, how far it is pulled apart. */
import { angleAt, areaOf, crossesItself, distanceOf, spans, type Box, type Section, type Vec3 } from "../../engine";

export type MeasureKind = "distance" | "angle" | "area" | "clear";
export const MEASURES: readonly MeasureKind[] = ["distance", "clear", "angle", "area"];

export type Tool = { kind: "measure"; what: MeasureKind } | { kind: "plane" } | { kind: "walk"; started: boolean };

/** Points that were clicked; `clear` has the point and the one across. */
export interface Measure {
  id: string;
  what: MeasureKind;
  points: readonly Vec3[];
}

export interface Tools {
  tool: Tool | null;
  /** Points of the measure in progress. */
  points: readonly Vec3[];
  measures: readonly Measure[];
  section: Section | null;
  /** m between storeys that are pulled apart; 0: together. */
  apart: number;
  orthographic: boolean;
}

export const NO_TOOLS: Tools = { tool: null, points: [], measures: [], section: null, apart: 0, orthographic: false };

/** How many points finish a measure by themselves; an area is closed by its first point, Enter or a double click. */
const ENOUGH: Record<MeasureKind, number> = { distance: 2, clear: 2, angle: 3, area: Infinity };

let count = 0;

/** The state after a click on a point. */
export function clicked(tools: Tools, point: Vec3): Tools {
  if (tools.tool?.kind !== "measure") return tools;
  const { what } = tools.tool;
  const first = tools.points[0];
  if (what === "area" && first && tools.points.length > 2 && distanceOf([first, point]) < 0.02) return finished(tools);
  const points = [...tools.points, point];
  return points.length >= ENOUGH[what] ? finished({ ...tools, points }) : { ...tools, points };
}

/** The measure in progress becomes one of the list, where it is one. */
export function finished(tools: Tools): Tools {
  const { tool, points } = tools;
  if (tool?.kind !== "measure") return tools;
  // A double click ends an area with the same point twice.
  const clean = points.filter((p, i) => i === 0 || distanceOf([points[i - 1] as Vec3, p]) > 1e-6);
  const least = tool.what === "area" || tool.what === "angle" ? 3 : 2;
  if (clean.length < least) return { ...tools, points: [] };
  return { ...tools, points: [], measures: [...tools.measures, { id: `m${++count}`, what: tool.what, points: clean }] };
}

/** Escape: first what is in progress, then the tool. Null: there was nothing to end. */
export function escaped(tools: Tools): Tools | null {
  if (tools.points.length > 0) return { ...tools, points: [] };
  return tools.tool ? { ...tools, tool: null } : null;
}

/** Numbers of a measure, metres, square metres and degrees; `note` says why one is not to be trusted. */
export interface Reading {
  value: number;
  unit: "m" | "m²" | "°";
  level?: number;
  height?: number;
  perimeter?: number;
  note?: "notFlat" | "crosses";
}

export function readingOf({ what, points }: Pick<Measure, "what" | "points">): Reading | null {
  const [a, b, c] = points as [Vec3?, Vec3?, Vec3?];
  if (!a || !b) return null;
  if (what === "distance" || what === "clear") {
    const { straight, level, height } = spans(a, b);
    return { value: straight, unit: "m", level, height };
  }
  if (what === "angle") {
    const angle = c && angleAt(a, b, c);
    return angle === null || angle === undefined ? null : { value: (angle * 180) / Math.PI, unit: "°" };
  }
  const found = areaOf(points);
  if (!found) return null;
  const note = crossesItself(points, found.normal) ? "crosses" : found.offPlane > 0.01 ? "notFlat" : null;
  return { value: found.area, unit: "m²", perimeter: found.perimeter, ...(note ? { note } : {}) };
}

/** Where the label of a measure stands. */
export function labelPlace({ what, points }: Pick<Measure, "what" | "points">): Vec3 {
  if (what === "angle") return points[1] ?? (points[0] as Vec3);
  const mean = (i: 0 | 1 | 2): number => points.reduce((sum, p) => sum + p[i], 0) / points.length;
  return [mean(0), mean(1), mean(2)];
}

/** A readable number of decimals: millimetres for lengths. */
export function formatReading({ value, unit }: Pick<Reading, "value" | "unit">, language: string): string {
  const digits = unit === "m" ? 3 : unit === "m²" ? 2 : 1;
  return `${new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value)} ${unit}`.replace(" °", "°");
}

/** A box that is worth cutting with: at least half a metre in every direction. */
export function roomy({ min, max }: Box): Box {
  const grow = (i: 0 | 1 | 2): number => Math.max(0, 0.25 - (max[i] - min[i]) / 2);
  return { min: [min[0] - grow(0), min[1] - grow(1), min[2] - grow(2)], max: [max[0] + grow(0), max[1] + grow(1), max[2] + grow(2)] };
}
