/** What the owner's page reads beside the overview itself. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { get } from "../../api/client";
import type { components } from "../../api/schema.gen";
import type { Page } from "../../api/types";

type Schemas = components["schemas"];
export type Consumption = Schemas["Consumption"];
export type Use = Schemas["Use"];
export type Compared = Schemas["Compared"];
export type Picture = Schemas["Picture"];
export type Spot = Schemas["Spot"];
export type Quota = Schemas["Quota"];
export type Rating = Schemas["Rating"];
export type Medium = Use["medium"];

export const useConsumption = (building: string, enabled = true): UseQueryResult<Consumption> =>
  useQuery({
    queryKey: ["overview", "consumption", building],
    queryFn: ({ signal }) => get<Consumption>(`/buildings/${building}/consumption`, {}, signal),
    refetchInterval: 5 * 60_000,
    enabled,
  });

export const usePicture = (building: string, enabled = true): UseQueryResult<Picture> =>
  useQuery({
    queryKey: ["tree", "picture", building], // as stale as the model's tree
    queryFn: ({ signal }) => get<Picture>(`/buildings/${building}/picture`, {}, signal),
    staleTime: 10 * 60_000,
    enabled,
  });

export const useQuotas = (building: string, year: number): UseQueryResult<Quota[]> =>
  useQuery({
    queryKey: ["quotas", building, year],
    queryFn: async ({ signal }) => (await get<Page<Quota>>(`/buildings/${building}/quotas`, { year }, signal)).items,
  });

export const useRatings = (order: string, enabled: boolean): UseQueryResult<Rating[]> =>
  useQuery({
    queryKey: ["ratings", order],
    queryFn: async ({ signal }) => (await get<Page<Rating>>(`/work-orders/${order}/ratings`, {}, signal)).items,
    enabled,
  });
