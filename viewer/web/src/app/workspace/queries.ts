import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { get } from "../../api/client";
import type { components } from "../../api/schema.gen";
import { everything } from "../queries";

export type Saved = components["schemas"]["Saved"];
export type SavedKind = Saved["kind"];
export type NewSaved = components["schemas"]["NewSaved"];
export type Content = components["schemas"]["Content"];
export type Found = components["schemas"]["Found"];
export type FoundIds = components["schemas"]["FoundIds"];
export type Branch = components["schemas"]["Branch"];
export type SearchWords = components["schemas"]["SearchWords"];

export const searchIds = (building: string, q: string, signal?: AbortSignal): Promise<FoundIds> => get<FoundIds>(`/buildings/${building}/search/ids`, { q }, signal);

export const useSaved = (building: string): UseQueryResult<Saved[]> =>
  useQuery({ queryKey: ["saved", building], queryFn: ({ signal }) => everything<Saved>(`/buildings/${building}/saved`, {}, signal) });

export const useWords = (building: string, enabled: boolean): UseQueryResult<SearchWords> =>
  useQuery({
    queryKey: ["elements", "words", building],
    queryFn: ({ signal }) => get<SearchWords>(`/buildings/${building}/search/words`, {}, signal),
    enabled,
    staleTime: 10 * 60_000,
  });

export const useBranches = (building: string, by: string, enabled: boolean): UseQueryResult<Branch[]> =>
  useQuery({
    queryKey: ["elements", "groups", building, by],
    queryFn: ({ signal }) => get<Branch[]>(`/buildings/${building}/search/groups`, { by }, signal),
    enabled,
    staleTime: 5 * 60_000,
  });
