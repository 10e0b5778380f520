import { Alert, Button, Form, Input } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useQueryClient } from "@tanstack/react-query";
import { ApiError } from "../../api/client";
import { Logo } from "../shell/logo";
import { LanguageButton, ThemeButton } from "../shell/choices";
import { useErrorText } from "../parts";
import { useSignIn } from "../session";

export function SignIn({ unreachable }: { unreachable: boolean }): ReactNode {
  const { t } = useTranslation();
  const text = useErrorText();
  const client = useQueryClient();
  const signIn = useSignIn();
  const [form] = Form.useForm<{ name: string; password: string }>();
  return (
    <div className="sign-in">
      <div className="sign-in-choices">
        <LanguageButton />
        <ThemeButton />
      </div>
      <main className="sign-in-card">
        <Logo size={40} />
        <h1>{t("signIn.title")}</h1>
        <p>{t("signIn.lead")}</p>
        {unreachable ? (
          <Alert type="warning" showIcon title={t("error.offline")} action={
            <Button size="small" onClick={() => void client.invalidateQueries({ queryKey: ["session"] })}>{t("action.retry")}</Button>
          } />
        ) : null}
        {signIn.isError ? (
          <Alert type="error" showIcon role="alert"
            title={signIn.error instanceof ApiError && signIn.error.status === 401 && signIn.error.code !== "login.locked"
              ? t("signIn.wrong") : text(signIn.error)} />
        ) : null}
        <Form form={form} layout="vertical" requiredMark={false} size="large"
          onFinish={(values) => signIn.mutate(values)}>
          <Form.Item name="name" label={t("signIn.name")} rules={[{ required: true, message: t("signIn.nameMissing") }]}>
            <Input autoComplete="username" autoFocus autoCapitalize="none" spellCheck={false} />
          </Form.Item>
          <Form.Item name="password" label={t("signIn.password")}
            rules={[{ required: true, message: t("signIn.passwordMissing") }]}>
            <Input.Password autoComplete="current-password" />
          </Form.Item>
          <Button type="primary" htmlType="submit" block loading={signIn.isPending}>{t("signIn.submit")}</Button>
        </Form>
        <p className="sign-in-hint">{t("signIn.hint")}</p>
      </main>
    </div>
  );
}
