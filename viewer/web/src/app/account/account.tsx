/** My account: who I am, what I may do, how I sign in, where I am signed in. */
import { App, Button, Form, Input, Segmented } from "antd";
import { KeyRound, LogOut, MonitorSmartphone, Palette, ShieldCheck, ShieldOff, UserRound } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { del, get, patch } from "../../api/client";
import type { Page } from "../../api/types";
import type { LoginSession, Me } from "../../api/identity";
import { Avatar, PlaceName, Tag } from "../access/pieces";
import { SessionList } from "../access/session-list";
import { accountLanguage, changeLanguage, type Language } from "../i18n";
import { themeChoice } from "../lib/prefs";
import { useRoleName } from "../lib/roles";
import { useStore } from "../lib/store";
import { useWrite } from "../queries";
import { useMe, useRefreshMe, useSignOut } from "../session";
import { LANGUAGES } from "../shell/choices";
import type { ThemeChoice } from "../theme";
import { PasswordDialog } from "./password-dialog";

const EnrolDialog = lazy(() => import("./second-factor").then((module) => ({ default: module.EnrolDialog })));
const ConfirmDialog = lazy(() => import("./factor-confirm"));

export default function Account(): ReactNode {
  const { t } = useTranslation();
  const me = useMe();
  const signOut = useSignOut();
  return (
    <div className="page-body is-narrow">
      <header className="page-head who-head">
        <Avatar name={me.name} label={me.display_name} size={46} />
        <div>
          <h1>{t("nav.account")}</h1>
          <p>{me.display_name ? `${me.display_name} (${me.name})` : me.name}</p>
        </div>
        <div className="page-actions"><Button icon={<LogOut size={15} />} onClick={() => void signOut()}>{t("shell.signOut")}</Button></div>
      </header>
      <Profile key={me.display_name} me={me} />
      <Security me={me} />
      <Sessions />
      <Rights me={me} />
    </div>
  );
}

function Profile({ me }: { me: Me }): ReactNode {
  const { t, i18n } = useTranslation();
  const { message } = App.useApp();
  const choice = useStore(themeChoice);
  const refresh = useRefreshMe();
  const save = useWrite((changes: { display_name?: string | null; language?: string }) => patch("/me", changes), [], () => void refresh());
  return (
    <section className="card settings">
      <h2><UserRound size={15} aria-hidden />{t("access.me.profile")}</h2>
      <Form className="setting" initialValues={{ display_name: me.display_name }} onFinish={(values: { display_name?: string }) => {
        save.mutate({ display_name: values.display_name?.trim() || null }, { onSuccess: () => void message.success(t("access.saved")) });
      }}>
        <label htmlFor="display_name">{t("access.me.displayName")}</label>
        <span className="setting-field">
          <Form.Item name="display_name" noStyle><Input id="display_name" maxLength={200} placeholder={me.name} autoComplete="name" /></Form.Item>
          <Button htmlType="submit" loading={save.isPending}>{t("action.save")}</Button>
        </span>
      </Form>
      <h2 className="sub-head"><Palette size={15} aria-hidden />{t("settings.look")}</h2>
      <div className="setting"><span>{t("shell.language")}</span>
        <Segmented value={i18n.language} options={LANGUAGES} onChange={(value) => {
          void changeLanguage(value as Language);
          save.mutate({ language: accountLanguage(value) });
        }} />
      </div>
      <div className="setting"><span>{t("shell.theme")}</span>
        <Segmented value={choice} onChange={(value) => themeChoice.set(value as ThemeChoice)}
          options={[{ value: "light", label: t("shell.light") }, { value: "dark", label: t("shell.dark") }, { value: "system", label: t("shell.system") }]} />
      </div>
    </section>
  );
}

type Dialog = "password" | "enrol" | "disable" | "codes" | null;

function Security({ me }: { me: Me }): ReactNode {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const refresh = useRefreshMe();
  const [dialog, setDialog] = useState<Dialog>(null);
  const close = (): void => setDialog(null);
  return (
    <section className="card settings">
      <h2><ShieldCheck size={15} aria-hidden />{t("access.me.security")}</h2>
      <div className="setting">
        <span className="setting-text"><b>{t("signIn.password")}</b><small>{t("access.me.passwordHint")}</small></span>
        <Button icon={<KeyRound size={15} />} onClick={() => setDialog("password")}>{t("access.password.change")}</Button>
      </div>
      <div className="setting">
        <span className="setting-text">
          <span className="row-line"><b>{t("access.factor.title")}</b>{me.second_factor ? <Tag tone="ok" icon={ShieldCheck}>{t("access.factor.on")}</Tag> : <Tag tone="plain" icon={ShieldOff}>{t("access.factor.off")}</Tag>}</span>
          <small>{t("access.factor.hint")}</small>
        </span>
        {me.second_factor ? (
          <span className="detail-actions">
            <Button onClick={() => setDialog("codes")}>{t("access.recovery.renew")}</Button>
            <Button onClick={() => setDialog("disable")}>{t("access.factor.turnOff")}</Button>
          </span>
        ) : <Button type="primary" onClick={() => setDialog("enrol")}>{t("access.factor.setUp")}</Button>}
      </div>
      {dialog === "password" ? <PasswordDialog close={(changed) => {
        close();
        if (changed) void message.success(t("access.password.changed"));
      }} /> : null}
      <Suspense fallback={null}>
        {dialog === "enrol" ? <EnrolDialog close={(enrolled) => {
          close();
          if (enrolled) void message.success(t("access.factor.enrolled"));
          void refresh();
        }} /> : null}
        {dialog === "disable" || dialog === "codes" ? <ConfirmDialog kind={dialog} close={() => {
          close();
          void refresh();
        }} /> : null}
      </Suspense>
    </section>
  );
}

function Sessions(): ReactNode {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const sessions = useQuery({ queryKey: ["my-sessions"], queryFn: ({ signal }) => get<Page<LoginSession>>("/me/sessions", {}, signal) });
  const items = sessions.data?.items;
  const end = useWrite((id: string) => del(`/me/sessions/${id}`), ["my-sessions"], () => void message.success(t("access.sessions.ended")));
  const others = items?.filter((one) => !one.current) ?? [];
  const endAll = useWrite(async () => {
    for (const one of others) await del(`/me/sessions/${one.id}`);
  }, ["my-sessions"], () => void message.success(t("access.sessions.ended")));
  return (
    <section className="card settings">
      <header className="card-head">
        <h2><MonitorSmartphone size={15} aria-hidden />{t("access.sessions.title")}</h2>
        {others.length > 0 ? <Button size="small" loading={endAll.isPending} onClick={() => endAll.mutate(undefined)}>{t("access.sessions.endOthers")}</Button> : null}
      </header>
      <SessionList sessions={items} error={sessions.error} retry={() => void sessions.refetch()} end={(one) => end.mutate(one.id)} busy={end.isPending || endAll.isPending} />
    </section>
  );
}

function Rights({ me }: { me: Me }): ReactNode {
  const { t } = useTranslation();
  const roleName = useRoleName();
  return (
    <section className="card settings">
      <h2><ShieldCheck size={15} aria-hidden />{t("access.me.rights")}</h2>
      {me.grants.length === 0 ? <p className="muted">{t("access.me.noRights")}</p> : (
        <ul className="grant-rows">{me.grants.map((one) => <li key={one.id}><b>{roleName(one.role)}</b><PlaceName place={one.place} /></li>)}</ul>
      )}
      <p className="muted">{t("access.me.rightsHint", { count: me.permissions.length })}</p>
    </section>
  );
}
