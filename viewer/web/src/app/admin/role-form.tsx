/** A new role, empty or as a copy, or another name for one. */
import { Form, Input, Modal } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { patch, post } from "../../api/client";
import type { Role } from "../../api/identity";
import { useWrite } from "../queries";

export type RoleFormOf = { kind: "new"; permissions: readonly string[]; from?: string } | { kind: "rename"; role: Role };

interface Values {
  name: string;
  title: string;
}

/** A name for programs out of a title for people: `Night shift lead` → `night_shift_lead`. */
export const slug = (title: string): string => title.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 40);

export function RoleForm({ of, close }: { of: RoleFormOf; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const [form] = Form.useForm<Values>();
  const save = useWrite((values: Values) => (of.kind === "rename"
    ? patch(`/roles/${encodeURIComponent(of.role.name)}`, { title: values.title.trim() })
    : post("/roles", { name: values.name, title: values.title.trim(), permissions: of.permissions })), ["roles"], close);
  const title = of.kind === "rename" ? t("access.roles.rename") : of.from ? t("access.roles.copyOf", { role: of.from }) : t("access.roles.new");
  return (
    <Modal open title={title} width={440} onCancel={close} onOk={form.submit} okText={t(of.kind === "rename" ? "action.save" : "access.roles.create")} cancelText={t("action.cancel")} okButtonProps={{ loading: save.isPending }}>
      <Form form={form} layout="vertical" requiredMark={false} onFinish={(values) => save.mutate(values)} initialValues={of.kind === "rename" ? { title: of.role.title.zh } : {}}
        onValuesChange={(changed: Partial<Values>) => {
          if (changed.title !== undefined && of.kind === "new" && !form.isFieldTouched("name")) form.setFieldValue("name", slug(changed.title));
        }}>
        <Form.Item name="title" label={t("access.roles.title")} rules={[{ required: true, whitespace: true, message: t("access.roles.titleMissing") }]}>
          <Input autoFocus maxLength={100} placeholder={t("access.roles.titleHint")} />
        </Form.Item>
        {of.kind === "new" ? (
          <Form.Item name="name" label={t("access.roles.name")} extra={t("access.roles.nameHint")} rules={[{ required: true, pattern: /^[a-z][a-z0-9_]*$/, message: t("access.roles.nameWrong") }]}>
            <Input className="mono" autoComplete="off" spellCheck={false} maxLength={40} />
          </Form.Item>
        ) : null}
      </Form>
    </Modal>
  );
}
