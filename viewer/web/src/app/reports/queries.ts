/** What the pages of reports read. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { get } from "../../api/client";
import { everything } from "../queries";
import type { Report, Run, ToldRun } from "./types";

const LOOK_MS = 1_500; // while a report is being made

export const useReports = (building: string): UseQueryResult<Report[]> =>
  useQuery({ queryKey: ["reports", building], queryFn: ({ signal }) => everything<Report>(`/buildings/${building}/reports`, {}, signal) });

export const useRuns = (building: string, report: string | null): UseQueryResult<Run[]> =>
  useQuery({
    queryKey: ["report-runs", building, report],
    queryFn: ({ signal }) => everything<Run>(`/buildings/${building}/report-runs`, { report }, signal, 1000),
    refetchInterval: (query) => (query.state.data?.some((run) => run.state === "waiting") ? LOOK_MS : 60_000),
  });

export const useRun = (run: string): UseQueryResult<ToldRun> =>
  useQuery({
    queryKey: ["report-run", run],
    queryFn: ({ signal }) => get<ToldRun>(`/report-runs/${run}`, {}, signal),
    refetchInterval: (query) => (query.state.data?.state === "waiting" ? LOOK_MS : false),
  });
