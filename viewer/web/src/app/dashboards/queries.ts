/** What dashboards read. */
import { useQueries, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";
import { ApiError, get } from "../../api/client";
import { useSame } from "../lib/same";
import { everything } from "../queries";
import type { FullPoint } from "../telemetry/types";
import type { Dashboard, WholeDashboard } from "./types";

export const useDashboards = (building: string): UseQueryResult<Dashboard[]> =>
  useQuery({ queryKey: ["dashboards", building], queryFn: ({ signal }) => everything<Dashboard>(`/buildings/${building}/dashboards`, {}, signal) });

export const useDashboard = (id: string): UseQueryResult<WholeDashboard> =>
  useQuery({ queryKey: ["dashboard", id], queryFn: ({ signal }) => readDashboard(id, signal), retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status === 404) });

export const readDashboard = (id: string, signal?: AbortSignal): Promise<WholeDashboard> => get<WholeDashboard>(`/dashboards/${id}`, {}, signal);

export interface Read {
  /** Those that there are, also retired ones, in the order asked for. */
  points: readonly FullPoint[];
  /** Keys that mean nothing here any more, or nothing that one may see. */
  missing: readonly string[];
  loading: boolean;
  error: unknown;
}

/** Points by key: only those that a widget shows are asked for, however many the building has. */
export function usePointsByKey(keys: readonly string[]): Read {
  const found = useQueries({
    queries: keys.map((key) => ({
      queryKey: ["points", "one", key],
      queryFn: ({ signal }: { signal: AbortSignal }) => get<FullPoint>(`/points/${encodeURIComponent(key)}`, {}, signal),
      staleTime: 300_000,
      retry: (count: number, error: Error) => count < 3 && !isGone(error),
    })),
  });
  const data = useSame(found.map((one) => one.data));
  const points = useMemo(() => data.flatMap((one) => one ?? []), [data]);
  return {
    points,
    missing: keys.filter((_, i) => isGone(found[i]?.error)),
    loading: found.some((one) => one.isPending),
    error: found.find((one) => one.error && !isGone(one.error))?.error ?? null,
  };
}

const isGone = (error: unknown): boolean => error instanceof ApiError && (error.status === 404 || error.status === 403);
