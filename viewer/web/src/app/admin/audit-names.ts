/** Actions and actors of the audit trail in words. */
import { Cpu, KeyRound, Terminal, UserRound, UserX, type LucideIcon } from "lucide-react";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";

/** `role.change` → "Role changed"; an action without words of its own stays as it is. */
export function useActionName(): (action: string) => string {
  const { t, i18n } = useTranslation();
  return useCallback((action) => {
    const key = `access.did.${action.replace(/[._]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`;
    return i18n.exists(key) ? t(key as "access.did.sessionLogin") : action;
  }, [t, i18n]);
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
