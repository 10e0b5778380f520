/** A new password set by an administrator, handed over once. */
import { Button, Form, Modal, Switch } from "antd";
import { Wand2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { post } from "../../api/client";
import type { Account } from "../../api/identity";
import { PasswordFields, usePolicy } from "../access/password-fields";
import { SecretOnce } from "../access/pieces";
import { suggestPassword } from "../access/policy";
import { useWrite } from "../queries";

interface Values {
  password: string;
  must_change: boolean;
}

export function PasswordReset({ account, close }: { account: Account; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const policy = usePolicy().data;
  const [form] = Form.useForm<Values>();
  const [done, setDone] = useState<string | null>(null);
  const reset = useWrite((values: Values) => post(`/accounts/${account.id}/password`, values), ["accounts", "account-sessions"], (_, values) => setDone(values.password));
  if (done) return <SecretOnce title={t("access.accounts.handOver", { name: account.name })} lead={t("access.accounts.handOverLead")} secret={done} close={close} />;
  return (
    <Modal open title={t("access.password.resetOf", { name: account.name })} width={460} onCancel={close} onOk={form.submit} okText={t("access.password.reset")} cancelText={t("action.cancel")}
      okButtonProps={{ loading: reset.isPending }} mask={{ closable: false }}>
      <p className="muted form-alert">{t("access.password.resetHint")}</p>
      <Form form={form} layout="vertical" requiredMark={false} initialValues={{ must_change: true }} onFinish={(values) => reset.mutate(values)}>
        <PasswordFields repeat={false} names={[account.name, account.display_name ?? ""]} extra={policy ? (
          <Button type="link" size="small" icon={<Wand2 size={13} />} onClick={() => form.setFieldValue("password", suggestPassword(policy))}>{t("access.password.suggest")}</Button>
        ) : null} />
        <Form.Item name="must_change" valuePropName="checked" label={t("access.password.mustChange")} layout="horizontal" className="switch-item"><Switch /></Form.Item>
      </Form>
    </Modal>
  );
}
