/** A sign-in at a provider that wants a second factor here comes back with its ticket in the fragment, which no log sees. */
import type { SecondFactorAsked } from "../../api/identity";

const LIFE_MS = 5 * 60_000;

export function ticketOf(hash: string): SecondFactorAsked | null {
  const ticket = new URLSearchParams(hash.replace(/^#/, "")).get("ticket");
  return ticket ? { second_factor: ["totp", "recovery"], ticket, expires_at: new Date(Date.now() + LIFE_MS).toISOString() } : null;
}

/** It is of use once: not for whoever looks at the address or goes back. */
export function dropTicket(): void {
  if (ticketOf(window.location.hash)) window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
}
