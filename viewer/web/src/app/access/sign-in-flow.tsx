/** Name and password, then the second factor where one is asked for. On the sign-in page and in the dialog over a page. */
import { useQuery } from "@tanstack/react-query";
import { Alert, Button, Form, Input } from "antd";
import { ArrowLeft, LogIn } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, get, url } from "../../api/client";
import type { Page } from "../../api/types";
import type { Provider, SecondFactorAsked } from "../../api/identity";
import { useErrorText } from "../parts";
import { isAsked, useSecondStep, useSignIn } from "../session";
import { CodeInput } from "./code-input";
import { returnPath } from "./return-path";
import { dropTicket, ticketOf } from "./ticket";

/** `name` set: only this account can come back. */
export function SignInFlow({ name }: { name?: string }): ReactNode {
  const [asked, setAsked] = useState<SecondFactorAsked | null>(() => ticketOf(window.location.hash));
  useEffect(dropTicket, []);
  const [expired, setExpired] = useState<Error | null>(null);
  if (asked) {
    return <SecondStep asked={asked} back={(error) => {
      setExpired(error);
      setAsked(null);
    }} />;
  }
  return <FirstStep name={name} before={expired} next={setAsked} />;
}

function FirstStep({ name, before, next }: { name: string | undefined; before: Error | null; next: (asked: SecondFactorAsked) => void }): ReactNode {
  const { t } = useTranslation();
  const signIn = useSignIn();
  const [form] = Form.useForm<{ name: string; password: string }>();
  const error = signIn.error ?? (signIn.isPending ? null : before);
  return (
    <>
      {error ? <SignInError error={error} /> : null}
      <Form form={form} layout="vertical" requiredMark={false} size="large" initialValues={{ name }} onFinish={(values) => {
        signIn.mutate(values, {
          onSuccess: (answer) => {
            if (isAsked(answer)) next(answer);
          },
          onError: () => form.setFieldValue("password", ""),
        });
      }}>
        <Form.Item name="name" label={t("signIn.name")} rules={[{ required: true, message: t("signIn.nameMissing") }]}>
          <Input autoComplete="username" autoFocus={!name} autoCapitalize="none" spellCheck={false} readOnly={Boolean(name)} maxLength={200} />
        </Form.Item>
        <Form.Item name="password" label={t("signIn.password")} rules={[{ required: true, message: t("signIn.passwordMissing") }]}>
          <Input.Password autoComplete="current-password" autoFocus={Boolean(name)} maxLength={1000} />
        </Form.Item>
        <Button type="primary" htmlType="submit" block loading={signIn.isPending}>{t("signIn.submit")}</Button>
      </Form>
      <Providers />
      {name ? null : <p className="sign-in-hint">{t("signIn.hint")}</p>}
    </>
  );
}

/** A wrong password is said in our words; everything else the server says better: why not now, why not from here. */
function SignInError({ error }: { error: Error }): ReactNode {
  const { t } = useTranslation();
  const text = useErrorText();
  const code = error instanceof ApiError ? error.code : "";
  if (code !== "login.wrong" || !(error instanceof ApiError)) return <Alert type={code === "offline" ? "warning" : "error"} showIcon role="alert" title={text(error)} />;
  const minutes = minutesOf(error);
  return <Alert type="error" showIcon role="alert" title={t("signIn.wrong")} description={minutes === null ? null : t("signIn.lockHint", { minutes })} />;
}

/** How long a lock-out lasts: the only number in the text of the server, in either language. */
function minutesOf(error: ApiError): number | null {
  const found = /\d+/.exec(error.message)?.[0];
  return found ? Number(found) : null;
}

function Providers(): ReactNode {
  const { t } = useTranslation();
  const providers = useQuery({
    queryKey: ["providers"], queryFn: ({ signal }) => get<Page<Provider>>("/session/providers", {}, signal), staleTime: 5 * 60_000, retry: false,
  });
  const items = providers.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <div className="providers">
      <span className="or">{t("signIn.or")}</span>
      {items.map((one) => (
        <Button key={one.id} size="large" block icon={<LogIn size={16} aria-hidden />} href={url(`/session/oidc/${encodeURIComponent(one.id)}`)}
          onClick={() => returnPath.keep()}>{t("signIn.with", { provider: one.title })}</Button>
      ))}
    </div>
  );
}

function SecondStep({ asked, back }: { asked: SecondFactorAsked; back: (error: Error | null) => void }): ReactNode {
  const { t } = useTranslation();
  const text = useErrorText();
  const second = useSecondStep();
  const [code, setCode] = useState("");
  const [recovery, setRecovery] = useState(!asked.second_factor.includes("totp"));
  const send = (value: string): void => {
    second.mutate({ ticket: asked.ticket, code: value.trim() }, {
      onError: (error) => {
        setCode("");
        // The ticket is used up or too old: only the password brings a new one.
        if (error instanceof ApiError && isTicketOver(error)) back(error);
      },
    });
  };
  return (
    <form className="second-step" onSubmit={(event) => {
      event.preventDefault();
      if (code) send(code);
    }}>
      <p>{t(recovery ? "signIn.recoveryLead" : "signIn.codeLead")}</p>
      {second.isError ? <Alert type="error" showIcon role="alert" title={text(second.error)} /> : null}
      {recovery ? (
        <Input size="large" autoFocus value={code} onChange={(event) => setCode(event.target.value)} aria-label={t("signIn.recoveryCode")} autoComplete="off"
          autoCapitalize="none" spellCheck={false} maxLength={64} className="mono" />
      ) : (
        <CodeInput value={code} onChange={setCode} onComplete={send} label={t("signIn.code")} invalid={second.isError} disabled={second.isPending} />
      )}
      <Button type="primary" htmlType="submit" size="large" block loading={second.isPending} disabled={!code.trim()}>{t("signIn.confirm")}</Button>
      <div className="second-ways">
        <button type="button" className="text-link" onClick={() => back(null)}><ArrowLeft size={14} aria-hidden />{t("action.back")}</button>
        {asked.second_factor.length > 1 ? (
          <button type="button" className="text-link" onClick={() => {
            setRecovery(!recovery);
            setCode("");
            second.reset();
          }}>{t(recovery ? "signIn.useCode" : "signIn.useRecovery")}</button>
        ) : null}
      </div>
    </form>
  );
}

const isTicketOver = (error: ApiError): boolean => error.code.includes("ticket") || error.status === 410;
