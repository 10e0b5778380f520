/** Who is signed in, what they may do, and what happens when the session ends under one's hands. */
import { useMutation, useQuery, useQueryClient, type QueryClient, type UseMutationResult } from "@tanstack/react-query";
import { useEffect } from "react";
import { ApiError, del, get, onUnauthenticated, post, setCsrfToken } from "../api/client";
import type { Me, SecondFactorAsked } from "../api/identity";
import { followAccount } from "./i18n";
import { forgetMark, isMarked } from "./lib/signed-in";
import { createStore, useStore } from "./lib/store";

const KEY = ["session"] as const;

export type SessionState =
  | { state: "loading" }
  | { state: "out"; unreachable: boolean }
  | { state: "in"; session: Me; ended: ApiError | null };

/** Why the session of the page that is still open is over; null while it is not. */
const ended = createStore<ApiError | null>(null);

async function load(client: QueryClient): Promise<Me | null> {
  if (!isMarked(document.cookie)) return client.getQueryData<Me>(KEY) ?? null; // nobody is signed in: a request would only say so
  try {
    const session = await get<Me>("/session");
    setCsrfToken(session.csrf_token);
    return session;
  } catch (error) {
    // Who was signed in a moment ago keeps the page; `ended` puts the sign-in dialog over it.
    if (error instanceof ApiError && error.status === 401) {
      forgetMark();
      return client.getQueryData<Me>(KEY) ?? null;
    }
    throw error;
  }
}

export function useSession(): SessionState {
  const client = useQueryClient();
  const query = useQuery({ queryKey: KEY, queryFn: () => load(client), staleTime: 5 * 60_000, retry: 1 });
  const problem = useStore(ended);
  useEffect(() => {
    onUnauthenticated((error) => {
      setCsrfToken(null);
      forgetMark();
      if (client.getQueryData<Me>(KEY)) ended.set(error);
    });
  }, [client]);
  if (query.data) return { state: "in", session: query.data, ended: problem };
  if (query.isPending) return { state: "loading" };
  return { state: "out", unreachable: query.isError };
}

/** Whether the page waits for its session to come back: nothing it asked now would be answered. */
export const useIsEnded = (): boolean => useStore(ended) !== null;

/** The session of a signed-in page. */
export function useMe(): Me {
  const client = useQueryClient();
  const { data } = useQuery<Me | null>({ queryKey: KEY, queryFn: () => load(client), staleTime: 5 * 60_000 });
  return data ?? NOBODY;
}

const NOBODY: Me = {
  name: "", display_name: null, roles: [], permissions: [], grants: [], language: null, csrf_token: null, must_change_password: false, second_factor: false, restriction: null,
  expires_at: null, idle_seconds: null,
};

/** What has to be done before anything else may be. */
export function dueFirst(me: Me): "password" | "second_factor" | null {
  if (me.must_change_password || me.restriction === "password.must_change") return "password";
  return me.restriction === "second_factor.must_enrol" ? "second_factor" : null;
}

/** `may("alarm.acknowledge")`: what is not allowed is not offered. */
export function useMay(): (permission: string) => boolean {
  const me = useMe();
  return (permission) => me.permissions.includes(permission);
}

export const isAsked = (answer: Me | SecondFactorAsked): answer is SecondFactorAsked => "ticket" in answer;

/** Takes over the new session: at once on a page that waited for it, with everything forgotten for somebody else. */
export function useEnter(): (session: Me) => void {
  const client = useQueryClient();
  return (session) => {
    const before = client.getQueryData<Me>(KEY);
    setCsrfToken(session.csrf_token);
    void followAccount(session.language);
    if (before && before.name !== session.name) return window.location.assign("/");
    client.setQueryData(KEY, session);
    ended.set(null);
    if (before) void client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== KEY[0] });
  };
}

interface Credentials {
  name: string;
  password: string;
}

/** Name and password: signed in, or asked for the second factor. */
export function useSignIn(): UseMutationResult<Me | SecondFactorAsked, Error, Credentials> {
  const enter = useEnter();
  return useMutation({
    mutationFn: (credentials: Credentials) => post<Me | SecondFactorAsked>("/session", credentials),
    onSuccess: (answer) => {
      if (!isAsked(answer)) enter(answer);
    },
  });
}

export function useSecondStep(): UseMutationResult<Me, Error, { ticket: string; code: string }> {
  const enter = useEnter();
  return useMutation({ mutationFn: (step) => post<Me>("/session/second-factor", step), onSuccess: enter });
}

/** Asks the server again who one is, e.g. after a change of one's own account. */
export function useRefreshMe(): () => Promise<void> {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: KEY });
}

/** After a change of how one signs in the session has another CSRF token: taken over without telling the page. */
export async function renewCsrfToken(): Promise<void> {
  setCsrfToken((await get<Me>("/session")).csrf_token);
}

/** While recovery codes of a second factor that was due are on the screen, the app waits behind them. */
export const codesShown = createStore(false);

/** Nobody is there any more: the session ends on the server too, the page waits behind the sign-in dialog. */
export function useEndIdle(): () => Promise<void> {
  return endIdle;
}

async function endIdle(): Promise<void> {
  await del("/session").catch(() => undefined); // what cannot be told now the server finds out by itself
  setCsrfToken(null);
  ended.set(new ApiError(401, "page.idle", ""));
}

export function useSignOut(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await del("/session").catch((error: unknown) => {
      if (!(error instanceof ApiError) || error.status !== 401) throw error; // whoever is out already is out
    });
    setCsrfToken(null);
    ended.set(null);
    client.setQueryData(KEY, null); // not removed: who watches it has to see it go
    client.removeQueries({ predicate: (query) => query.queryKey[0] !== KEY[0] });
  };
}
