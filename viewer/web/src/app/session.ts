/** Who is signed in and what they may do. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { ApiError, del, get, onUnauthenticated, post, setCsrfToken } from "../api/client";
import type { Session } from "../api/types";

const KEY = ["session"] as const;

export type SessionState =
  | { state: "loading" }
  | { state: "out"; unreachable: boolean }
  | { state: "in"; session: Session };

async function load(): Promise<Session | null> {
  try {
    const session = await get<Session>("/session");
    setCsrfToken(session.csrf_token);
    return session;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

export function useSession(): SessionState {
  const client = useQueryClient();
  const query = useQuery({ queryKey: KEY, queryFn: load, staleTime: 5 * 60_000, retry: 1 });
  useEffect(() => {
    onUnauthenticated(() => {
      setCsrfToken(null);
      client.setQueryData(KEY, null);
    });
  }, [client]);
  if (query.data) return { state: "in", session: query.data };
  if (query.isPending) return { state: "loading" };
  return { state: "out", unreachable: query.isError };
}

/** The session of a signed-in page. */
export function useMe(): Session {
  const { data } = useQuery<Session | null>({ queryKey: KEY, queryFn: load, staleTime: 5 * 60_000 });
  return data ?? NOBODY;
}

const NOBODY: Session = { name: "", display_name: null, roles: [], permissions: [], language: null, csrf_token: null };

/** `may("alarm.acknowledge")`: what is not allowed is not offered. */
export function useMay(): (permission: string) => boolean {
  const me = useMe();
  return (permission) => me.permissions.includes(permission);
}

export function useSignIn(): ReturnType<typeof useMutation<Session | null, Error, { name: string; password: string }>> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (credentials: { name: string; password: string }) => {
      const session = await post<Session>("/session", credentials);
      setCsrfToken(session.csrf_token);
      return session;
    },
    onSuccess: (session) => client.setQueryData(KEY, session),
  });
}

export function useSignOut(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await del("/session");
    setCsrfToken(null);
    client.clear();
    client.setQueryData(KEY, null);
  };
}
