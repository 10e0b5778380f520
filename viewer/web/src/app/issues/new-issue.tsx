/** A new issue from what the 3D view shows now: camera, selected element, picture. */
import { Flag } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Scene3D } from "../../engine";
import { IconButton } from "../parts";
import { useScene, useSceneState, type SceneState } from "../scene/state";
import { useMay } from "../session";
import { IssueForm } from "./issue-form";
import type { NewView } from "./queries";
import "./issues.css";

const WIDTH = 1280; // px of the picture

export function NewIssueButton(): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const scene = useScene();
  const [open, setOpen] = useState(false);
  if (!may("topic.write")) return null;
  return (
    <>
      <IconButton icon={Flag} label={t("issues.add")} onClick={() => setOpen(true)} />
      {scene && open ? <NewIssue scene={scene} close={() => setOpen(false)} /> : null}
    </>
  );
}

function NewIssue({ scene, close }: { scene: Scene3D; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const state = useSceneState();
  const [picture, setPicture] = useState<string | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let current = true;
    void pictureOf(scene).then((made) => {
      if (current) setPicture(made);
    }).catch(() => setFailed(true));
    return () => {
      current = false;
    };
  }, [scene]);
  return (
    <IssueForm close={close} view={() => viewOf(scene, state, picture)}>
      {picture ? <img className="issue-picture" alt="" src={picture} /> : failed ? null : <div className="issue-picture is-coming" aria-busy="true" />}
      <p className="issue-note muted">{t("issues.withView")}</p>
    </IssueForm>
  );
}

/** The picture of the view as a data address, a megabyte at most. */
async function pictureOf(scene: Scene3D): Promise<string> {
  const blob = await scene.screenshot({ width: WIDTH, height: Math.round((WIDTH * 10) / 16), type: "image/jpeg" });
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      if (typeof reader.result === "string") resolve(reader.result);
      else reject(new Error("picture"));
    });
    reader.addEventListener("error", () => reject(new Error("picture")));
    reader.readAsDataURL(blob);
  });
}

function viewOf(scene: Scene3D, state: SceneState, picture: string | null): NewView {
  const { eye, target, fieldOfView, height } = scene.view();
  return {
    eye: [...eye],
    target: [...target],
    field_of_view: fieldOfView ?? null,
    view_to_world_scale: height ?? null,
    aspect_ratio: 1.6,
    selection: [...state.selection],
    shown_only: state.isolated ? [...state.isolated.ids] : null,
    hidden: [],
    spaces_visible: !state.hiddenLayers.includes("spaces"),
    clipping_planes: scene.clipPlanes.map(({ location, direction }) => ({ location: [...location], direction: [...direction] })),
    snapshot: picture,
  };
}
