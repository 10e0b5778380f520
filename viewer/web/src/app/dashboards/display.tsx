/**
 * `/display?building=…&show=…#KEY`: a browser becomes a screen on a wall. The key stands behind the #, which no browser
 * sends along; the server keeps it in a cookie that scripts cannot read, and the address goes.
 */
import { Alert, Button, Spin } from "antd";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "react-router";
import { ApiError, post } from "../../api/client";
import { AccessCard } from "../access/access-card";
import { useErrorText } from "../parts";
import { wallOf } from "./wall-state";

const AGAIN_MS = 10_000;

/** `known`: a person is signed in, who sees it with an account of their own. */
export default function Display({ known }: { known: boolean }): ReactNode {
  const { t } = useTranslation();
  const text = useErrorText();
  const location = useLocation();
  const [problem, setProblem] = useState<Error | null>(null);
  const wall = wallOf(new URLSearchParams(location.search));
  const key = decodeURIComponent(location.hash.slice(1));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gone = false;
    const open = async (): Promise<void> => {
      try {
        if (!known) await post("/session/display", { key });
        if (!gone && wall) window.location.replace(wall);
      } catch (error) {
        if (gone) return;
        setProblem(error as Error);
        if (isPassing(error)) timer = setTimeout(() => void open(), AGAIN_MS); // a screen is often up before its server
      }
    };
    if (wall && (known || key)) void open();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [known, key, wall]);
  if (!wall || (!known && !key)) return <Said><Alert type="error" showIcon role="alert" title={t("dashboards.openIncomplete")} /></Said>;
  if (!problem) return <div className="center tall" aria-busy><Spin /></div>;
  return (
    <Said>
      {isPassing(problem) ? <Alert type="warning" showIcon role="alert" title={t("dashboards.openWaiting")} /> : (
        <>
          <Alert type="error" showIcon role="alert" title={t("dashboards.openFailed")} description={problem instanceof ApiError && problem.status === 401 ? t("dashboards.openVoid") : text(problem)} />
          <Button block href="/sign-in">{t("signIn.title")}</Button>
        </>
      )}
    </Said>
  );
}

function Said({ children }: { children: ReactNode }): ReactNode {
  const { t } = useTranslation();
  return <AccessCard title={t("dashboards.wall")} lead={t("dashboards.openLead")}>{children}</AccessCard>;
}

const isPassing = (error: unknown): boolean => !(error instanceof ApiError) || error.status === 0 || error.status === 429 || error.status >= 500;
