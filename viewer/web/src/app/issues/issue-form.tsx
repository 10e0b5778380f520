/** What a new issue is about; a view of the 3D goes with it where there is one. */
import { App, Form, Input, Modal, Select } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { post } from "../../api/client";
import { useBuilding } from "../context";
import { useWrite } from "../queries";
import type { IssueDetail, NewView } from "./queries";
import { useWords } from "./words";

interface Values {
  title: string;
  description?: string;
  topic_type: string;
  priority: string;
}

/** `view` is asked when the issue is saved; `children` stand above the fields. */
export function IssueForm({ view, close, children }: { view: (() => NewView) | null; close: () => void; children?: ReactNode }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const words = useWords();
  const navigate = useNavigate();
  const [form] = Form.useForm<Values>();
  const make = useWrite(
    (values: Values) => post<IssueDetail>("/topics", { building: building.id, ...values, viewpoint: view?.() ?? null }),
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
      {children}
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
