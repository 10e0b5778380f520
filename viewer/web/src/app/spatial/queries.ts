/** Reads of the spatial graph, with their cache keys. */
import { useQueries, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { get, post, type Query } from "../../api/client";
import type { Page, WorkOrderDetail } from "../../api/types";
import { useBuilding } from "../context";
import type { AffectedView, CrewMember, Reached, RoundAnswer, RouteAnswer, RoomDetail, SystemDetail, SystemRow } from "./types";
import type { RoundStop } from "./round";
import type { FlowMode, RoundQuestion, RouteQuestion, Stop } from "./state";

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

/** The orders of a round, under the keys that their own pages use; undefined while some are on their way. */
export function useRoundOrders(ids: readonly string[]): { orders: WorkOrderDetail[]; missing: number } | undefined {
  return useQueries({
    queries: ids.map((id) => ({
      queryKey: ["order", id], queryFn: ({ signal }: { signal: AbortSignal }) => get<WorkOrderDetail>(`/work-orders/${id}`, {}, signal), retry: false,
    })),
    combine: (all) => (all.some((one) => one.isPending) ? undefined : {
      orders: all.flatMap((one) => one.data ?? []), missing: all.filter((one) => one.isError).length,
    }),
  });
}

/** In which order to visit the stops, and the way from each to the next. */
export function useRound(question: RoundQuestion, stops: readonly RoundStop[] | undefined): UseQueryResult<RoundAnswer> {
  const { building } = useBuilding();
  const { from, back, stepFree, lifts, closed } = question;
  const body = from && from !== "outside" && stops && stops.length > 0 ? {
    start: from.globalId, stops: stops.map((one) => one.place), end: back ? "start" : null,
    options: { step_free: stepFree, lifts, closed: closed.map((one) => one.globalId) },
  } : null;
  return useQuery({
    queryKey: ["route", "round", building.id, body],
    queryFn: () => post<RoundAnswer>(`/buildings/${building.id}/round`, body),
    enabled: body !== null,
    staleTime: STALE,
    retry: false,
  });
}

/** Who is nearest by the walk. Asking is recorded: it is never asked before somebody wants to know. */
export function useNearestCrew(to: string, withinHours: number): UseQueryResult<CrewMember[]> {
  const { building } = useBuilding();
  return useQuery({
    queryKey: ["crew", building.id, to, withinHours],
    queryFn: async ({ signal }) => (await get<Page<CrewMember>>(`/buildings/${building.id}/nearest-crew`, { to, within_hours: withinHours }, signal)).items,
    staleTime: 15_000,
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
