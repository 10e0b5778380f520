import { App, Button, Form, Input, Modal, Popconfirm, Segmented, Select, Table, Typography } from "antd";
import { KeyRound, LogOut, Plus, Trash2 } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { del, post } from "../../api/client";
import type { ApiKey } from "../../api/types";
import { changeLanguage, type Language } from "../i18n";
import { shortTime } from "../lib/format";
import { themeChoice } from "../lib/prefs";
import { useStore } from "../lib/store";
import { Failure, IconButton, PageHead } from "../parts";
import { everything, useWrite } from "../queries";
import { useMay, useMe, useSignOut } from "../session";
import { LANGUAGES } from "../shell/choices";
import type { ThemeChoice } from "../theme";

const ROLES = ["administrator", "bim_modeller", "facility_engineer", "duty_operator", "crew", "owner", "auditor", "integration"] as const;

export default function Settings(): ReactNode {
  const { t, i18n } = useTranslation();
  const me = useMe();
  const may = useMay();
  const choice = useStore(themeChoice);
  const signOut = useSignOut();
  return (
    <div className="page-body is-narrow">
      <PageHead title={t("nav.settings")} />
      <section className="card settings">
        <h3>{t("settings.account")}</h3>
        <dl className="facts">
          <div><dt>{t("settings.name")}</dt><dd>{me.display_name ? `${me.display_name} (${me.name})` : me.name}</dd></div>
          <div><dt>{t("settings.roles")}</dt><dd>{me.roles.map((role) => t(`role.${role}` as "role.crew")).join(" · ")}</dd></div>
        </dl>
        <Button icon={<LogOut size={15} />} onClick={() => void signOut()}>{t("shell.signOut")}</Button>
      </section>
      <section className="card settings">
        <h3>{t("settings.look")}</h3>
        <div className="setting"><span>{t("shell.language")}</span>
          <Segmented value={i18n.language} options={LANGUAGES} onChange={(value) => void changeLanguage(value as Language)} />
        </div>
        <div className="setting"><span>{t("shell.theme")}</span>
          <Segmented value={choice} onChange={(value) => themeChoice.set(value as ThemeChoice)}
            options={[{ value: "light", label: t("shell.light") }, { value: "dark", label: t("shell.dark") }, { value: "system", label: t("shell.system") }]} />
        </div>
      </section>
      {may("key.write") ? <Keys /> : null}
    </div>
  );
}

function Keys(): ReactNode {
  const { t, i18n } = useTranslation();
  const { modal } = App.useApp();
  const keys = useQuery({ queryKey: ["keys"], queryFn: ({ signal }) => everything<ApiKey>("/api-keys", {}, signal) });
  const [adding, setAdding] = useState(false);
  const revoke = useWrite((id: string) => del(`/api-keys/${id}`), ["keys"]);
  const create = useWrite((values: { name: string; role: string }) => post<{ key: ApiKey; secret: string }>("/api-keys", values), ["keys"], ({ secret }) => {
    setAdding(false);
    void modal.success({
      title: t("settings.keyMade"),
      content: <><p>{t("settings.keyOnce")}</p><Typography.Text code copyable className="secret">{secret}</Typography.Text></>,
      okText: t("settings.keySaved"),
    });
  });
  return (
    <section className="card settings">
      <header className="card-head">
        <h3><KeyRound size={15} aria-hidden />{t("settings.keys")}</h3>
        <Button size="small" icon={<Plus size={14} />} onClick={() => setAdding(true)}>{t("settings.keyAdd")}</Button>
      </header>
      <p className="muted">{t("settings.keysHint")}</p>
      {keys.isError ? <Failure error={keys.error} retry={() => void keys.refetch()} /> : (
        <Table size="small" rowKey="id" loading={keys.isPending} dataSource={keys.data ?? []} pagination={false} scroll={{ x: "max-content" }}
          locale={{ emptyText: t("settings.keysNone") }} columns={[
            { title: t("settings.keyName"), dataIndex: "name" },
            { title: t("settings.role"), dataIndex: "role", render: (role: string) => t(`role.${role}` as "role.crew") },
            { title: t("settings.keyUsed"), dataIndex: "used_at", render: (at: string | null) => (at ? shortTime(at, i18n.language) : t("settings.never")) },
            { key: "x", width: 40, render: (_, key: ApiKey) => (
              <Popconfirm title={t("settings.keyRevokeSure", { name: key.name })} okText={t("settings.keyRevoke")} cancelText={t("action.cancel")} onConfirm={() => revoke.mutate(key.id)}>
                <span><IconButton icon={Trash2} size={14} label={t("settings.keyRevoke")} /></span>
              </Popconfirm>
            ) },
          ]} />
      )}
      {adding ? <KeyForm busy={create.isPending} close={() => setAdding(false)} submit={(values) => create.mutate(values)} /> : null}
    </section>
  );
}

function KeyForm({ busy, close, submit }: { busy: boolean; close: () => void; submit: (values: { name: string; role: string }) => void }): ReactNode {
  const { t } = useTranslation();
  const [form] = Form.useForm<{ name: string; role: string }>();
  return (
    <Modal open title={t("settings.keyAdd")} onCancel={close} onOk={form.submit} okText={t("settings.keyAdd")} cancelText={t("action.cancel")} okButtonProps={{ loading: busy }}>
      <Form form={form} layout="vertical" requiredMark={false} initialValues={{ role: "integration" }} onFinish={submit}>
        <Form.Item name="name" label={t("settings.keyName")} rules={[{ required: true, whitespace: true, message: t("settings.keyNameMissing") }]}><Input autoFocus maxLength={200} /></Form.Item>
        <Form.Item name="role" label={t("settings.role")}><Select options={ROLES.map((role) => ({ value: role, label: t(`role.${role}`) }))} /></Form.Item>
      </Form>
    </Modal>
  );
}
