/**
 * The recurrences that people choose, and RFC 5545 rules. Pure but for `rrule`.
 *
 * Dates are local wall-clock times of the building: rules are expanded in a fictitious UTC, so that a summer-time
 * change in the browser's zone moves nothing.
 */
import { RRule } from "rrule";

export type Every = "day" | "week" | "month" | "year";

export interface Recurrence {
  every: Every;
  interval: number;
  /** 0 Monday … 6 Sunday; weekly rules. */
  weekdays: number[];
  /** 1…31 or -1 for the last day; monthly rules. */
  monthDay: number;
  /** How many times in all; null: for ever. */
  count: number | null;
}

export const DEFAULT_RECURRENCE: Recurrence = { every: "month", interval: 1, weekdays: [0], monthDay: 1, count: null };

const DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;
const FREQ: Record<Every, string> = { day: "DAILY", week: "WEEKLY", month: "MONTHLY", year: "YEARLY" };

export function toRule(recurrence: Recurrence): string {
  const parts = [`FREQ=${FREQ[recurrence.every]}`];
  if (recurrence.interval > 1) parts.push(`INTERVAL=${recurrence.interval}`);
  if (recurrence.every === "week" && recurrence.weekdays.length > 0) {
    parts.push(`BYDAY=${recurrence.weekdays.toSorted((a, b) => a - b).map((day) => DAYS[day]).join(",")}`);
  }
  if (recurrence.every === "month") parts.push(`BYMONTHDAY=${recurrence.monthDay}`);
  if (recurrence.count !== null) parts.push(`COUNT=${recurrence.count}`);
  return parts.join(";");
}

/** Null for a rule that the builder cannot show (it is then kept as text). */
export function fromRule(rule: string): Recurrence | null {
  const parts = new Map(rule.replace(/^RRULE:/i, "").split(";").map((part) => part.split("=", 2) as [string, string]));
  const every = (Object.keys(FREQ) as Every[]).find((key) => FREQ[key] === parts.get("FREQ"));
  if (!every) return null;
  const known = new Set(["FREQ", "INTERVAL", "COUNT", ...(every === "week" ? ["BYDAY"] : every === "month" ? ["BYMONTHDAY"] : [])]);
  if ([...parts.keys()].some((key) => !known.has(key))) return null;
  const weekdays = (parts.get("BYDAY") ?? "MO").split(",").map((day) => DAYS.indexOf(day as (typeof DAYS)[number]));
  const monthDay = Number(parts.get("BYMONTHDAY") ?? 1);
  if (weekdays.includes(-1) || !Number.isInteger(monthDay)) return null;
  const count = parts.get("COUNT");
  return { every, interval: Number(parts.get("INTERVAL") ?? 1), weekdays, monthDay, count: count ? Number(count) : null };
}

/** The next `n` times of a rule from its start on, not before `after`; empty for a rule that is none. */
export function nextDates(rule: string, start: Date, n: number, after: Date = start): Date[] {
  try {
    const options = RRule.parseString(rule.replace(/^RRULE:/i, ""));
    const expanded = new RRule({ ...options, dtstart: asUtc(start) });
    const found: Date[] = [];
    let from = asUtc(after > start ? after : start);
    let inclusive = true;
    while (found.length < n) {
      const next = expanded.after(from, inclusive);
      if (!next) break;
      found.push(asLocal(next));
      from = next;
      inclusive = false;
    }
    return found;
  } catch {
    return [];
  }
}

const asUtc = (date: Date): Date =>
  new Date(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate(), date.getHours(), date.getMinutes()));
const asLocal = (date: Date): Date =>
  new Date(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes());
