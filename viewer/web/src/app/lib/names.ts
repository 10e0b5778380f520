/** Names of IFC classes, quantities and actors in the reader's language. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { Alarm, Notification } from "../../api/types";
import { formatNumber, plainClass, unitText } from "./format";

export function useClassName(): (ifcClass: string) => string {
  const { t, i18n } = useTranslation();
  return useCallback((ifcClass) => {
    const key = `ifc.${ifcClass}`;
    return i18n.exists(key) ? t(key as "ifc.IfcWall") : plainClass(ifcClass);
  }, [t, i18n]);
}

export function useQuantityName(): (name: string | null, fallback: string) => string {
  const { t, i18n } = useTranslation();
  return useCallback((name, fallback) => {
    const key = `quantity.${name}`;
    return name && i18n.exists(key) ? t(key as "quantity.temperature") : fallback;
  }, [t, i18n]);
}

/** "account:li" → "li"; "system" in words. */
export function useActorName(): (actor: string | null | undefined) => string {
  const { t } = useTranslation();
  return useCallback((actor) => {
    if (!actor) return "";
    if (actor === "system" || actor.startsWith("system:") || actor.startsWith("rule:")) return t("actor.system");
    return actor.replace(/^(account|key):/, "");
  }, [t]);
}

/** An alarm's or notification's text from its code and parameters; the server's English one where we have none. */
function useCodeText(): (code: string, params: Record<string, unknown>, fallback: string) => string {
  const { t, i18n } = useTranslation();
  return useCallback((code, params, fallback) => {
    const key = `said.${code.replace(/[._](\w)/g, (_, letter: string) => letter.toUpperCase())}`;
    if (!i18n.exists(key)) return fallback;
    const shown: Record<string, string> = {};
    for (const [name, value] of Object.entries(params)) {
      if (typeof value === "number") shown[name] = name === "number" ? String(value) : formatNumber(value, i18n.language);
      else if (typeof value === "string") shown[name] = name === "unit" ? unitText(value) : value;
      else shown[name] = "";
    }
    return (t as (key: string, values: Record<string, string>) => string)(key, shown).replaceAll(/ +([，,]|$)/g, "$1");
  }, [t, i18n]);
}

export function useAlarmText(): (alarm: Pick<Alarm, "code" | "params" | "message">) => string {
  const text = useCodeText();
  return useCallback((alarm) => text(alarm.code, alarm.params, alarm.message), [text]);
}

export function useNotificationText(): (one: Pick<Notification, "code" | "params" | "message">) => string {
  const text = useCodeText();
  return useCallback((one) => text(one.code, one.params, one.message), [text]);
}

/** "Pump 2 · power" is "power" on the page of pump 2. */
export function shortName(name: string, owner: string | null): string {
  if (!owner || !name.startsWith(owner)) return name;
  return name.slice(owner.length).replace(/^[\s·:：/–-]+/, "") || name;
}
