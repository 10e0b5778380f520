/** One place that talks HTTP: cookies, CSRF, problem documents, the user's language. */
import { clockOffset, heardServerTime } from "../app/lib/clock";

export interface FieldProblem {
  field: string;
  message: string;
}

/** A problem document (RFC 9457) as the server sends it, or `offline` / `http.NNN` where it sent none. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly where: string | null = null,
    readonly fields: FieldProblem[] = [],
    readonly extra: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

export type Query = Record<string, string | number | boolean | null | undefined | readonly string[]>;

interface Options {
  query?: Query | undefined;
  body?: unknown;
  signal?: AbortSignal | undefined;
}

const BASE = "/api/v1";
const SIGNING_IN = new Set(["/session", "/session/second-factor"]);
let csrfToken: string | null = null;
let language = "zh-CN";
let onSignedOut: (problem: ApiError) => void = () => undefined;

export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

export function setRequestLanguage(value: string): void {
  language = value;
}

/** `handler` runs when any request but the signing in itself is answered 401. */
export function onUnauthenticated(handler: (problem: ApiError) => void): void {
  onSignedOut = handler;
}

export function url(path: string, query?: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === null || value === undefined || value === "") continue;
    if (Array.isArray(value)) for (const one of value) params.append(name, String(one));
    else params.append(name, String(value));
  }
  const text = params.toString();
  return `${BASE}${path}${text ? `?${text}` : ""}`;
}

export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json", "Accept-Language": language };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") {
    if (csrfToken) headers["X-CSRF-Token"] = csrfToken;
    headers["Idempotency-Key"] = crypto.randomUUID();
  }
  const asked = Date.now();
  const response = await ask(method, path, options, headers);
  hearDate(response.headers.get("Date"), asked);
  return (response.status === 204 ? undefined : await readJson(response)) as T;
}

const COARSE_MS = 5_000;

/** Answers tell the server's time to the second: enough for pages without a live socket, whose frames tell it exactly. */
function hearDate(date: string | null, asked: number): void {
  const now = Date.now();
  const server = Date.parse(date ?? "") + 500;
  const known = clockOffset();
  if (Number.isNaN(server) || now - asked > COARSE_MS || (known !== null && Math.abs(server - now - known) < COARSE_MS)) return;
  heardServerTime(server, now);
}

/** An answer that is no JSON. */
export async function getBytes(path: string, query: Query = {}, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await ask("GET", path, { query, signal }, { "Accept-Language": language })).arrayBuffer();
}

/** A file that the server writes, with the name that it gives it. */
export async function requestBlob(method: string, path: string, body?: unknown): Promise<{ blob: Blob; name: string | null }> {
  const headers: Record<string, string> = { "Accept-Language": language };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrfToken) headers["X-CSRF-Token"] = csrfToken;
  const response = await ask(method, path, { body }, headers);
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? null;
  return { blob: await response.blob(), name };
}

/** The answer, if it is a good one. Raises ApiError, and tells of a session that is over. */
async function ask(method: string, path: string, options: Options, headers: Record<string, string>): Promise<Response> {
  const first = await send(method, path, options, headers);
  if (first.ok) return first;
  const guarded = first.status === 401 && !(method === "POST" && SIGNING_IN.has(path));
  if (!guarded || !(await goesOn())) throw await problemOf(first, guarded);
  if (headers["X-CSRF-Token"] && csrfToken) headers["X-CSRF-Token"] = csrfToken;
  const again = await send(method, path, options, headers);
  if (again.ok) return again;
  throw await problemOf(again, again.status === 401);
}

async function send(method: string, path: string, options: Options, headers: Record<string, string>): Promise<Response> {
  const sent = fetch(url(path, options.query), {
    method,
    headers,
    credentials: "same-origin",
    body: options.body === undefined ? null : JSON.stringify(options.body),
    signal: options.signal ?? null,
  });
  if (method !== "GET") writing.add(sent);
  try {
    return await sent;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "offline", "offline");
  } finally {
    writing.delete(sent);
  }
}

async function problemOf(response: Response, over: boolean): Promise<ApiError> {
  const problem = toApiError(response.status, await readJson(response).catch(() => null));
  if (over) onSignedOut(problem);
  return problem;
}

/** What may just now give the session another token: its cookie comes with the answer. */
const writing = new Set<Promise<Response>>();
let asking: Promise<boolean> | null = null;
const OTHER_TAB_MS = 500;

/**
 * Whether the session goes on although a request was refused. A change of how one signs in gives it another token, in another
 * tab too; what was on its way with the old one is refused, and nobody is signed out by that.
 */
function goesOn(): Promise<boolean> {
  asking ??= Promise.allSettled(writing)
    .then(isSignedIn)
    .then((found) => found || new Promise((resolve) => setTimeout(resolve, OTHER_TAB_MS)).then(isSignedIn))
    .finally(() => (asking = null));
  return asking;
}

/** The problem of an upload, which is not sent again by itself. */
async function told(problem: ApiError): Promise<ApiError> {
  if (problem.status === 401 && !(await goesOn())) onSignedOut(problem);
  return problem;
}

async function isSignedIn(): Promise<boolean> {
  const answer = await fetch(url("/session"), { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return false;
  csrfToken = ((await answer.json()) as { csrf_token: string | null }).csrf_token;
  return true;
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  return text ? (JSON.parse(text) as unknown) : undefined;
}

function toApiError(status: number, body: unknown): ApiError {
  const problem = (body ?? {}) as Record<string, unknown>;
  const code = typeof problem["code"] === "string" ? problem["code"] : `http.${status}`;
  const detail = problem["detail"] ?? problem["title"];
  const where = typeof problem["where"] === "string" ? problem["where"] : null;
  const fields = Array.isArray(problem["errors"]) ? (problem["errors"] as Record<string, unknown>[]) : [];
  return new ApiError(
    status,
    code,
    typeof detail === "string" ? detail : `HTTP ${status}`,
    where,
    fields.map((one) => ({ field: asText(one["field"]), message: asText(one["message"]) })),
    problem,
  );
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? "");
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> =>
  request<T>("GET", path, { query, signal });
export const post = <T>(path: string, body?: unknown, query?: Query): Promise<T> =>
  request<T>("POST", path, { body: body ?? {}, query });
export const patch = <T>(path: string, body: unknown): Promise<T> => request<T>("PATCH", path, { body });
export const del = <T>(path: string): Promise<T> => request<T>("DELETE", path);

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export interface Upload<T> {
  result: Promise<T>;
  cancel: () => void;
}

/** Multipart upload with progress in bytes (fetch cannot report it). */
export function upload<T>(path: string, form: FormData, onProgress: (sent: number, total: number) => void): Upload<T> {
  const xhr = new XMLHttpRequest();
  const result = new Promise<T>((resolve, reject) => {
    xhr.open("POST", url(path));
    xhr.responseType = "text";
    xhr.setRequestHeader("Accept-Language", language);
    xhr.setRequestHeader("Idempotency-Key", crypto.randomUUID());
    if (csrfToken) xhr.setRequestHeader("X-CSRF-Token", csrfToken);
    xhr.upload.onprogress = (event) => onProgress(event.loaded, event.total);
    xhr.onerror = () => reject(new ApiError(0, "offline", "offline"));
    xhr.onabort = () => reject(new ApiError(0, "cancelled", "cancelled"));
    xhr.onload = () => {
      const body = parseOrNull(xhr.responseText);
      if (xhr.status >= 200 && xhr.status < 300) resolve(body as T);
      else void told(toApiError(xhr.status, body)).then(reject);
    };
    xhr.send(form);
  });
  return { result, cancel: () => xhr.abort() };
}
