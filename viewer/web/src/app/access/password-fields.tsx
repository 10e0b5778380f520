/** A new password and what it has to be, said while one types. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { Form, Input } from "antd";
import { Check, CircleDot, Server, X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import type { PasswordPolicy } from "../../api/identity";
import { rulesFor, strength, type Rule } from "./policy";

export const usePolicy = (): UseQueryResult<PasswordPolicy> =>
  useQuery({ queryKey: ["password-policy"], queryFn: ({ signal }) => get<PasswordPolicy>("/password-policy", {}, signal), staleTime: 60 * 60_000 });

/** Two form fields, `password` and `repeat`, of the antd form around them. `names`: what must not be in it. */
export function PasswordFields({ names, repeat = true, extra }: { names: readonly string[]; repeat?: boolean; extra?: ReactNode }): ReactNode {
  const { t } = useTranslation();
  const policy = usePolicy().data;
  const password: string = Form.useWatch<string | undefined>("password") ?? "";
  const broken = (text: string): boolean => policy !== undefined && rulesFor(policy, text, names).some((rule) => rule.met === false && rule.key !== "context");
  return (
    <>
      <Form.Item name="password" label={<span className="label-line">{t("access.password.new")}{extra}</span>} validateTrigger="onSubmit" rules={[
        { required: true, message: t("access.password.missing") },
        { validator: (_, text: string) => (text && broken(text) ? Promise.reject(new Error(t("access.password.notYet"))) : Promise.resolve()) },
      ]}>
        <Input.Password autoComplete="new-password" aria-describedby="password-rules" maxLength={policy?.longest ?? 256} />
      </Form.Item>
      {policy ? <PolicyHints policy={policy} password={password} names={names} /> : null}
      {repeat ? (
        <Form.Item name="repeat" label={t("access.password.repeat")} dependencies={["password"]} validateTrigger="onBlur" rules={[
          { required: true, message: t("access.password.repeatMissing") },
          ({ getFieldValue }) => ({
            validator: (_, text: string) => (!text || text === getFieldValue("password") ? Promise.resolve() : Promise.reject(new Error(t("access.password.differ")))),
          }),
        ]}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
      ) : null}
    </>
  );
}

function PolicyHints({ policy, password, names }: { policy: PasswordPolicy; password: string; names: readonly string[] }): ReactNode {
  const { t } = useTranslation();
  const level = strength(policy, password);
  return (
    <div className="policy" id="password-rules">
      <div className={`strength is-${level}`} role="meter" aria-label={t("access.password.strength")} aria-valuemin={0} aria-valuemax={4} aria-valuenow={level}>
        <i /><i /><i /><i />
      </div>
      <ul>
        {rulesFor(policy, password, names).map((rule) => (
          <li key={rule.key} className={password === "" || rule.met === null ? "" : rule.met ? "is-met" : "is-open"}>
            <RuleIcon rule={rule} empty={password === ""} />
            {t(`access.password.rule.${rule.key}`, { shortest: policy.shortest, kinds: policy.kinds, history: policy.history })}
          </li>
        ))}
      </ul>
    </div>
  );
}

function RuleIcon({ rule, empty }: { rule: Rule; empty: boolean }): ReactNode {
  const Icon = rule.met === null ? Server : empty ? CircleDot : rule.met ? Check : X;
  return <Icon size={13} aria-hidden />;
}
