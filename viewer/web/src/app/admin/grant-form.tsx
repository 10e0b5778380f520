/** A new grant: who, which role, where; said as one sentence before it is made. */
import { Alert, Form, Modal, Segmented, Select } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { post } from "../../api/client";
import { useRoleName } from "../lib/roles";
import { useWrite } from "../queries";
import { GRANTS_TOUCH } from "./grants-shared";
import { EVERYWHERE, isPicked, placeField, PlacePicker, type PickedPlace } from "./place-picker";
import { useAccounts, useKeys, usePermissions, useRoles } from "./queries";

export interface Subject {
  kind: "account" | "key";
  id: string;
  name?: string;
}

interface Values {
  kind: "account" | "key";
  subject: string;
  role: string;
  place: PickedPlace;
}

export function GrantForm({ subject, close }: { subject: Subject | null; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const [form] = Form.useForm<Values>();
  const kind = Form.useWatch("kind", form) ?? subject?.kind ?? "account";
  const role = Form.useWatch("role", form);
  const place = Form.useWatch("place", form);
  const save = useWrite((values: Values) => post("/grants", { [values.kind]: values.subject, role: values.role, ...placeField(values.place) }), GRANTS_TOUCH, close);
  return (
    <Modal open title={t("access.grants.new")} width={540} onCancel={close} onOk={form.submit} okText={t("access.grants.give")} cancelText={t("action.cancel")} okButtonProps={{ loading: save.isPending }} destroyOnHidden>
      <Form form={form} layout="vertical" requiredMark={false} onFinish={(values) => save.mutate({ ...values, kind: values.kind ?? kind })}
        initialValues={{ kind: subject?.kind ?? "account", subject: subject?.id, place: EVERYWHERE }}>
        <Form.Item name="kind" label={t("access.grants.who")} hidden={subject !== null}>
          <Segmented onChange={() => form.setFieldValue("subject", undefined)} options={[{ value: "account", label: t("access.grants.account") }, { value: "key", label: t("access.grants.key") }]} />
        </Form.Item>
        <Form.Item name="subject" hidden={subject !== null} rules={[{ required: true, message: t("access.grants.whoMissing") }]}>
          {kind === "account" ? <AccountSelect /> : <KeySelect />}
        </Form.Item>
        <Form.Item name="role" label={t("settings.role")} rules={[{ required: true, message: t("access.grants.roleMissing") }]}><RoleSelect /></Form.Item>
        <Form.Item name="place" label={t("access.grants.where")} rules={[{ validator: (_, value: PickedPlace) => (isPicked(value) ? Promise.resolve() : Promise.reject(new Error(t("access.grants.placeMissing")))) }]}>
          <PlacePicker />
        </Form.Item>
      </Form>
      {role && place && place.kind !== "everywhere" ? <UnscopedNote role={role} /> : null}
    </Modal>
  );
}

/** Permissions that concern the whole server count only from a grant everywhere: better said now than wondered about. */
function UnscopedNote({ role }: { role: string }): ReactNode {
  const { t, i18n } = useTranslation();
  const roles = useRoles();
  const permissions = usePermissions();
  const held = roles.data?.find((one) => one.name === role)?.permissions ?? [];
  const lost = (permissions.data ?? []).filter((one) => !one.scoped && held.includes(one.name));
  if (lost.length === 0) return null;
  const names = lost.slice(0, 4).map((one) => (i18n.language === "en" ? one.title.en : one.title.zh)).join(i18n.language === "en" ? "; " : "；");
  return <Alert type="info" showIcon title={t("access.grants.unscoped", { count: lost.length })} description={`${names}${lost.length > 4 ? " …" : ""}`} />;
}

interface Choice {
  value?: string;
  onChange?: (value: string) => void;
  id?: string;
}

export function AccountSelect({ value, onChange, id }: Choice): ReactNode {
  const { t } = useTranslation();
  const accounts = useAccounts();
  return (
    <Select {...(id ? { id } : {})} showSearch={{ optionFilterProp: "label" }} value={value ?? null} loading={accounts.isPending} placeholder={t("access.grants.chooseAccount")} aria-label={t("access.grants.account")}
      onChange={(next: string | null) => next && onChange?.(next)}
      options={(accounts.data ?? []).filter((one) => !one.disabled).map((one) => ({ value: one.name, label: one.display_name ? `${one.display_name} (${one.name})` : one.name }))} />
  );
}

function KeySelect({ value, onChange, id }: Choice): ReactNode {
  const { t } = useTranslation();
  const keys = useKeys();
  return (
    <Select {...(id ? { id } : {})} showSearch={{ optionFilterProp: "label" }} value={value ?? null} loading={keys.isPending} placeholder={t("access.grants.chooseKey")} aria-label={t("access.grants.key")}
      onChange={(next: string | null) => next && onChange?.(next)} options={(keys.data ?? []).map((one) => ({ value: one.id, label: one.name }))} />
  );
}

export function RoleSelect({ value, onChange, id }: Choice): ReactNode {
  const { t } = useTranslation();
  const roles = useRoles();
  const roleName = useRoleName();
  return (
    <Select {...(id ? { id } : {})} showSearch={{ optionFilterProp: "label" }} value={value ?? null} loading={roles.isPending} placeholder={t("access.grants.chooseRole")} aria-label={t("settings.role")}
      onChange={(next: string | null) => next && onChange?.(next)}
      options={(roles.data ?? []).map((one) => ({ value: one.name, label: roleName(one.name), count: one.permissions.length }))}
      optionRender={(option) => <span className="menu-row"><span>{option.label}</span><small>{t("access.roles.count", { count: (option.data as { count: number }).count })}</small></span>} />
  );
}
