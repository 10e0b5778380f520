/** The filter of the audit page: in the address of the page, and as the server takes it. Pure. */
import type { Query } from "../../api/client";

export const SPANS = ["hour", "day", "week", "month", "all", "custom"] as const;
export type Span = (typeof SPANS)[number];

const LENGTH: Record<string, number> = { hour: 3_600_000, day: 86_400_000, week: 7 * 86_400_000, month: 30 * 86_400_000 };

export interface AuditFilter {
  span: Span;
  from: string | null;
  to: string | null;
  actor: string | null;
  action: string | null;
  object: string | null;
  result: string | null;
  q: string | null;
}

export function filterOf(params: URLSearchParams): AuditFilter {
  const span = params.get("span") as Span | null;
  return {
    span: span && SPANS.includes(span) ? span : "week", from: params.get("from"), to: params.get("to"), actor: params.get("actor"), action: params.get("action"),
    object: params.get("object"), result: params.get("result"), q: params.get("q"),
  };
}

/** `now` is rounded down to the minute, so that the same filter stays the same query while one looks. */
export function queryOf(filter: AuditFilter, now: number): Query {
  const length = LENGTH[filter.span];
  const from = filter.span === "custom" ? filter.from : length ? new Date(Math.floor((now - length) / 60_000) * 60_000).toISOString() : null;
  return { actor: actorOf(filter.actor), action: filter.action, object: filter.object, result: filter.result, q: filter.q, from, to: filter.span === "custom" ? filter.to : null };
}

/** A bare name is an account's. */
export const actorOf = (text: string | null): string | null =>
  (text === null || text === "" ? null : text.includes(":") || ["cli", "system", "anonymous"].includes(text) ? text : `account:${text.toLowerCase()}`);

export const isFiltered = (filter: AuditFilter): boolean => [filter.actor, filter.action, filter.object, filter.result, filter.q].some(Boolean) || filter.span === "custom";
