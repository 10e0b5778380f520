/** Names of roles, permissions and groups of permissions in the reader's language. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { useQueryClient } from "@tanstack/react-query";
import type { Role } from "../../api/identity";

/** Built-in roles have a name in both languages; custom ones are called what their author called them. */
export function useRoleName(): (role: string) => string {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  return useCallback((role) => {
    const key = `role.${role}`;
    if (i18n.exists(key)) return t(key as "role.crew");
    const known = client.getQueryData<Role[]>(["roles"])?.find((one) => one.name === role);
    return known ? (i18n.language === "en" ? known.title.en : known.title.zh) : role;
  }, [t, i18n, client]);
}
