import { Alert, Button } from "antd";
import type { ReactNode } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useLocation } from "react-router";
import { SignInFlow } from "../access/sign-in-flow";
import { AccessCard } from "../access/access-card";

export function SignIn({ unreachable }: { unreachable: boolean }): ReactNode {
  const { t } = useTranslation();
  const client = useQueryClient();
  const refused = new URLSearchParams(useLocation().search).get("error");
  return (
    <AccessCard title={t("signIn.title")} lead={t("signIn.lead")}>
      {unreachable ? (
        <Alert type="warning" showIcon title={t("error.offline")} action={
          <Button size="small" onClick={() => void client.invalidateQueries({ queryKey: ["session"] })}>{t("action.retry")}</Button>
        } />
      ) : null}
      {refused ? <Alert type="error" showIcon role="alert" title={t("signIn.providerFailed")} description={<code>{refused}</code>} /> : null}
      <SignInFlow />
    </AccessCard>
  );
}
