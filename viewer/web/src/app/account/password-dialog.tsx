import { Alert, Form, Input, Modal } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { usePasswordChange } from "../access/forced-password";
import { PasswordFields } from "../access/password-fields";
import { useErrorText } from "../parts";
import { useMe } from "../session";

export function PasswordDialog({ close }: { close: (changed: boolean) => void }): ReactNode {
  const { t } = useTranslation();
  const me = useMe();
  const text = useErrorText();
  const [form] = Form.useForm<{ current: string; password: string }>();
  const change = usePasswordChange(() => close(true));
  return (
    <Modal open title={t("access.password.change")} width={440} onCancel={() => close(false)} onOk={form.submit} okText={t("access.password.save")} cancelText={t("action.cancel")}
      okButtonProps={{ loading: change.isPending }} mask={{ closable: false }}>
      {change.isError ? <Alert type="error" showIcon role="alert" title={text(change.error)} className="form-alert" /> : null}
      <Form form={form} layout="vertical" requiredMark={false} onFinish={(values) => change.mutate(values)}>
        <input type="text" autoComplete="username" value={me.name} readOnly hidden />
        <Form.Item name="current" label={t("access.password.current")} rules={[{ required: true, message: t("signIn.passwordMissing") }]}>
          <Input.Password autoComplete="current-password" autoFocus />
        </Form.Item>
        <PasswordFields names={[me.name, me.display_name ?? ""]} />
        <p className="muted">{t("access.password.endsOthers")}</p>
      </Form>
    </Modal>
  );
}
