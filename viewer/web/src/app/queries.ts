/** Every read of the app, with its cache key; events of the live socket make them fresh again. */
import {
  useInfiniteQuery, useMutation, useQuery, useQueryClient, type QueryClient, type UseInfiniteQueryResult,
  type UseMutationResult, type UseQueryResult, type InfiniteData,
} from "@tanstack/react-query";
import { App } from "antd";
import { ApiError, get, type Query } from "../api/client";
import type {
  Alarm, AlarmDetail, Building, ElementDetail, ElementRow, Job, Model, ModelVersion, Notification, Overview, Page, Plan,
  Point, Tree, WorkOrder, WorkOrderDetail,
} from "../api/types";
import type { EventTopic } from "./live";
import { readAgain } from "./lib/read-again";
import { useErrorText } from "./parts";

/** Which cached reads an event makes stale, by the first part of their key. */
const STALE: Record<EventTopic, readonly string[]> = {
  alarm: ["alarms", "alarm", "overview"],
  work_order: ["orders", "order", "overview", "alarm", "alarms", "element", "notifications", "plans"],
  model: ["models", "tree", "elements", "element", "systems", "tileset"],
  model_preview: ["tileset"],
  point: ["points"],
  command: ["command"],
  notification: ["notifications"],
  topic: ["issues", "issue"],
};

export function refreshFor(client: QueryClient, topic: EventTopic): void {
  void readAgain(client, STALE[topic] ?? []);
}

/** All pages of a list that is known to be short (thousands, not millions). */
export async function everything<T>(path: string, query: Query, signal?: AbortSignal, most = 20_000): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await get<Page<T>>(path, { ...query, limit: 1000, cursor }, signal);
    items.push(...page.items);
    cursor = page.next;
  } while (cursor && items.length < most);
  return items;
}

export const useBuildings = (enabled = true): UseQueryResult<Building[]> =>
  useQuery({ queryKey: ["buildings"], queryFn: ({ signal }) => everything<Building>("/buildings", {}, signal), enabled });

export const useTree = (building: string): UseQueryResult<Tree> =>
  useQuery({ queryKey: ["tree", building], queryFn: ({ signal }) => get<Tree>(`/buildings/${building}/tree`, {}, signal) });

export const useOverview = (building: string): UseQueryResult<Overview> =>
  useQuery({
    queryKey: ["overview", building],
    queryFn: ({ signal }) => get<Overview>(`/buildings/${building}/overview`, {}, signal),
    refetchInterval: 30_000,
  });

export const useElements = (query: Query, enabled = true): UseQueryResult<ElementRow[]> =>
  useQuery({
    queryKey: ["elements", query],
    queryFn: ({ signal }) => everything<ElementRow>("/elements", query, signal),
    enabled,
    staleTime: 5 * 60_000,
  });

/** By server id, or by GlobalId within a building. */
export const useElement = (id: string | null, building?: string): UseQueryResult<ElementDetail> =>
  useQuery({
    queryKey: ["element", id, building ?? null],
    queryFn: ({ signal }) => get<ElementDetail>(`/elements/${encodeURIComponent(id ?? "")}`, { building }, signal),
    enabled: id !== null,
  });

/** Of a building: all of them, for colours and labels leave nothing out without saying so. */
const MOST_POINTS = 200_000;

export const usePoints = (building: string): UseQueryResult<Point[]> =>
  useQuery({
    queryKey: ["points", building],
    queryFn: ({ signal }) => everything<Point>("/points", { building }, signal, MOST_POINTS),
    staleTime: 5 * 60_000,
  });

export const useAlarms = (query: Query, enabled = true): UseInfiniteQueryResult<InfiniteData<Page<Alarm>>> =>
  usePaged<Alarm>(["alarms", query], "/alarms", query, enabled);

export const useAlarm = (id: string | null): UseQueryResult<AlarmDetail> =>
  useQuery({ queryKey: ["alarm", id], queryFn: ({ signal }) => get<AlarmDetail>(`/alarms/${id}`, {}, signal), enabled: id !== null });

export const useOrders = (query: Query, enabled = true): UseInfiniteQueryResult<InfiniteData<Page<WorkOrder>>> =>
  usePaged<WorkOrder>(["orders", query], "/work-orders", query, enabled);

export const useOrder = (id: string | null): UseQueryResult<WorkOrderDetail> =>
  useQuery({
    queryKey: ["order", id],
    queryFn: ({ signal }) => get<WorkOrderDetail>(`/work-orders/${id}`, {}, signal),
    enabled: id !== null,
  });

export const usePlans = (building: string): UseQueryResult<Plan[]> =>
  useQuery({ queryKey: ["plans", building], queryFn: ({ signal }) => everything<Plan>("/plans", { building }, signal) });

export const useModels = (building: string): UseQueryResult<Model[]> =>
  useQuery({ queryKey: ["models", building], queryFn: ({ signal }) => everything<Model>("/models", { building }, signal) });

/** The building's newest imports; followed while one is on its way. */
export const useImports = (building: string, enabled: boolean): UseQueryResult<Job[]> =>
  useQuery({
    queryKey: ["models", "imports", building],
    queryFn: async ({ signal }) => (await get<Page<Job>>("/jobs", { building }, signal)).items.filter(({ kind }) => kind === "import"),
    enabled,
    staleTime: 0,
    refetchInterval: (query) => (query.state.data?.every(isFinished) === false ? 1000 : false),
  });

export const useVersions = (model: string): UseQueryResult<ModelVersion[]> =>
  useQuery({
    queryKey: ["models", "versions", model],
    queryFn: ({ signal }) => everything<ModelVersion>(`/models/${model}/versions`, {}, signal),
  });

/** One version with its whole report; the list leaves the long parts out. */
export const useVersion = (model: string, version: number, enabled: boolean): UseQueryResult<ModelVersion> =>
  useQuery({
    queryKey: ["models", "version", model, version],
    queryFn: ({ signal }) => get<ModelVersion>(`/models/${model}/versions/${version}`, {}, signal),
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const useJob = (id: string | null): UseQueryResult<Job> =>
  useQuery({
    queryKey: ["job", id],
    queryFn: ({ signal }) => get<Job>(`/jobs/${id}`, {}, signal),
    enabled: id !== null,
    staleTime: 0,
    refetchInterval: (query) => (query.state.data && isFinished(query.state.data) ? false : 700),
  });

export const isFinished = (job: Job): boolean => !["queued", "running"].includes(job.state);

export const useNotifications = (): UseQueryResult<Page<Notification>> =>
  useQuery({
    queryKey: ["notifications"],
    queryFn: ({ signal }) => get<Page<Notification>>("/notifications", { limit: 30 }, signal),
    refetchInterval: 60_000,
  });

export function usePaged<T>(key: readonly unknown[], path: string, query: Query, enabled = true): UseInfiniteQueryResult<InfiniteData<Page<T>>> {
  return useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => get<Page<T>>(path, { ...query, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    enabled,
  });
}

export function itemsOf<T>(data: InfiniteData<Page<T>> | undefined): T[] {
  return data?.pages.flatMap((page) => page.items) ?? [];
}

/** A write: says what went wrong, and refreshes what it touches. */
export function useWrite<In, Out = unknown>(
  write: (input: In) => Promise<Out>,
  touches: readonly string[],
  after?: (result: Out, input: In) => void,
): UseMutationResult<Out, Error, In> {
  const client = useQueryClient();
  const { message } = App.useApp();
  const text = useErrorText();
  return useMutation({
    mutationFn: write,
    onSuccess: (result, input) => {
      void readAgain(client, touches);
      after?.(result, input);
    },
    onError: (error) => {
      // An ended session is told by the sign-in dialog, over everything.
      if (!(error instanceof ApiError) || error.status !== 401) void message.error(text(error), 6);
    },
  });
}
