/** What is to be said about an account, and whether a search finds it. Pure. */
import type { Account } from "../../api/identity";

export type Status = "active" | "locked" | "disabled" | "expired" | "unprotected";
export const STATUSES: readonly Status[] = ["active", "locked", "disabled", "expired", "unprotected"];

export function statusOf(account: Account, now: number): Status[] {
  const out: Status[] = [];
  const expired = account.valid_until !== null && Date.parse(account.valid_until) <= now;
  if (account.disabled) out.push("disabled");
  if (expired) out.push("expired");
  if (account.locked) out.push("locked");
  if (out.length === 0) out.push("active");
  if (!account.second_factor && !account.disabled) out.push("unprotected");
  return out;
}

/** Every word of the search is somewhere in the names, roles or places. */
export function matches(account: Account, search: string): boolean {
  const text = [account.name, account.display_name ?? "", ...account.grants.flatMap((one) => [one.role, one.place?.name ?? ""])].join(" ").toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
