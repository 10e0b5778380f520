/** Setting up the second factor: scan, prove, keep the recovery codes. */
import { Alert, Button, Input, Modal, Skeleton, Steps } from "antd";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, post } from "../../api/client";
import type { Enrolment } from "../../api/identity";
import { CodeInput, CODE_LENGTH } from "../access/code-input";
import { CopyButton } from "../access/pieces";
import { Failure, useErrorText } from "../parts";
import { renewCsrfToken } from "../session";
import { RecoveryCodes } from "./recovery-codes";

export function EnrolDialog({ close }: { close: (enrolled: boolean) => void }): ReactNode {
  const { t } = useTranslation();
  const [codes, setCodes] = useState<string[] | null>(null);
  return (
    <Modal open title={t("access.factor.setUp")} footer={null} width={520} onCancel={() => close(codes !== null)} mask={{ closable: false }} closable={codes === null} keyboard={codes === null}>
      <Steps size="small" responsive={false} current={codes ? 1 : 0} className="enrol-steps" items={[{ title: t("access.factor.step.app") }, { title: t("access.factor.step.codes") }]} />
      {codes ? <RecoveryCodes codes={codes} done={() => close(true)} /> : <Enrol done={setCodes} />}
    </Modal>
  );
}

/** As a picture of its own an SVG needs its namespace, which one that is meant for inside a page leaves out. */
const withNamespace = (svg: string): string => (svg.includes("xmlns=") ? svg : svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"'));

export function Enrol({ done }: { done: (codes: string[]) => void }): ReactNode {
  const { t } = useTranslation();
  const text = useErrorText();
  const [code, setCode] = useState("");
  const [password, setPassword] = useState<string | undefined>();
  // A secret of its own for every opening of the dialog; confirming makes it the account's.
  const enrolment = useQuery({ queryKey: ["enrolment", password], queryFn: () => post<Enrolment>("/me/second-factor", password === undefined ? undefined : { password }), gcTime: 0, staleTime: Number.POSITIVE_INFINITY, refetchOnWindowFocus: false, retry: false });
  const confirm = useMutation({
    mutationFn: async (value: string) => {
      const answer = await post<{ recovery_codes: string[] }>("/me/second-factor/confirm", { code: value });
      await renewCsrfToken();
      return answer.recovery_codes;
    },
    onSuccess: done,
    onError: () => setCode(""),
  });
  const asked = enrolment.error instanceof ApiError && enrolment.error.code === "password.needed";
  if (asked || (password !== undefined && !enrolment.data)) return <ProvePassword error={asked ? null : enrolment.error} waiting={enrolment.isFetching} prove={setPassword} />;
  if (enrolment.isError) return <Failure error={enrolment.error} retry={() => void enrolment.refetch()} />;
  if (!enrolment.data) return <Skeleton active />;
  const { secret, qr_svg: svg } = enrolment.data;
  return (
    <form className="enrol" onSubmit={(event) => {
      event.preventDefault();
      if (code.length === CODE_LENGTH) confirm.mutate(code);
    }}>
      <div className="enrol-scan">
        <img src={`data:image/svg+xml;utf8,${encodeURIComponent(withNamespace(svg))}`} alt={t("access.factor.qr")} width={176} height={176} />
        <div>
          <p>{t("access.factor.scan")}</p>
          <p className="muted">{t("access.factor.manual")}</p>
          <code className="secret-text" data-testid="totp-secret">{secret.replace(/(.{4})(?=.)/g, "$1 ")}</code>
          <CopyButton text={secret} />
        </div>
      </div>
      <p>{t("access.factor.enter")}</p>
      {confirm.isError ? <Alert type="error" showIcon role="alert" title={text(confirm.error)} /> : null}
      <CodeInput value={code} onChange={setCode} onComplete={(value) => confirm.mutate(value)} label={t("signIn.code")} invalid={confirm.isError} disabled={confirm.isPending} />
      <Button type="primary" htmlType="submit" size="large" block loading={confirm.isPending} disabled={code.length < CODE_LENGTH}>{t("access.factor.turnOn")}</Button>
    </form>
  );
}

/** Who signed in a while ago proves who they are: a browser left open must not be enough to take an account over. */
function ProvePassword({ error, waiting, prove }: { error: Error | null; waiting: boolean; prove: (password: string) => void }): ReactNode {
  const { t } = useTranslation();
  const text = useErrorText();
  const [value, setValue] = useState("");
  return (
    <form className="enrol" onSubmit={(event) => {
      event.preventDefault();
      if (value) prove(value);
    }}>
      {error && !waiting ? <Alert type="error" showIcon role="alert" title={text(error)} /> : null}
      <label htmlFor="prove-password">{t("access.password.current")}</label>
      <Input.Password id="prove-password" autoComplete="current-password" autoFocus value={value} onChange={(event) => setValue(event.target.value)} />
      <Button type="primary" htmlType="submit" size="large" block loading={waiting} disabled={!value}>{t("access.factor.goOn")}</Button>
    </form>
  );
}
