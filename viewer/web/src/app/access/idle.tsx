/**
 * Signs out who does nothing. An open page asks the server again and again by itself, which keeps a session alive there;
 * what counts is whether a person moves, types or touches, in any tab of this browser.
 */
import { Button, Modal } from "antd";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useEndIdle, useMe } from "../session";
import { isOver, secondsLeft, WARN_S } from "./idle-clock";

const KEY = "twin.active";
const SIGNS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;

/** Shared by the tabs of a browser; without storage each tab counts for itself. */
let own = Date.now();
const lastActive = (): number => {
  try {
    return Math.max(own, Number(localStorage.getItem(KEY) ?? 0));
  } catch {
    return own;
  }
};

function active(): void {
  const now = Date.now();
  if (now - own < 1000) return;
  own = now;
  try {
    localStorage.setItem(KEY, String(now));
  } catch {
    // Private mode: this tab alone counts.
  }
}

export function IdleWatch(): ReactNode {
  const { t } = useTranslation();
  const idle = useMe().idle_seconds;
  const end = useEndIdle();
  const [left, setLeft] = useState<number | null>(null);
  useEffect(() => {
    if (!idle) return;
    active();
    const heard = (): void => {
      // Once the warning stands, only its button says that somebody is there: a mouse that shakes does not.
      if (secondsLeft(lastActive(), Date.now(), idle) > WARN_S) active();
    };
    for (const sign of SIGNS) window.addEventListener(sign, heard, { passive: true });
    const timer = setInterval(() => {
      const now = secondsLeft(lastActive(), Date.now(), idle);
      setLeft(now <= WARN_S ? now : null);
      if (isOver(now)) {
        clearInterval(timer);
        setLeft(null);
        void end();
      }
    }, 1000);
    return () => {
      clearInterval(timer);
      for (const sign of SIGNS) window.removeEventListener(sign, heard);
    };
  }, [idle, end]);
  if (left === null) return null;
  const stay = (): void => {
    own = 0;
    active();
    setLeft(null);
  };
  return (
    <Modal open title={t("signIn.stillThere")} closable={false} keyboard={false} mask={{ closable: false }} width={400} centered zIndex={1800}
      footer={[<Button key="out" onClick={() => void end()}>{t("shell.signOut")}</Button>, <Button key="stay" type="primary" autoFocus onClick={stay}>{t("signIn.stay")}</Button>]}>
      <p className="num" role="timer">{t("signIn.idleSoon", { count: Math.max(0, Math.ceil(left)) })}</p>
    </Modal>
  );
}
