/** What happened to the points that are drawn: alarms, work orders, devices replaced, readings put right. */
import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { get } from "../../../api/client";
import type { Alarm, Page, WorkOrder } from "../../../api/types";
import { useBuilding } from "../../context";
import { useSame } from "../../lib/same";
import { useMay } from "../../session";
import type { Correction } from "../points/corrections";
import type { Hardware } from "../points/hardware";
import type { FullPoint } from "../types";

export interface Marked {
  alarms: Alarm[];
  orders: WorkOrder[];
  /** Id of the point, and what was done to it. */
  devices: (readonly [string, Hardware])[];
  corrections: (readonly [string, Correction])[];
}

const MOST = 1000; // newest of an element
const FRESH = 5 * 60_000; // ms; live events make alarms and orders stale earlier

/**
 * Asked per element, not for the building: a year of one pump's alarms is short, of a building's is not. Points
 * without an element have alarms of their own, which are among those of the building.
 */
export function useMarked(points: readonly FullPoint[], wanted: boolean): Marked {
  const { building } = useBuilding();
  const may = useMay();
  const elements = [...new Set(points.flatMap((point) => (point.element ? [point.element.id] : [])))].sort();
  const alarmsOf: (string | null)[] = [...elements, ...(points.some((point) => !point.element) ? [null] : [])];
  const alarms = useList<Alarm>("alarms", alarmsOf, wanted && may("alarm.read"), building.id, "/alarms");
  const orders = useList<WorkOrder>("orders", elements, wanted && may("work_order.read"), building.id, "/work-orders");
  const devices = useOfPoints<Hardware>(points, "hardware", wanted && may("point.read"));
  const corrections = useOfPoints<Correction>(points, "corrections", wanted && may("reading.read"));
  return useMemo(() => ({
    alarms: [...new Map(alarms.flatMap((page) => page?.items ?? []).map((one) => [one.id, one])).values()], orders: orders.flatMap((page) => page?.items ?? []), devices, corrections,
  }), [alarms, orders, devices, corrections]);
}

function useList<T>(key: string, elements: readonly (string | null)[], enabled: boolean, building: string, path: string): readonly (Page<T> | undefined)[] {
  const found = useQueries({
    queries: elements.map((element) => ({
      queryKey: [key, "marks", building, element], enabled, staleTime: FRESH, retry: 1,
      queryFn: ({ signal }: { signal: AbortSignal }) => get<Page<T>>(path, { building, element, limit: MOST }, signal),
    })),
  });
  return useSame(found.map((one) => (enabled ? one.data : undefined)));
}

function useOfPoints<T>(points: readonly FullPoint[], what: "hardware" | "corrections", enabled: boolean): (readonly [string, T])[] {
  const found = useQueries({
    queries: points.map((point) => ({
      queryKey: ["points", what, point.id], enabled, staleTime: FRESH, retry: 1,
      queryFn: ({ signal }: { signal: AbortSignal }) => get<Page<T>>(`/points/${point.id}/${what}`, {}, signal),
    })),
  });
  const data = useSame(found.map((one) => (enabled ? one.data : undefined)));
  return useMemo(() => points.flatMap((point, i) => (data[i]?.items ?? []).map((one) => [point.id, one] as const)), [points, data]);
}
