/** Actions, actors and objects of the audit trail in words. */
import { Cpu, KeyRound, Terminal, UserRound, UserX, type LucideIcon } from "lucide-react";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { useAccounts, useKeys, usePermissions } from "./queries";

/** `role.change` and its like, as keys of the texts: `roleChange`. */
export const keyOf = (action: string): string => action.replace(/[._]+(\w)/g, (_, letter: string) => letter.toUpperCase());

/** The actions that the filter offers, by what they are about. */
export const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  session: ["session.login", "session.logout", "session.end"],
  me: ["me.password", "me.write"],
  second_factor: ["second_factor.enable", "second_factor.disable", "second_factor.codes", "second_factor.recovery", "second_factor.reset"],
  account: ["account.write", "account.password", "account.unlock", "account.read"],
  role: ["role.create", "role.change", "role.delete"],
  grant: ["grant.give", "grant.take"],
  key: ["key.write", "key.rotate"],
  audit: ["audit.read", "audit.export", "audit.verify", "audit.prune"],
  model: ["model.upload", "model.rollback"],
  building: ["building.write"],
  point: ["point.create", "point.update", "point.command"],
  source: ["source.create"],
  alarm: ["alarm.acknowledge", "alarm.comment", "alarm.shelve"],
  alarm_rule: ["alarm_rule.write"],
  work_order: ["work_order.create", "work_order.write", "work_order.assign", "work_order.verify"],
  plan: ["plan.write"],
};

/** "Role changed"; what has no words of its own is called as the permission that it needs, or stays as it is. */
export function useActionName(): (action: string) => string {
  const { t, i18n } = useTranslation();
  const { data: permissions } = usePermissions(false);
  return useCallback((action) => {
    const key = `access.did.${keyOf(action)}`;
    if (i18n.exists(key)) return t(key as "access.did.sessionLogin");
    const title = permissions?.find((one) => one.name === action)?.title;
    return title ? (i18n.language === "en" ? title.en : title.zh) : action;
  }, [t, i18n, permissions]);
}

export function useActorParts(actor: string): { name: string; icon: LucideIcon } {
  const { t } = useTranslation();
  const [kind, ...rest] = actor.split(":");
  const name = rest.join(":");
  if (kind === "account" && name) return { name, icon: UserRound };
  if (kind === "key" && name) return { name, icon: KeyRound };
  if (actor === "cli") return { name: t("access.audit.cli"), icon: Terminal };
  if (actor === "anonymous") return { name: t("access.audit.anonymous"), icon: UserX };
  return { name: actor === "system" ? t("actor.system") : actor, icon: Cpu };
}

/** `account:31166cbb-…` as `account:li.wei` where the page has met that account or key, else with a shortened id. */
export function useObjectName(): (object: string) => string {
  const { data: accounts } = useAccounts(false);
  const { data: keys } = useKeys(false);
  return useCallback((object) => {
    const [kind, id = ""] = object.split(/:(.*)/s);
    const known = (kind === "account" ? accounts : kind === "key" ? keys : undefined)?.find((one) => one.id === id);
    return known ? `${kind}:${known.name}` : object.replace(/([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f-]{22}/g, "$1…");
  }, [accounts, keys]);
}
