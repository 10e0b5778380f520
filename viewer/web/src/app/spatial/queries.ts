/** Reads of the spatial graph, with their cache keys. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { get, type Query } from "../../api/client";
import type { Page } from "../../api/types";
import { useBuilding } from "../context";
import type { AffectedView, Reached, RouteAnswer, RoomDetail, SystemDetail, SystemRow } from "./types";
import type { FlowMode, RouteQuestion, Stop } from "./state";

const STALE = 60_000;

/** What the three questions answer, in one shape. */
export interface FlowAnswer {
  items: Reached[];
  affected: AffectedView | null;
}

export function useFlow(globalId: string, mode: FlowMode): UseQueryResult<FlowAnswer> {
  const { building } = useBuilding();
  return useQuery({
    queryKey: ["element", "flow", building.id, globalId, mode],
    staleTime: STALE,
    queryFn: async ({ signal }): Promise<FlowAnswer> => {
      const path = `/elements/${encodeURIComponent(globalId)}/${mode}`;
      const query = { building: building.id };
      if (mode !== "affected") return { items: (await get<Page<Reached>>(path, query, signal)).items, affected: null };
      const affected = await get<AffectedView>(path, query, signal);
      return { items: affected.equipment, affected };
    },
  });
}

export function useRoom(id: string): UseQueryResult<RoomDetail> {
  const { building } = useBuilding();
  return useQuery({
    queryKey: ["element", "space", id],
    queryFn: ({ signal }) => get<RoomDetail>(`/spaces/${encodeURIComponent(id)}`, { building: building.id }, signal),
  });
}

const nameOf = (stop: Stop): string => (stop === "outside" ? stop : stop.globalId);

export function routeQuery(question: RouteQuestion, building: string): Query | null {
  const { from, to, stepFree, lifts, closed } = question;
  if (!from || !to || from === "outside") return null;
  return {
    building, from: nameOf(from), to: nameOf(to), ...(stepFree ? { step_free: true } : {}), ...(lifts ? {} : { lifts: false }),
    ...(to === "outside" ? { variant: "evacuate" } : {}), ...(closed.length > 0 ? { closed: closed.map((one) => one.globalId) } : {}),
  };
}

export function useRoute(question: RouteQuestion): UseQueryResult<RouteAnswer> {
  const { building } = useBuilding();
  const query = routeQuery(question, building.id);
  return useQuery({
    queryKey: ["route", query],
    queryFn: ({ signal }) => get<RouteAnswer>("/route", query ?? {}, signal),
    enabled: query !== null,
    staleTime: STALE,
    retry: false,
  });
}

/** Systems with their breaks and loops. */
export function useSystems(): UseQueryResult<SystemRow[]> {
  const { building } = useBuilding();
  return useQuery({
    queryKey: ["systems", "of", building.id],
    staleTime: 5 * STALE,
    queryFn: async ({ signal }) => (await get<Page<SystemRow>>(`/buildings/${building.id}/systems`, {}, signal)).items,
  });
}

export function useSystem(id: string): UseQueryResult<SystemDetail> {
  return useQuery({
    queryKey: ["systems", "one", id],
    staleTime: 5 * STALE,
    queryFn: ({ signal }) => get<SystemDetail>(`/systems/${encodeURIComponent(id)}`, {}, signal),
  });
}
