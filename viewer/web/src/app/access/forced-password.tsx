/** A password that has to be changed before anything else: expired, or set by an administrator. */
import { Alert, Button, Form, Input } from "antd";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { post, setCsrfToken } from "../../api/client";
import type { Me } from "../../api/identity";
import { useErrorText } from "../parts";
import { useMe, useRefreshMe, useSignOut } from "../session";
import { AccessCard } from "./access-card";
import { PasswordFields } from "./password-fields";

interface Values {
  current: string;
  password: string;
}

export function usePasswordChange(after: () => void): ReturnType<typeof useMutation<unknown, Error, Values>> {
  const refresh = useRefreshMe();
  return useMutation({
    mutationFn: async ({ current, password }: Values) => {
      setCsrfToken((await post<Me>("/me/password", { current, new: password })).csrf_token);
    },
    onSuccess: async () => {
      await refresh();
      after();
    },
  });
}

export default function ForcedPassword(): ReactNode {
  const { t } = useTranslation();
  const me = useMe();
  const signOut = useSignOut();
  const text = useErrorText();
  const change = usePasswordChange(() => undefined);
  return (
    <AccessCard title={t("access.password.due")} lead={t("access.password.dueLead", { name: me.display_name ?? me.name })} wide>
      {change.isError ? <Alert type="error" showIcon role="alert" title={text(change.error)} /> : null}
      <Form layout="vertical" requiredMark={false} size="large" onFinish={(values: Values) => change.mutate(values)}>
        <input type="text" autoComplete="username" value={me.name} readOnly hidden />
        <Form.Item name="current" label={t("access.password.current")} rules={[{ required: true, message: t("signIn.passwordMissing") }]}>
          <Input.Password autoComplete="current-password" autoFocus />
        </Form.Item>
        <PasswordFields names={[me.name, me.display_name ?? ""]} />
        <Button type="primary" htmlType="submit" block loading={change.isPending}>{t("access.password.save")}</Button>
      </Form>
      <button type="button" className="text-link" onClick={() => void signOut()}>{t("shell.signOut")}</button>
    </AccessCard>
  );
}
