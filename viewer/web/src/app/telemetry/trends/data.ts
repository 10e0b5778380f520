/** The readings that charts need, at the resolution that their width can show, with what comes in live. */
import { keepPreviousData, useQueries, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { get } from "../../../api/client";
import type { Page } from "../../../api/types";
import { useBuilding } from "../../context";
import { useSame } from "../../lib/same";
import type { Store } from "../../lib/store";
import { useNow } from "../../parts";
import type { FullPoint } from "../types";
import { fetchSpan, resolutionOf, type Span } from "./ranges";
import { fromBuckets, fromRaw, toNumber, withTail, type BucketItem, type RawReading, type Samples, type TailReading } from "./series";

const RAW_MOST = 10_000;
const KEPT_TAIL = 2000;

interface Loaded {
  samples: Samples;
  bucket: string | null;
}

async function load(point: FullPoint, bucket: string | null, span: Span, seconds: number, signal: AbortSignal): Promise<Loaded> {
  const range = { from: new Date(span.from).toISOString(), to: new Date(span.to).toISOString() };
  if (bucket === null) {
    const page = await get<Page<RawReading>>(`/points/${point.id}/readings`, { ...range, limit: RAW_MOST }, signal);
    // More often than the point is declared to speak: as many as fit are asked for instead.
    if (page.next === null) return { samples: spaced(fromRaw(page.items, point.expected_interval), point), bucket };
  }
  const found = await get<{ items: BucketItem[]; bucket: string }>(`/points/${point.id}/readings`, { ...range, bucket: bucket ?? "auto", agg: point.kind === "enum" ? "last,min,max,good" : "mean,min,max,good" }, signal);
  const items = point.kind === "enum" ? found.items.map((one) => ({ ...one, mean: (one as { last?: number }).last ?? null })) : found.items;
  return { samples: spaced(fromBuckets(items, bucket === null ? 0 : seconds, point.expected_interval), point), bucket: found.bucket };
}

/** A line breaks where the point is silent for longer than it is said to be, and than it usually is. */
function spaced(samples: Samples, point: FullPoint): Samples {
  const steps = samples.ts.slice(1, 2000).map((ts, i) => ts - (samples.ts[i] ?? 0)).sort((a, b) => a - b);
  const usual = steps[Math.floor(steps.length / 2)] ?? 0;
  return { ...samples, apart: Math.max(samples.apart, usual * 2.5, point.stale_after ?? 0) };
}

export interface Series {
  point: FullPoint;
  samples: Samples | null;
  bucket: string | null;
  loading: boolean;
  error: unknown;
  retry: () => void;
}

/** One query a point; `shift` ms: that much earlier, its times moved to the present. */
export function useSeries(points: readonly FullPoint[], span: Span, width: number, live: boolean, shift = 0): Series[] {
  const now = useNow(15_000);
  const found = useQueries({
    queries: points.map((point) => {
      const { bucket, seconds } = resolutionOf(span, width, point.expected_interval);
      const wide = fetchSpan(span, seconds, Math.max(now, span.to));
      return {
        queryKey: ["readings", point.id, bucket, wide.from - shift, wide.to - shift],
        queryFn: ({ signal }: { signal: AbortSignal }) => load(point, bucket, { from: wide.from - shift, to: wide.to - shift }, seconds, signal),
        placeholderData: keepPreviousData,
        staleTime: 60_000,
        gcTime: 120_000,
        enabled: wide.to > wide.from,
        retry: 1,
        ...(live && shift === 0 ? { refetchInterval: Math.max(30_000, Math.min(600_000, seconds * 1000)) } : {}),
      };
    }),
  });
  const tails = useTails(points, live && shift === 0);
  const data = useSame(found.map((one) => one.data));
  // The samples themselves change only with what was read and what came in; a new chart is drawn for no other reason.
  const samples = useMemo(
    () => points.map((point, i) => {
      const own = data[i]?.samples;
      if (!own) return null;
      const whole = withTail(own, tails.get(point.handle) ?? []);
      return shift === 0 ? whole : { ...whole, ts: whole.ts.map((ts) => ts + shift / 1000) };
    }),
    [points, shift, tails, data],
  );
  return points.map((point, i) => ({
    point, samples: samples[i] ?? null, bucket: data[i]?.bucket ?? null, loading: found[i]?.isFetching ?? false, error: found[i]?.error ?? null,
    retry: () => void found[i]?.refetch(),
  }));
}

/** What the socket brings while the page is open, at most once a second. */
function useTails(points: readonly FullPoint[], live: boolean): ReadonlyMap<number, TailReading[]> {
  const { live: client } = useBuilding();
  const [shown, setShown] = useState<ReadonlyMap<number, TailReading[]>>(() => new Map());
  const handles = points.map((point) => point.handle).join(",");
  useEffect(() => {
    if (!live) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tails = new Map<number, TailReading[]>();
    const wanted = handles.split(",").filter(Boolean).map(Number);
    const stops = wanted.map((handle) => client.onValue(handle, () => {
      const value = client.values.get(handle);
      if (!value) return;
      const tail = tails.get(handle) ?? [];
      const ts = value.ts / 1000;
      if ((tail.at(-1)?.ts ?? 0) >= ts) return;
      tail.push({ ts, value: value.quality === 2 ? null : toNumber(value.value), doubt: value.quality === 3 ? 1 : value.quality });
      tails.set(handle, tail.slice(-KEPT_TAIL));
      timer ??= setTimeout(() => {
        timer = undefined;
        setShown(new Map(tails));
      }, 1000);
    }));
    return () => {
      clearTimeout(timer);
      for (const stop of stops) stop();
    };
  }, [client, handles, live]);
  return shown;
}

/** The value of a store, once it has stood still for a moment. */
export function useSettled<T>(store: Store<T>, ms: number): T {
  const [settled, setSettled] = useState(store.get);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = store.subscribe(() => {
      clearTimeout(timer);
      timer = setTimeout(() => setSettled(store.get()), ms);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [store, ms]);
  return settled;
}

interface Site {
  id: string;
  time_zone: string;
}

/** The time zone of the building's site: charts show its days. */
export function useZone(): string {
  const { building } = useBuilding();
  const sites = useQuery({ queryKey: ["sites"], queryFn: ({ signal }) => get<Page<Site>>("/sites", { limit: 1000 }, signal), staleTime: 3_600_000 });
  return sites.data?.items.find((one) => one.id === building.site_id)?.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Points by id, those that a view names: also retired ones. */
export function usePointsById(ids: readonly string[]): { points: Map<string, FullPoint>; missing: string[]; loading: boolean } {
  const found = useQueries({
    queries: ids.map((id) => ({
      queryKey: ["points", "one", id], queryFn: ({ signal }: { signal: AbortSignal }) => get<FullPoint>(`/points/${id}`, {}, signal), staleTime: 300_000, retry: 1,
    })),
  });
  const data = useSame(found.map((one) => one.data));
  const points = useMemo(() => new Map(data.flatMap((one) => (one ? [[one.id, one] as const] : []))), [data]);
  return { points, missing: ids.filter((_, i) => found[i]?.isError), loading: found.some((one) => one.isPending) };
}
