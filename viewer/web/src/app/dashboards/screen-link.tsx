/** A link with which a screen stays signed in: an API key that looks at this building, and does nothing else. */
import { App, Button } from "antd";
import { Link2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { ApiError, post } from "../../api/client";
import { SecretOnce } from "../access/pieces";
import { useBuilding } from "../context";
import { useErrorText } from "../parts";
import { freeName } from "./template";
import type { Dashboard } from "./types";
import { displayLink } from "./wall-state";

/** What widgets read. */
const LOOKS = ["building.read", "model.read", "point.read", "reading.read", "alarm.read", "work_order.read"];
const TRIES = 30;

export function ScreenLink({ chosen, every }: { chosen: readonly Dashboard[]; every: number }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const text = useErrorText();
  const [busy, setBusy] = useState(false);
  const [link, setLink] = useState<string | null>(null);
  const hidden = chosen.find((one) => !one.shared);
  const make = async (): Promise<void> => {
    setBusy(true);
    try {
      const key = await newKey(t("dashboards.screenName", { name: chosen[0]?.name ?? "" }).slice(0, 90), building.id);
      setLink(displayLink(window.location.origin, building.id, { ids: chosen.map((one) => one.id), every }, key));
    } catch (error) {
      void message.error(text(error), 6);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="db-screen">
      <p>{t("dashboards.screenHint")} <Link className="text-link" to="/admin/keys">{t("access.section.keys")}</Link></p>
      <Button icon={<Link2 size={15} aria-hidden />} loading={busy} disabled={chosen.length === 0 || hidden !== undefined} onClick={() => void make()}>{t("dashboards.screenLink")}</Button>
      {hidden ? <p className="muted">{t("dashboards.screenPrivate", { name: hidden.name })}</p> : null}
      {link ? <SecretOnce title={t("dashboards.screenMade")} lead={t("dashboards.screenOnce")} secret={link} close={() => setLink(null)} /> : null}
    </div>
  );
}

/** Names of living keys are told apart: the second screen of a dashboard is "… (2)". */
async function newKey(name: string, building: string): Promise<string> {
  const taken: string[] = [];
  for (;;) {
    const free = freeName(name, taken);
    try {
      return (await post<{ secret: string }>("/api-keys", { name: free, role: "owner", buildings: [building], scopes: LOOKS })).secret;
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "key.exists") || taken.length >= TRIES) throw error;
      taken.push(free);
    }
  }
}
