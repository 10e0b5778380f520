/** Names of roles, permissions and groups of permissions in the reader's language. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { useRoles } from "../admin/queries";

/** Built-in roles have a name in both languages; custom ones are called what their author called them. */
export function useRoleName(): (role: string) => string {
  const { t, i18n } = useTranslation();
  // Whoever shows roles has read them; here nothing is fetched, the name appears when they have come.
  const { data: known } = useRoles(false);
  return useCallback((role) => {
    const key = `role.${role}`;
    if (i18n.exists(key)) return t(key as "role.crew");
    const title = known?.find((one) => one.name === role)?.title;
    return title ? (i18n.language === "en" ? title.en : title.zh) : role;
  }, [t, i18n, known]);
}
