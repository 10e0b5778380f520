/** The pages of administration and what each needs. */
import { History, KeyRound, Network, Users, UserCog, type LucideIcon } from "lucide-react";

export type SectionKey = "accounts" | "roles" | "grants" | "keys" | "audit";

export interface Section {
  key: SectionKey;
  icon: LucideIcon;
  /** Any of these opens the page. */
  needs: readonly string[];
}

export const SECTIONS: readonly Section[] = [
  { key: "accounts", icon: Users, needs: ["account.read"] },
  { key: "roles", icon: UserCog, needs: ["account.read"] },
  { key: "grants", icon: Network, needs: ["account.read"] },
  { key: "keys", icon: KeyRound, needs: ["key.write"] },
  { key: "audit", icon: History, needs: ["audit.read"] },
];

export function adminSections(may: (permission: string) => boolean): Section[] {
  return SECTIONS.filter((section) => section.needs.some(may));
}
