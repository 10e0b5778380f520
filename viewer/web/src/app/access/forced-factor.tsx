/** An account that has to have a second factor sets it up before anything else. */
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { RecoveryCodes } from "../account/recovery-codes";
import { Enrol } from "../account/second-factor";
import { codesShown, useRefreshMe, useSignOut } from "../session";
import { AccessCard } from "./access-card";

export default function ForcedFactor(): ReactNode {
  const { t } = useTranslation();
  const signOut = useSignOut();
  const refresh = useRefreshMe();
  const [codes, setCodes] = useState<string[] | null>(null);
  useEffect(() => codesShown.set(codes !== null), [codes]);
  return (
    <AccessCard title={t("access.factor.setUp")} lead={t("access.factor.dueLead")} wide>
      {codes ? <RecoveryCodes codes={codes} done={() => {
        codesShown.set(false);
        void refresh();
      }} /> : <Enrol done={setCodes} />}
      {codes ? null : <button type="button" className="text-link" onClick={() => void signOut()}>{t("shell.signOut")}</button>}
    </AccessCard>
  );
}
