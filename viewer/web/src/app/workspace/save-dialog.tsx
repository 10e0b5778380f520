/** Keeps a search, rules or a viewpoint: its name, and whether others see it. */
import { Checkbox, Form, Input, Modal } from "antd";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { post } from "../../api/client";
import { useBuilding } from "../context";
import { useWrite } from "../queries";
import { useMay } from "../session";
import type { Content, NewSaved, Saved, SavedKind } from "./queries";

interface Props {
  kind: SavedKind;
  content: () => Content | null;
  suggested?: string;
  picture?: () => Promise<string | null>;
  close: () => void;
}

export function SaveDialog({ kind, content, suggested = "", picture, close }: Props): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const may = useMay();
  const [name, setName] = useState(suggested.slice(0, 100));
  const [shared, setShared] = useState(false);
  const save = useWrite(async () => {
    const kept = content();
    if (!kept) throw new Error(t("error.title"));
    const body: NewSaved = { kind, name: name.trim(), shared, content: kept, picture: picture ? await picture() : null };
    return post<Saved>(`/buildings/${building.id}/saved`, body);
  }, ["saved"], close);
  return (
    <Modal open title={t(`workspace.save.${kind}`)} width={420} onCancel={close} okText={t("action.save")} cancelText={t("action.cancel")}
      okButtonProps={{ disabled: !name.trim(), loading: save.isPending }} onOk={() => save.mutate(undefined)}>
      <Form layout="vertical" onFinish={() => name.trim() && save.mutate(undefined)}>
        <Form.Item label={t("workspace.name")} htmlFor="saved-name">
          <Input id="saved-name" autoFocus maxLength={200} value={name} onChange={(event) => setName(event.target.value)} />
        </Form.Item>
        {may("topic.write") ? <Checkbox checked={shared} onChange={(event) => setShared(event.target.checked)}>{t("workspace.share")}</Checkbox> : null}
      </Form>
    </Modal>
  );
}
