/** A new account: its name, a first password to hand over, what it may do, and limits if there are any. */
import { App, Button, Drawer, Form, Input, Segmented, Select, Switch } from "antd";
import { ChevronRight, Wand2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { patch, post } from "../../api/client";
import type { Account } from "../../api/identity";
import { SecretOnce } from "../access/pieces";
import { PasswordFields, usePolicy } from "../access/password-fields";
import { suggestPassword } from "../access/policy";
import { useRoleName } from "../lib/roles";
import { usePhone } from "../lib/prefs";
import { useWrite } from "../queries";
import { accountLanguage } from "../i18n";
import { ACCOUNT_LANGUAGES } from "../shell/choices";
import { EVERYWHERE, isPicked, placeField, PlacePicker, type PickedPlace } from "./place-picker";
import { useRoles } from "./queries";
import { isRestricted, RestrictionFields, restrictionsOf, type RestrictionValues } from "./restrictions";

interface Values extends RestrictionValues {
  name: string;
  display_name?: string;
  password: string;
  must_change: boolean;
  language: string;
  role?: string;
  place: PickedPlace;
}

export function NewAccount({ close }: { close: (made: string | null) => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const { message } = App.useApp();
  const phone = usePhone();
  const roles = useRoles();
  const roleName = useRoleName();
  const policy = usePolicy().data;
  const [form] = Form.useForm<Values>();
  const name = Form.useWatch("name", form) ?? "";
  const role = Form.useWatch("role", form);
  const [made, setMade] = useState<{ name: string; password: string } | null>(null);
  const save = useWrite(async (values: Values) => {
    const account = await post<Account>("/accounts", {
      name: values.name.trim(), display_name: values.display_name?.trim() || null, password: values.password, must_change_password: values.must_change,
      language: values.language, roles: [],
    });
    if (isRestricted(values)) await patch(`/accounts/${account.id}`, restrictionsOf(values));
    if (values.role) await post("/grants", { account: account.name, role: values.role, ...placeField(values.place) });
    return account;
  }, ["accounts", "grants", "roles"], (account, values) => {
    void message.success(t("access.accounts.made", { name: account.name }));
    setMade({ name: account.name, password: values.password });
  });
  if (made) {
    return <SecretOnce title={t("access.accounts.handOver", { name: made.name })} lead={t("access.accounts.handOverLead")} secret={made.password} close={() => close(made.name)} />;
  }
  return (
    <Drawer open size={phone ? "100%" : 520} title={t("access.accounts.new")} onClose={() => close(null)} mask={{ closable: false }}
      footer={<div className="drawer-foot"><Button onClick={() => close(null)}>{t("action.cancel")}</Button><Button type="primary" loading={save.isPending} onClick={form.submit}>{t("access.accounts.create")}</Button></div>}>
      <Form form={form} layout="vertical" requiredMark={false} onFinish={(values) => save.mutate(values)}
        initialValues={{ must_change: true, language: accountLanguage(i18n.language), place: EVERYWHERE, require_second_factor: false }}>
        <div className="form-pair">
          <Form.Item name="name" label={t("access.accounts.name")} extra={t("access.accounts.nameHint")} rules={[{ required: true, whitespace: true, message: t("signIn.nameMissing") }]}>
            <Input autoFocus autoComplete="off" autoCapitalize="none" spellCheck={false} maxLength={64} />
          </Form.Item>
          <Form.Item name="display_name" label={t("access.me.displayName")}><Input autoComplete="off" maxLength={200} /></Form.Item>
        </div>
        <PasswordFields repeat={false} names={[name]} extra={policy ? (
          <button type="button" className="text-link" onClick={() => form.setFieldValue("password", suggestPassword(policy))}><Wand2 size={13} aria-hidden />{t("access.password.suggest")}</button>
        ) : null} />
        <Form.Item name="must_change" valuePropName="checked" label={t("access.password.mustChange")} layout="horizontal" className="switch-item"><Switch /></Form.Item>
        <Form.Item name="language" label={t("shell.language")}><Segmented options={ACCOUNT_LANGUAGES} /></Form.Item>
        <Form.Item name="role" label={t("access.accounts.firstRole")} extra={t("access.accounts.firstRoleHint")}>
          <Select allowClear showSearch={{ optionFilterProp: "label" }} placeholder={t("access.grants.chooseRole")} loading={roles.isPending}
            options={(roles.data ?? []).map((one) => ({ value: one.name, label: roleName(one.name) }))} />
        </Form.Item>
        {role ? (
          <Form.Item name="place" label={t("access.grants.where")} rules={[{ validator: (_, place: PickedPlace) => (isPicked(place) ? Promise.resolve() : Promise.reject(new Error(t("access.grants.placeMissing")))) }]}>
            <PlacePicker />
          </Form.Item>
        ) : null}
        <details className="group form-group">
          <summary><ChevronRight size={13} aria-hidden /><span>{t("access.accounts.limits")}</span></summary>
          <div><RestrictionFields /></div>
        </details>
      </Form>
    </Drawer>
  );
}
