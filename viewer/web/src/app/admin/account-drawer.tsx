/** One account: profile and limits, rights, sessions; and what can be done to it. */
import { App, Button, Drawer, Form, Input, Segmented, Skeleton, Tabs } from "antd";
import { useQuery } from "@tanstack/react-query";
import dayjs from "dayjs";
import { KeyRound, LockOpen, Power, PowerOff, ShieldOff } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { del, get, patch, post } from "../../api/client";
import type { Page } from "../../api/types";
import type { Account, LoginSession } from "../../api/identity";
import { Avatar } from "../access/pieces";
import { SessionList } from "../access/session-list";
import { shortTime } from "../lib/format";
import { usePhone } from "../lib/prefs";
import { Failure, useNow } from "../parts";
import { useWrite } from "../queries";
import { useMay, useMe } from "../session";
import { ACCOUNT_LANGUAGES } from "../shell/choices";
import { StatusTags } from "./accounts";
import { GrantRows } from "./grant-rows";
import { PasswordReset } from "./password-reset";
import { RestrictionFields, restrictionsOf, type RestrictionValues } from "./restrictions";

export function AccountDrawer({ name, close }: { name: string | null; close: () => void }): ReactNode {
  const phone = usePhone();
  const { t } = useTranslation();
  const query = useQuery({ queryKey: ["accounts", "one", name], queryFn: ({ signal }) => get<Account>(`/accounts/${encodeURIComponent(name ?? "")}`, {}, signal), enabled: name !== null });
  return (
    <Drawer open={name !== null} onClose={close} size={phone ? "100%" : 560} title={t("access.accounts.account")} destroyOnHidden classNames={{ body: "flush" }}>
      {query.isError ? <Failure error={query.error} retry={() => void query.refetch()} /> : !query.data ? <div className="pad"><Skeleton active /></div> : <Body key={query.data.id} account={query.data} />}
    </Drawer>
  );
}

function Body({ account }: { account: Account }): ReactNode {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const now = useNow(60_000);
  return (
    <div className="account-view">
      <div className="account-head">
        <Avatar name={account.name} label={account.display_name} size={44} />
        <div className="grow">
          <h2>{account.display_name ?? account.name}</h2>
          <p className="muted">{account.name} · {account.last_login_at ? t("access.accounts.lastAt", { at: shortTime(account.last_login_at, i18n.language) }) : t("access.accounts.neverIn")}</p>
        </div>
        <StatusTags account={account} now={now} />
      </div>
      {may("account.write") ? <Actions account={account} /> : null}
      <Tabs className="account-tabs" items={[
        { key: "rights", label: t("access.accounts.rights"), children: <GrantRows account={account.name} /> },
        { key: "profile", label: t("access.accounts.profile"), children: <Profile account={account} /> },
        { key: "sessions", label: t("access.sessions.title"), children: <Sessions account={account} /> },
      ]} />
    </div>
  );
}

const FRESH = ["accounts"];

function Actions({ account }: { account: Account }): ReactNode {
  const { t } = useTranslation();
  const { modal, message } = App.useApp();
  const me = useMe();
  const [resetting, setResetting] = useState(false);
  const path = `/accounts/${account.id}`;
  const unlock = useWrite(() => post(`${path}/unlock`), FRESH, () => void message.success(t("access.accounts.unlocked")));
  const factor = useWrite(() => del(`${path}/second-factor`), FRESH, () => void message.success(t("access.accounts.factorRemoved")));
  const disable = useWrite((disabled: boolean) => patch(path, { disabled }), FRESH);
  const own = account.name === me.name;
  return (
    <div className="account-actions">
      {account.locked ? <Button type="primary" icon={<LockOpen size={15} />} loading={unlock.isPending} onClick={() => unlock.mutate(undefined)}>{t("access.accounts.unlock")}</Button> : null}
      <Button icon={<KeyRound size={15} />} onClick={() => setResetting(true)}>{t("access.password.reset")}</Button>
      {account.second_factor ? (
        <Button icon={<ShieldOff size={15} />} onClick={() => void modal.confirm({
          title: t("access.accounts.factorRemoveSure", { name: account.name }), content: t("access.accounts.factorRemoveHint"), okText: t("access.accounts.factorRemove"), cancelText: t("action.cancel"),
          okButtonProps: { danger: true }, onOk: () => factor.mutateAsync(undefined).catch(() => undefined),
        })}>{t("access.accounts.factorRemove")}</Button>
      ) : null}
      {account.disabled ? (
        <Button icon={<Power size={15} />} loading={disable.isPending} onClick={() => disable.mutate(false)}>{t("access.accounts.enable")}</Button>
      ) : (
        <Button danger icon={<PowerOff size={15} />} disabled={own} title={own ? t("access.accounts.notOneself") : undefined} onClick={() => void modal.confirm({
          title: t("access.accounts.disableSure", { name: account.name }), content: t("access.accounts.disableHint"), okText: t("access.accounts.disable"), cancelText: t("action.cancel"),
          okButtonProps: { danger: true }, onOk: () => disable.mutateAsync(true).catch(() => undefined),
        })}>{t("access.accounts.disable")}</Button>
      )}
      {resetting ? <PasswordReset account={account} close={() => setResetting(false)} /> : null}
    </div>
  );
}

interface ProfileValues extends RestrictionValues {
  display_name?: string | null;
  language?: string | null;
}

function Profile({ account }: { account: Account }): ReactNode {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const may = useMay();
  const save = useWrite((values: ProfileValues) => patch(`/accounts/${account.id}`, {
    display_name: values.display_name?.trim() || null, language: values.language ?? null, ...restrictionsOf(values),
  }), FRESH, () => void message.success(t("access.saved")));
  return (
    <Form layout="vertical" className="tab-form" requiredMark={false} disabled={!may("account.write")} onFinish={(values: ProfileValues) => save.mutate(values)} initialValues={{
      ...account, valid_until: account.valid_until ? dayjs(account.valid_until) : null, login_networks: account.login_networks ?? [],
    }}>
      <Form.Item name="display_name" label={t("access.me.displayName")}><Input maxLength={200} placeholder={account.name} /></Form.Item>
      <Form.Item name="language" label={t("shell.language")}><Segmented options={ACCOUNT_LANGUAGES} /></Form.Item>
      <RestrictionFields />
      {may("account.write") ? <Button type="primary" htmlType="submit" loading={save.isPending}>{t("action.save")}</Button> : null}
    </Form>
  );
}

function Sessions({ account }: { account: Account }): ReactNode {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const may = useMay();
  const path = `/accounts/${account.id}/sessions`;
  const sessions = useQuery({ queryKey: ["account-sessions", account.id], queryFn: ({ signal }) => get<Page<LoginSession>>(path, {}, signal) });
  const items = sessions.data?.items;
  const end = useWrite((id: string) => del(`${path}/${id}`), ["account-sessions"], () => void message.success(t("access.sessions.ended")));
  const endAll = useWrite(() => del(path), ["account-sessions"], () => void message.success(t("access.sessions.ended")));
  return (
    <div className="tab-form">
      <SessionList sessions={items} error={sessions.error} retry={() => void sessions.refetch()} end={may("account.write") ? (one) => end.mutate(one.id) : null} busy={end.isPending} />
      {may("account.write") && items && items.length > 1 ? <Button loading={endAll.isPending} onClick={() => endAll.mutate(undefined)}>{t("access.sessions.endAll")}</Button> : null}
    </div>
  );
}
