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

export const useSaved = (building: string, enabled = true): UseQueryResult<Saved[]> =>
  useQuery({ queryKey: ["saved", building], queryFn: ({ signal }) => everything<Saved>(`/buildings/${building}/saved`, {}, signal), enabled });

export const useWords = (building: string, enabled: boolean): UseQueryResult<SearchWords> =>
  useQuery({
    queryKey: ["elements", "words", building],
    queryFn: ({ signal }) => get<SearchWords>(`/buildings/${building}/search/words`, {}, signal),
    enabled,
    staleTime: 10 * 60_000,
  });

/** The values of what a tree is grouped by: a word of the server, or `property:` and a property as a query writes it. */
export function branchesOf(building: string, group: string, signal?: AbortSignal): Promise<Branch[]> {
  const [by = "", ...property] = group.split(":");
  return get<Branch[]>(`/buildings/${building}/search/groups`, by === "property" ? { by, property: property.join(":") } : { by }, signal);
}

export const useBranches = (building: string, group: string): UseQueryResult<Branch[]> =>
  useQuery({ queryKey: ["elements", "groups", building, group], queryFn: ({ signal }) => branchesOf(building, group, signal), staleTime: 5 * 60_000 });
