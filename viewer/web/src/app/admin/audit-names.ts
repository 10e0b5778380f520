/** Actions, actors and objects of the audit trail in words. */
import { Cpu, KeyRound, Terminal, UserRound, UserX, type LucideIcon } from "lucide-react";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { useAccounts, useKeys, usePermissions } from "./queries";

/** `role.change` and its like, as keys of the texts: `roleChange`. */
export const keyOf = (action: string): string => action.replace(/[._]+(\w)/g, (_, letter: string) => letter.toUpperCase());

/** The actions that the filter offers, by what they are about. */
export const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  session: ["session.login", "session.logout", "session.end", "session.display"],
  me: ["me.password", "me.write"],
  second_factor: ["second_factor.enable", "second_factor.disable", "second_factor.codes", "second_factor.recovery", "second_factor.reset"],
  account: ["account.write", "account.password", "account.unlock", "account.link", "account.read"],
  role: ["role.create", "role.change", "role.delete"],
  grant: ["grant.give", "grant.take"],
  key: ["key.write", "key.rotate"],
  audit: ["audit.read", "audit.export", "audit.verify", "audit.prune"],
  building: ["building.write"],
  model: ["model.upload", "model.rollback", "model.check", "model.export"],
  match: ["match.confirm", "match.correct", "match.reject"],
  element: ["element.write"],
  asset: ["asset.write"],
  graph: ["graph.import", "graph.delete"],
  topic: ["topic.write", "topic.export"],
  point: ["point.create", "point.update", "point.retire", "point.restore", "point.hardware", "point.dismiss", "point.import", "point.export", "point.command"],
  command: ["command.verified", "command.failed", "command.expired"],
  reading: ["reading.correct", "reading.import", "reading.export"],
  quarantine: ["quarantine.replay", "quarantine.dismiss"],
  derived: ["derived.create", "derived.update", "derived.delete"],
  source: ["source.create", "source.configure"],
  history: ["history.retention", "history.compression", "history.quarantine"],
  history_policy: ["history_policy.create", "history_policy.update", "history_policy.delete", "history_policy.preview"],
  alarm: ["alarm.acknowledge", "alarm.comment", "alarm.shelve", "alarm.unshelve", "alarm.reset"],
  alarm_rule: ["alarm_rule.create", "alarm_rule.update", "alarm_rule.delete"],
  work_order: [
    "work_order.create", "work_order.assign", "work_order.start", "work_order.check", "work_order.comment", "work_order.done", "work_order.verify", "work_order.reopen",
    "work_order.cancel", "work_order.rate",
  ],
  plan: ["plan.create", "plan.update", "plan.delete"],
  quota: ["quota.set"],
  report: ["report.create", "report.update", "report.delete", "report.run", "report.made", "report.failed", "report.export"],
  dashboard: ["dashboard.write"],
  saved: ["saved.write"],
  job: ["job.cancel", "job.resume"],
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
