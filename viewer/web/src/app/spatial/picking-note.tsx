/** Says over the 3D view what the next click is for. */
import { Button } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { usePatch, useSceneState } from "../scene/state";

export function PickingNote(): ReactNode {
  const { t } = useTranslation();
  const { picking } = useSceneState();
  const patch = usePatch();
  if (!picking) return null;
  return (
    <div className="stage-note" role="status">
      <span>{t(picking.what === "closed" ? "spatial.route.pickingClosed" : "spatial.route.picking")}</span>
      <Button size="small" type="link" onClick={() => patch({ picking: null })}>{t("spatial.route.cancel")}</Button>
    </div>
  );
}
