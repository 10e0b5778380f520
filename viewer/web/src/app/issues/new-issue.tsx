/** A new issue from what the 3D view shows now: camera, selected element, picture. */
import { App, Form, Input, Modal, Select } from "antd";
import { Flag } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { post } from "../../api/client";
import type { Scene3D } from "../../engine";
import { useBuilding } from "../context";
import { IconButton } from "../parts";
import { useWrite } from "../queries";
import { useScene, useSceneState, type SceneState } from "../scene/state";
import { useMay } from "../session";
import type { IssueDetail, NewView } from "./queries";
import { useWords } from "./words";

const WIDTH = 1280; // px of the picture
const FIELD_OF_VIEW = 50; // degrees; the engine's own

interface Values {
  title: string;
  description?: string;
  topic_type: string;
  priority: string;
}

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
  const { building } = useBuilding();
  const { message } = App.useApp();
  const state = useSceneState();
  const words = useWords();
  const navigate = useNavigate();
  const [picture, setPicture] = useState<string | null>(null);
  const [form] = Form.useForm<Values>();
  useEffect(() => {
    let current = true;
    void pictureOf(scene).then((made) => {
      if (current) setPicture(made);
    }).catch(() => undefined);
    return () => {
      current = false;
    };
  }, [scene]);
  const make = useWrite(
    (values: Values) => post<IssueDetail>("/topics", { building: building.id, ...values, viewpoint: viewOf(scene, state, picture) }),
    ["issues"],
    (issue) => {
      void message.success(t("issues.created", { number: issue.number }));
      close();
      void navigate(`/b/${building.id}/issues?issue=${issue.id}`);
    },
  );
  return (
    <Modal open title={t("issues.add")} okText={t("action.save")} cancelText={t("action.cancel")} confirmLoading={make.isPending} onCancel={close}
      onOk={() => form.submit()} mask={{ closable: false }}>
      {picture ? <img className="issue-picture" alt="" src={picture} /> : null}
      <p className="muted">{t("issues.withView")}</p>
      <Form form={form} layout="vertical" requiredMark={false} initialValues={{ topic_type: "Issue", priority: "Normal" }} onFinish={(values) => make.mutate(values)}>
        <Form.Item name="title" label={t("issues.title")} rules={[{ required: true, whitespace: true, message: t("issues.titleMissing") }]}>
          <Input maxLength={500} autoFocus />
        </Form.Item>
        <Form.Item name="description" label={t("issues.description")}><Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} maxLength={20_000} /></Form.Item>
        <div className="form-pair">
          <Form.Item name="topic_type" label={t("issues.type")}><Select options={words.types} /></Form.Item>
          <Form.Item name="priority" label={t("issues.priority")}><Select options={words.priorities} /></Form.Item>
        </div>
      </Form>
    </Modal>
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
  const { eye, target, projection } = scene.view();
  return {
    eye: [...eye],
    target: [...target],
    field_of_view: projection === "orthographic" ? null : FIELD_OF_VIEW,
    view_to_world_scale: projection === "orthographic" ? 2 * Math.hypot(...eye.map((value, i) => value - (target[i] ?? 0))) * Math.tan((FIELD_OF_VIEW * Math.PI) / 360) : null,
    aspect_ratio: 1.6,
    selection: state.selected ? [state.selected] : [],
    shown_only: state.isolated ? [...state.isolated.ids] : null,
    hidden: [],
    spaces_visible: !state.hiddenLayers.includes("spaces"),
    clipping_planes: [],
    snapshot: picture,
  };
}
