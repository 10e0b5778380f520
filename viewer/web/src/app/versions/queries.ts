/** Reads and writes about versions of a model: what differs, what was matched, going back. */
import { useMutation, useQuery, useQueryClient, type InfiniteData, type UseInfiniteQueryResult, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";
import { get, post } from "../../api/client";
import type { components } from "../../api/schema.gen";
import type { Job, Page } from "../../api/types";
import { readAgain } from "../lib/read-again";
import { usePaged } from "../queries";

type Schemas = components["schemas"];
export type Kind = "added" | "removed" | "changed" | "moved" | "rekeyed";
export type Change = "placement" | "shape" | "properties" | "type" | "containment" | "global_id";
export type Counts = Required<Schemas["Counts"]>;
export type Difference = Schemas["Difference"];
export type DiffItem = Omit<Schemas["DiffItem"], "kind" | "changes"> & { kind: Kind; changes: Change[] };
export type DiffPage = Page<DiffItem> & { counts: Counts | null };
export type Match = Omit<Schemas["MatchRow"], "kind" | "state"> & {
  kind: "certain" | "likely" | "lost"; state: "applied" | "waiting" | "lost" | "confirmed" | "rejected" | "corrected";
};

export interface Compared {
  model: string;
  from: number;
  to: number;
}

const path = (of: Compared): string => `/models/${of.model}/diff`;

export const useCounts = (of: Compared): UseQueryResult<Counts | null> =>
  useQuery({
    queryKey: ["models", "diff-counts", of],
    queryFn: async ({ signal }) => (await get<DiffPage>(path(of), { from: of.from, to: of.to, detail: false, limit: 1 }, signal)).counts,
  });

export const useDiff = (of: Compared, filter: { kind: Kind | null; q: string }): UseInfiniteQueryResult<InfiniteData<Page<DiffItem>>> =>
  usePaged<DiffItem>(["models", "diff", of, filter], path(of), { from: of.from, to: of.to, kind: filter.kind, q: filter.q || null, limit: 100 });

export const useMatches = (of: Compared): UseQueryResult<Match[]> =>
  useQuery({
    queryKey: ["models", "matches", of.model, of.to],
    queryFn: async ({ signal }) => {
      const base = `/models/${of.model}/versions/${of.to}/matches`;
      // Those that want a person come first; of the certain ones a look is enough.
      return (await get<Page<Match>>(base, { limit: 500 }, signal)).items;
    },
  });

export function useDecide(of: Compared): UseMutationResult<Match, unknown, { match: Match; action: "confirm" | "reject" | "correct"; element?: string }> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ match, action, element }) =>
      post<Match>(`/models/${of.model}/versions/${of.to}/matches/${match.id}/${action}`, element ? { element } : undefined),
    onSettled: () => void readAgain(client, ["models", "element"]),
  });
}

export const useRollBack = (model: string): UseMutationResult<Job, unknown, number> =>
  useMutation({ mutationFn: (version) => post<Job>(`/models/${model}/rollback`, { version }) });
