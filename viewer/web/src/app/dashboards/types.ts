/** What a dashboard is made of, as the server keeps it. */
import type { components } from "../../api/schema.gen";

type Schemas = components["schemas"];

export type Dashboard = Schemas["Dashboard"];
export type PointWidget = Schemas["PointWidget"];
export type PointsWidget = Schemas["PointsWidget"];
export type ListWidget = Schemas["ListWidget"];
export type PlaceWidget = Schemas["PlaceWidget"];
export type TextWidget = Schemas["TextWidget"];
export type Widget = PointWidget | PointsWidget | ListWidget | PlaceWidget | TextWidget;
export type Kind = Widget["kind"];

export interface Layout {
  widgets: Widget[];
}

export type WholeDashboard = Omit<Schemas["WholeDashboard"], "layout"> & { layout: Layout };

/** In the order that they are offered. */
export const KINDS = ["value", "gauge", "light", "chart", "comparison", "table", "alarms", "orders", "scene", "plan", "clock", "text"] as const satisfies readonly Kind[];

export type Period = "hour" | "day" | "week" | "month" | "year";
export const PERIODS: readonly Period[] = ["hour", "day", "week", "month", "year"];

const DAY = 86_400_000;
/** ms; what a chart shows up to now. */
export const PERIOD_MS: Record<Period, number> = { hour: 3_600_000, day: DAY, week: 7 * DAY, month: 30 * DAY, year: 365 * DAY };

/** Keys of the points that a widget reads. */
export function pointsOf(widget: Widget): readonly string[] {
  if ("points" in widget) return widget.points;
  return "point" in widget ? [widget.point] : [];
}
