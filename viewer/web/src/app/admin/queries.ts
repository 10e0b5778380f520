/** Reads of the administration pages. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { get } from "../../api/client";
import type { Account, ApiKey, CatalogueEntry, Grant, KeyUsage, Permission, PlaceRef, Role } from "../../api/identity";
import { everything } from "../queries";

export const useAccounts = (enabled = true): UseQueryResult<Account[]> =>
  useQuery({ queryKey: ["accounts"], queryFn: ({ signal }) => everything<Account>("/accounts", {}, signal), enabled });

export const useRoles = (enabled = true): UseQueryResult<Role[]> =>
  useQuery({ queryKey: ["roles"], queryFn: ({ signal }) => everything<Role>("/roles", {}, signal), enabled });

export const usePermissions = (enabled = true): UseQueryResult<Permission[]> =>
  useQuery({ queryKey: ["permissions"], queryFn: ({ signal }) => everything<Permission>("/permissions", {}, signal), staleTime: 60 * 60_000, enabled });

export const useGrants = (filter: { account?: string | null; key?: string | null; role?: string | null }): UseQueryResult<Grant[]> =>
  useQuery({ queryKey: ["grants", filter], queryFn: ({ signal }) => everything<Grant>("/grants", filter, signal) });

/** What a grant can be limited to: sites and buildings, or the storeys and systems of one building. */
export const usePlaces = (building: string | null, enabled = true): UseQueryResult<PlaceRef[]> =>
  useQuery({ queryKey: ["places", building], queryFn: ({ signal }) => everything<PlaceRef>("/grants/places", { building }, signal), staleTime: 60_000, enabled });

export const useKeys = (enabled = true): UseQueryResult<ApiKey[]> =>
  useQuery({ queryKey: ["keys"], queryFn: ({ signal }) => everything<ApiKey>("/api-keys", {}, signal), enabled });

/** Every key with what it did in the last 24 hours, this one included. */
export const useCatalogue = (): UseQueryResult<CatalogueEntry[]> =>
  useQuery({
    queryKey: ["keys", "catalogue"],
    queryFn: ({ signal }) => everything<CatalogueEntry>("/api-catalogue", { from: new Date(Date.now() - 23 * 3_600_000).toISOString() }, signal),
    refetchInterval: 30_000,
  });

export const useKeyUsage = (id: string, from: string, to: string): UseQueryResult<KeyUsage> =>
  useQuery({ queryKey: ["keys", "usage", id, from, to], queryFn: ({ signal }) => get<KeyUsage>(`/api-keys/${id}/usage`, { from, to }, signal) });
