/** Pages that are not there, and pages that are not for everyone. */
import { LockKeyhole, MapPinOff } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "react-router";
import { Empty, LinkButton } from "../parts";
import { useRoleName } from "../lib/roles";
import { useMe } from "../session";

/** What one would need, and what one has: enough to ask an administrator for it. */
export function Forbidden({ needs }: { needs: readonly string[] }): ReactNode {
  const { t } = useTranslation();
  const me = useMe();
  const roleName = useRoleName();
  return (
    <div className="center">
      <Empty icon={LockKeyhole} title={t("refused.forbidden")} hint={
        <>{t("refused.forbiddenHint")}<br /><code className="code">{needs.join(" / ")}</code><br />{t("refused.yours", { roles: me.roles.map(roleName).join(" · ") || "–" })}</>
      } action={<LinkButton to="/">{t("refused.home")}</LinkButton>} />
    </div>
  );
}

export default function NotFound(): ReactNode {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  return (
    <div className="center">
      <Empty icon={MapPinOff} title={t("refused.missing")} hint={<><code className="code">{pathname}</code><br />{t("refused.missingHint")}</>}
        action={<LinkButton to="/">{t("refused.home")}</LinkButton>} />
    </div>
  );
}
