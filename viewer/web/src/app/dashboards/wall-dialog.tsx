/** Before a screen on the wall: which dashboards, how long each, and whether the session will last. */
import { Checkbox, InputNumber, Modal } from "antd";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { useBuilding } from "../context";
import { useMay, useMe } from "../session";
import { onlyLooks } from "./keep-alive";
import { ScreenLink } from "./screen-link";
import type { Dashboard } from "./types";
import { EVERY, LEAST_S, MOST_S } from "./wall-state";

export function WallDialog({ dashboards, close }: { dashboards: readonly Dashboard[]; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const navigate = useNavigate();
  const me = useMe();
  const may = useMay();
  const [chosen, setChosen] = useState(() => dashboards.map((one) => one.id));
  const [every, setEvery] = useState<number | null>(EVERY);
  const begin = (): void => {
    void document.documentElement.requestFullscreen?.().catch(() => undefined); // a browser may refuse: the page still fills the window
    const params = new URLSearchParams({ show: chosen.join(","), every: String(every ?? EVERY) });
    void navigate(`/b/${building.id}/dashboards/wall?${params.toString()}`);
  };
  return (
    <Modal open onCancel={close} title={t("dashboards.wall")} okText={t("dashboards.wallStart")} cancelText={t("action.cancel")} okButtonProps={{ disabled: chosen.length === 0 }} onOk={begin}>
      {dashboards.length > 1 ? (
        <>
          <Checkbox.Group className="db-choices" value={chosen} onChange={(ids) => setChosen(dashboards.map((one) => one.id).filter((id) => ids.includes(id)))} options={dashboards.map((one) => ({ value: one.id, label: one.name }))} />
          <label className="db-every">{t("dashboards.every")}<InputNumber min={LEAST_S} max={MOST_S} precision={0} value={every} onChange={setEvery} suffix="s" /></label>
        </>
      ) : null}
      <p className="muted">{t("dashboards.wallHint")}</p>
      {!me.expires_at ? null : onlyLooks(me) || !me.idle_seconds ? <p className="muted">{t("dashboards.wallLasts")}</p> : <p className="db-warning" role="note">{t("dashboards.wallEnds", { minutes: Math.round(me.idle_seconds / 60) })}</p>}
      {may("key.write") ? <ScreenLink chosen={dashboards.filter((one) => chosen.includes(one.id))} every={every ?? EVERY} /> : null}
    </Modal>
  );
}
