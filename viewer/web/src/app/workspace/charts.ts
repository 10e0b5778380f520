/** The charts below the model: what is drawn there, kept per person and building. */
import { useCallback, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { App } from "antd";
import { useBuilding } from "../context";
import type { Dragged } from "../lib/dragged";
import { usePhone } from "../lib/prefs";
import { useMe } from "../session";
import { usePointsOf } from "../telemetry/trends/dropped";
import { savedViews } from "../telemetry/trends/saved";
import { EMPTY, MOST_CHARTS, MOST_SERIES, parseView, viewText, withPoints, type TrendsView } from "../telemetry/trends/view";
import { movedTo, placeOf } from "./docks";
import { usePatch } from "../scene/state";
import { changeLayout, useLayout, type Layout } from "./layout";

const NONE: string[][] = [];
const MOST_BUILDINGS = 50; // as the server keeps

export const chartsOf = (layout: Layout, building: string): string[][] => layout.charts?.[building] ?? NONE;

/** The charts of every building after those of one have changed; a building without any takes no room. */
export function withCharts(all: Readonly<Record<string, string[][]>>, building: string, charts: string[][]): Record<string, string[][]> {
  const others = Object.entries(all).filter(([id, kept]) => id !== building && kept.length > 0);
  return Object.fromEntries([...others.slice(1 - MOST_BUILDINGS), ...(charts.length > 0 ? [[building, charts] as const] : [])]);
}

/**
 * Draws points in the charts below the model: in one of them, or (`null`) in a new one for each unit, and opens the panel.
 * A phone has no room below the model: there they go to the page of trends.
 */
export function useDraw(): (what: Partial<Dragged>, chart?: number | null) => void {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const { building } = useBuilding();
  const layout = useLayout();
  const phone = usePhone();
  const me = useMe();
  const patch = usePatch();
  const go = useNavigate();
  const pointsOf = usePointsOf();
  const latest = useRef(layout);
  useEffect(() => {
    latest.current = layout;
  });
  return (what, chart = null) => void pointsOf({ points: what.points ?? [], elements: what.elements ?? [] }).then((found) => {
    if (found.length === 0) return;
    if (phone) {
      patch({ leftOpen: false });
      const last = savedViews(me.name, building.id).get().last;
      void go(`/b/${building.id}/trends?${viewText(withPoints(last === null ? EMPTY : parseView(new URLSearchParams(last)), found, null))}`);
      return;
    }
    const before: TrendsView = { ...EMPTY, charts: chartsOf(latest.current, building.id) };
    const after = withPoints(before, found, chart);
    const shown = new Set(after.charts.flat());
    if (found.some((one) => !shown.has(one.id))) void message.info(t("several.chartsFull", { charts: MOST_CHARTS, lines: MOST_SERIES }));
    const side = placeOf(latest.current, "trend");
    changeLayout({ ...movedTo("trend", side === "closed" ? "bottom" : side), charts: withCharts(latest.current.charts ?? {}, building.id, after.charts) });
  });
}

/** The view that the charts below the model show, and how it changes. */
export function useKeptCharts(): { charts: string[][]; keep: (charts: string[][]) => void } {
  const { building } = useBuilding();
  const layout = useLayout();
  const latest = useRef(layout);
  useEffect(() => {
    latest.current = layout;
  });
  const keep = useCallback((charts: string[][]) => changeLayout({ charts: withCharts(latest.current.charts ?? {}, building.id, charts) }), [building.id]);
  return { charts: chartsOf(layout, building.id), keep };
}
