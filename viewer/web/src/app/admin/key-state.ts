/** Whether a key's end is near. Pure. */
import type { ApiKey } from "../../api/identity";

const SOON = 14 * 86_400_000;

export function expiryOf(key: Pick<ApiKey, "expires_at">, now: number): "never" | "over" | "soon" | "later" {
  if (!key.expires_at) return "never";
  const left = Date.parse(key.expires_at) - now;
  return left <= 0 ? "over" : left < SOON ? "soon" : "later";
}
