/** Turning the second factor off, or new recovery codes: both need the password again. */
import { Alert, Button, Form, Input, Modal } from "antd";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { post, setCsrfToken } from "../../api/client";
import type { Me } from "../../api/identity";
import { useErrorText } from "../parts";
import { RecoveryCodes } from "./recovery-codes";

export default function ConfirmDialog({ kind, close }: { kind: "disable" | "codes"; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const text = useErrorText();
  const act = useMutation({
    mutationFn: async ({ password }: { password: string }) => {
      if (kind === "codes") return (await post<{ recovery_codes: string[] }>("/me/recovery-codes", { password })).recovery_codes;
      setCsrfToken((await post<Me>("/me/second-factor/disable", { password })).csrf_token);
      return null;
    },
    onSuccess: (codes) => {
      if (!codes) close();
    },
  });
  const title = t(kind === "disable" ? "access.factor.turnOff" : "access.recovery.renew");
  return (
    <Modal open title={title} footer={null} width={440} onCancel={close} mask={{ closable: false }} closable={!act.data} keyboard={!act.data}>
      {act.data ? <RecoveryCodes codes={act.data} done={close} /> : (
        <Form layout="vertical" requiredMark={false} onFinish={(values: { password: string }) => act.mutate(values)}>
          <p className="muted form-alert">{t(kind === "disable" ? "access.factor.turnOffHint" : "access.recovery.renewHint")}</p>
          {act.isError ? <Alert type="error" showIcon role="alert" title={text(act.error)} className="form-alert" /> : null}
          <Form.Item name="password" label={t("access.password.current")} rules={[{ required: true, message: t("signIn.passwordMissing") }]}>
            <Input.Password autoComplete="current-password" autoFocus />
          </Form.Item>
          <Button type="primary" danger={kind === "disable"} htmlType="submit" block loading={act.isPending}>{title}</Button>
        </Form>
      )}
    </Modal>
  );
}
