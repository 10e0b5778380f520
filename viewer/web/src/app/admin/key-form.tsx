/** A new API key, or other limits for one. The secret is shown once. */
import { Button, DatePicker, Drawer, Form, Input, InputNumber, Select } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { patch, post } from "../../api/client";
import type { ApiKey } from "../../api/identity";
import { SecretOnce } from "../access/pieces";
import { usePhone } from "../lib/prefs";
import { useBuildings, useWrite } from "../queries";
import { RoleSelect } from "./grant-form";
import { usePermissions, useRoles } from "./queries";
import { NetworksItem } from "./restrictions";
import { usePermissionTitle } from "./role-matrix";

interface Values {
  name: string;
  role: string;
  buildings?: string[];
  scopes?: string[];
  networks?: string[];
  expires_at?: Dayjs | null;
  rate?: number | null;
  concurrency?: number | null;
}

export function KeyForm({ of, close }: { of?: ApiKey; close: (made: string | null) => void }): ReactNode {
  const { t } = useTranslation();
  const phone = usePhone();
  const [form] = Form.useForm<Values>();
  const [made, setMade] = useState<{ key: ApiKey; secret: string } | null>(null);
  const save = useWrite(async (values: Values) => {
    const limits = {
      name: values.name.trim(), scopes: values.scopes && values.scopes.length > 0 ? values.scopes : null, networks: values.networks ?? [],
      expires_at: values.expires_at?.toISOString() ?? null, rate: values.rate ?? null, concurrency: values.concurrency ?? null,
    };
    if (of) return void (await patch(`/api-keys/${of.id}`, limits));
    setMade(await post<{ key: ApiKey; secret: string }>("/api-keys", { ...limits, role: values.role, ...(values.buildings?.length ? { buildings: values.buildings } : {}) }));
  }, ["keys", "grants", "roles"], () => {
    if (of) close(null);
  });
  if (made) {
    return <SecretOnce title={t("settings.keyMade")} lead={t("settings.keyOnce")} secret={made.secret} close={() => close(made.key.id)}
      note={<pre className="usage-note">{`curl -H "Authorization: Bearer ${made.secret.slice(0, 9)}…" ${window.location.origin}/api/v1/session`}</pre>} />;
  }
  return (
    <Drawer open size={phone ? "100%" : 500} title={of ? t("access.keys.edit") : t("settings.keyAdd")} onClose={() => close(null)} mask={{ closable: false }}
      footer={<div className="drawer-foot"><Button onClick={() => close(null)}>{t("action.cancel")}</Button><Button type="primary" loading={save.isPending} onClick={form.submit}>{of ? t("action.save") : t("access.keys.create")}</Button></div>}>
      <Form form={form} layout="vertical" requiredMark={false} onFinish={(values) => save.mutate(values)}
        initialValues={of ? { ...of, scopes: of.scopes ?? [], expires_at: of.expires_at ? dayjs(of.expires_at) : null } : { role: "integration", expires_at: dayjs().add(1, "year").hour(0).minute(0).second(0).millisecond(0) }}>
        <Form.Item name="name" label={t("settings.keyName")} extra={t("access.keys.nameHint")} rules={[{ required: true, whitespace: true, message: t("settings.keyNameMissing") }]}><Input autoFocus maxLength={100} autoComplete="off" /></Form.Item>
        {of ? null : (
          <>
            <Form.Item name="role" label={t("settings.role")} rules={[{ required: true, message: t("access.grants.roleMissing") }]}><RoleSelect /></Form.Item>
            <Form.Item name="buildings" label={t("access.keys.buildings")} extra={t("access.keys.buildingsHint")}><BuildingsSelect /></Form.Item>
          </>
        )}
        <Form.Item name="scopes" label={t("access.keys.scopes")} extra={t("access.keys.scopesHint")}><ScopesSelect held={of?.roles} /></Form.Item>
        <Form.Item name="expires_at" label={t("access.keys.expiry")} extra={t("access.keys.expiryHint")}><DatePicker showTime={{ format: "HH:mm" }} format="YYYY-MM-DD HH:mm" className="full" placeholder={t("access.keys.noExpiry")} minDate={dayjs()} /></Form.Item>
        <NetworksItem name="networks" />
        <div className="form-pair">
          <Form.Item name="rate" label={t("access.keys.rate")}><InputNumber min={1} max={1_000_000} className="full" placeholder={t("access.keys.standard")} /></Form.Item>
          <Form.Item name="concurrency" label={t("access.keys.concurrency")}><InputNumber min={1} max={1000} className="full" placeholder={t("access.keys.standard")} /></Form.Item>
        </div>
      </Form>
    </Drawer>
  );
}

function BuildingsSelect({ value, onChange, id }: { value?: string[]; onChange?: (value: string[]) => void; id?: string }): ReactNode {
  const { t } = useTranslation();
  const buildings = useBuildings();
  return <Select {...(id ? { id } : {})} mode="multiple" value={value ?? []} {...(onChange ? { onChange } : {})} placeholder={t("access.place.everywhere")} loading={buildings.isPending} showSearch={{ optionFilterProp: "label" }} options={(buildings.data ?? []).map((one) => ({ value: one.id, label: one.name }))} />;
}

/** Of what the role gives, only these: least privilege for a program that needs one thing. */
function ScopesSelect({ value, onChange, id, held: roleNames }: { value?: string[]; onChange?: (value: string[]) => void; id?: string; held?: string[] | undefined }): ReactNode {
  const { t } = useTranslation();
  const form = Form.useFormInstance<Values>();
  const chosen = Form.useWatch("role", form);
  const names = roleNames ?? (chosen ? [chosen] : []);
  const roles = useRoles();
  const permissions = usePermissions();
  const title = usePermissionTitle();
  const held = names.length > 0 ? roles.data?.filter((one) => names.includes(one.name)).flatMap((one) => one.permissions) : undefined;
  return (
    <Select {...(id ? { id } : {})} mode="multiple" value={value ?? []} {...(onChange ? { onChange } : {})} placeholder={t("access.keys.allOfRole")} loading={permissions.isPending} showSearch={{ optionFilterProp: "label" }} maxTagCount={6}
      options={(permissions.data ?? []).filter((one) => !held || held.includes(one.name)).map((one) => ({ value: one.name, label: title(one) }))} />
  );
}
