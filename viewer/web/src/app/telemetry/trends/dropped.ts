/** The points that something dragged or chosen stands for. */
import { useQueryClient } from "@tanstack/react-query";
import { App } from "antd";
import { useTranslation } from "react-i18next";
import { get } from "../../../api/client";
import type { ElementDetail, Page } from "../../../api/types";
import { useBuilding } from "../../context";
import type { Dragged } from "../../lib/dragged";
import { useErrorText } from "../../parts";
import type { FullPoint } from "../types";
import { MOST_SERIES } from "./view";

/** Of how many elements the points are looked for. */
export const MOST_ELEMENTS = 24;

/** Those that can be drawn, of a room also those of what stands in it; says so where there are none. Never fails. */
export function usePointsOf(): (what: Dragged) => Promise<FullPoint[]> {
  const { building } = useBuilding();
  const { message } = App.useApp();
  const { t } = useTranslation();
  const text = useErrorText();
  const client = useQueryClient();
  const point = (id: string): Promise<FullPoint> => client.fetchQuery({
    queryKey: ["points", "one", id], staleTime: 60_000, queryFn: ({ signal }) => get<FullPoint>(`/points/${encodeURIComponent(id)}`, {}, signal),
  });
  const ofElement = async (id: string): Promise<FullPoint[]> => {
    const element = await client.fetchQuery({
      queryKey: ["element", id, building.id], staleTime: 60_000,
      queryFn: ({ signal }) => get<ElementDetail>(`/elements/${encodeURIComponent(id)}`, { building: building.id }, signal),
    });
    const where = element.ifc_class === "IfcSpace" ? { space: element.id } : { element: element.id };
    return (await get<Page<FullPoint>>("/points", { building: building.id, ...where, limit: 100 })).items;
  };
  return async (what) => {
    try {
      const found = (await Promise.all([...what.points.slice(0, MOST_SERIES).map(async (id) => [await point(id)]), ...what.elements.slice(0, MOST_ELEMENTS).map(ofElement)])).flat();
      const drawn = [...new Map(found.filter((one) => one.kind !== "text").map((one) => [one.id, one])).values()];
      if (drawn.length === 0) void message.info(t("several.notMeasured"));
      else if (drawn.length > MOST_SERIES) void message.info(t("several.onlySome", { count: MOST_SERIES, all: drawn.length }));
      return drawn.slice(0, MOST_SERIES);
    } catch (error) {
      void message.error(text(error), 6);
      return [];
    }
  };
}
