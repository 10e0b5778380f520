/** Says over the 3D view which issue or check is shown; leads there, or back to everything. */
import { Button } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { usePatch, useScene, useSceneState } from "../scene/state";

export function PaintedNote(): ReactNode {
  const { t } = useTranslation();
  const { painted } = useSceneState();
  const patch = usePatch();
  const scene = useScene();
  if (!painted) return null;
  return (
    <div className="stage-note">
      <Link to={painted.to}>{painted.title}</Link>
      {painted.legend?.map(([colour, text]) => <span key={text} className="note-legend"><i style={{ background: `rgb(${colour.join(" ")})` }} />{text}</span>)}
      <Button size="small" type="link" onClick={() => {
        scene?.showAll();
        patch({ painted: null, isolated: null, hidden: [] });
      }}>{t("scene.showAll")}</Button>
    </div>
  );
}
