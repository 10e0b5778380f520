/** Reads of checks. */
import { useQuery, type InfiniteData, type UseInfiniteQueryResult, type UseQueryResult } from "@tanstack/react-query";
import { ApiError, get } from "../../api/client";
import type { Job, Page } from "../../api/types";
import type { components } from "../../api/schema.gen";
import { isFinished, usePaged } from "../queries";

type Schemas = components["schemas"];
export type CheckRun = Schemas["CheckRun"];
export type CheckDetail = Schemas["CheckDetail"];
export type Specification = Schemas["SpecificationView"];
export type Outcome = Schemas["ElementOutcome"];
export type Level = "error" | "warning" | "info";

/** A finding of our own rules, as in the import report. */
export interface Finding {
  code: string;
  severity: Level;
  message: string;
  count: number;
  where: string[];
  explanation?: { en: string; zh: string };
  fix?: { en: string; zh: string };
}

export const useChecks = (model: string | null): UseQueryResult<Page<CheckRun>> =>
  useQuery({
    queryKey: ["checks", model],
    queryFn: ({ signal }) => get<Page<CheckRun>>(`/models/${model}/checks`, { limit: 20 }, signal),
    enabled: model !== null,
  });

export const useCheck = (id: string | null, language: string): UseQueryResult<CheckDetail> =>
  useQuery({
    queryKey: ["check", id, language],
    queryFn: ({ signal }) => get<CheckDetail>(`/checks/${id}`, {}, signal),
    enabled: id !== null,
  });

export const useFailing = (id: string, specification: number, language: string, enabled: boolean): UseInfiniteQueryResult<InfiniteData<Page<Outcome>>> =>
  usePaged<Outcome>(["check-elements", id, specification, language], `/checks/${id}/elements`, { specification, limit: 50 }, enabled);

const WEIGHT: Record<Level, number> = { error: 0, warning: 1, info: 2 };

/** Errors first, then what concerns most. */
export function byWeight(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => WEIGHT[a.severity] - WEIGHT[b.severity] || b.count - a.count);
}

const GLOBAL_ID = /^[0-9A-Za-z_$]{22}$/;

/** Places that the viewer can fly to; lines and numbers of entities are only named. */
export const isPlace = (where: string): boolean => GLOBAL_ID.test(where);

const ASK_EVERY = 700; // ms

/** The result of a job that was started, once it is over; rejects with what went wrong. */
export async function resultOf<T>(started: Job): Promise<T> {
  let job = started;
  while (!isFinished(job)) {
    await new Promise((resolve) => {
      setTimeout(resolve, ASK_EVERY);
    });
    job = await get<Job>(`/jobs/${job.id}`);
  }
  if (job.state === "done") return job.result as T;
  const error = (job.error ?? {}) as { code?: string; message?: string; where?: string | null };
  throw new ApiError(422, error.code ?? "job", error.message ?? job.state, error.where ?? null, [], {});
}
