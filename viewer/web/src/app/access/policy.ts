/** The password rules that a browser can check while one types; the server checks all of them again. Pure. */
import type { PasswordPolicy } from "../../api/identity";

const KINDS = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/];
const FEWEST_DIFFERENT = 5; // as identity/policy.py has it

export type RuleKey = "length" | "kinds" | "pattern" | "context" | "history" | "common";

export interface Rule {
  key: RuleKey;
  /** null: only the server knows. */
  met: boolean | null;
}

export const kindsOf = (password: string): number => KINDS.filter((kind) => kind.test(password)).length;

/** Few different characters, one thing repeated, or mostly a run such as `abcdef`. */
export function isPattern(password: string): boolean {
  const plain = [...password.toLowerCase()];
  const text = plain.join("");
  if (new Set(plain).size < FEWEST_DIFFERENT || (plain.length > 1 && (text + text).slice(1, -1).includes(text))) return true;
  const steps = plain.slice(1).map((c, i) => (c.codePointAt(0) ?? 0) - (plain[i]?.codePointAt(0) ?? 0));
  return Math.max(...[-1, 0, 1].map((step) => steps.filter((one) => one === step).length)) > 0.7 * steps.length;
}

export function rulesFor(policy: PasswordPolicy, password: string, names: readonly string[]): Rule[] {
  const length = [...password].length;
  const rules: Rule[] = [{ key: "length", met: length >= policy.shortest && length <= policy.longest }];
  if (policy.kinds > 1) rules.push({ key: "kinds", met: kindsOf(password) >= policy.kinds });
  rules.push({ key: "pattern", met: !isPattern(password) });
  const words = names.flatMap((name) => name.toLowerCase().split(/[\W_]+/)).filter((word) => word.length >= 3);
  rules.push({ key: "context", met: !words.some((word) => password.toLowerCase().includes(word)) });
  if (policy.history > 0) rules.push({ key: "history", met: null });
  rules.push({ key: "common", met: null });
  return rules;
}

/** How far a password is over what is asked, 0 … 4, for the bar: length first, variety a little. */
export function strength(policy: PasswordPolicy, password: string): number {
  if (!password) return 0;
  const length = [...password].length;
  if (length < policy.shortest || isPattern(password) || kindsOf(password) < policy.kinds) return 1;
  const score = length + 2 * kindsOf(password);
  return score >= policy.shortest + 14 ? 4 : score >= policy.shortest + 8 ? 3 : 2;
}

const READABLE = "abcdefghjkmnpqrstuvwxyz23456789";
const UPPER = "ABCDEFGHJKMNPQRSTUVWXYZ";

/** A password to hand over: groups of five readable characters, 100 bits or more; of all kinds where kinds are asked. */
export function suggestPassword(policy: PasswordPolicy, random: (below: number) => number = secureRandom): string {
  const groups = Math.max(4, Math.ceil((policy.shortest + 1) / 6));
  const pick = (from: string): string => from[random(from.length)] ?? "";
  const words = Array.from({ length: groups }, () => Array.from({ length: 5 }, () => pick(READABLE)).join(""));
  const password = words.join("-");
  const suggestion = policy.kinds > 2 ? `${pick(UPPER)}${password.slice(1, -1)}${pick("23456789")}` : password;
  return kindsOf(suggestion) >= policy.kinds && !isPattern(suggestion) ? suggestion : suggestPassword(policy, random);
}

/** 0 ≤ n < `below`, each as likely as the other. */
function secureRandom(below: number): number {
  const limit = Math.floor(256 / below) * below;
  const byte = new Uint8Array(1);
  do crypto.getRandomValues(byte); while ((byte[0] ?? 0) >= limit);
  return (byte[0] ?? 0) % below;
}
