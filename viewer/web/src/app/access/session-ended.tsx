/** The session is over while a page is open: sign in again over it, nothing typed is lost, nothing on it can be read. */
import { Modal } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ApiError } from "../../api/client";
import type { Me } from "../../api/identity";
import { useErrorText } from "../parts";
import { useSignOut } from "../session";
import { SignInFlow } from "./sign-in-flow";

export function SessionEnded({ me, reason }: { me: Me; reason: ApiError }): ReactNode {
  const { t } = useTranslation();
  const text = useErrorText();
  const signOut = useSignOut();
  if (me.csrf_token === null) return <ScreenEnded />;
  // "You are not signed in" is no reason; what ended a session is one.
  const told = /^(session|login)\.(?!required|missing)/.test(reason.code);
  return (
    <Modal open title={t("signIn.endedTitle")} footer={null} closable={false} keyboard={false} mask={{ closable: false }} width={400} centered zIndex={1900}
      rootClassName="session-ended">
      <p className="muted session-ended-why">{reason.code === "page.idle" ? t("signIn.endedIdle") : told ? text(reason) : t("signIn.endedOther")}</p>
      <SignInFlow name={me.name} />
      <button type="button" className="text-link" onClick={() => void signOut()}>{t("signIn.someoneElse")}</button>
    </Modal>
  );
}

/** A screen on a wall had a key and no person: whoever stands before it is told so, and asked for no password. */
function ScreenEnded(): ReactNode {
  const { t } = useTranslation();
  return (
    <Modal open title={t("dashboards.screenEnded")} footer={null} closable={false} keyboard={false} mask={{ closable: false }} width={400} centered zIndex={1900}
      rootClassName="session-ended">
      <p>{t("dashboards.openVoid")}</p>
    </Modal>
  );
}
