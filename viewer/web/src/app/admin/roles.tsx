/** Roles: what each may do. Built-in ones are fixed; custom ones are changed here, all at once, after one look at the changes. */
import { App, Button, Select, Switch } from "antd";
import { Globe2, Plus, Save, Undo2, Users } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { del, patch } from "../../api/client";
import type { Role } from "../../api/identity";
import { usePhone } from "../lib/prefs";
import { useRoleName } from "../lib/roles";
import { Failure, PageHead } from "../parts";
import { RowSkeletons } from "../pages/alarms";
import { useWrite } from "../queries";
import { useMay } from "../session";
import { changesOf, grouped, has, toggled, type Draft, type Group, type RoleChange } from "./matrix";
import { usePermissions, useRoles } from "./queries";
import { RoleForm, type RoleFormOf } from "./role-form";
import { RoleMatrix, usePermissionTitle, type RoleActs } from "./role-matrix";
import { ROLE_WRITE } from "./roles-shared";

export default function Roles(): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const phone = usePhone();
  const roles = useRoles();
  const permissions = usePermissions();
  const [draft, setDraft] = useState<Draft>({});
  const [form, setForm] = useState<RoleFormOf | null>(null);
  const acts = useActs(setForm);
  const editable = may(ROLE_WRITE);
  const changes = changesOf(roles.data ?? [], draft);
  const groups = grouped(permissions.data ?? []);
  const toggle = (role: Role, permission: string): void => setDraft((before) => toggled(role, before, permission));
  const error = roles.error ?? permissions.error;
  const sorted = roles.data?.toSorted((a, b) => Number(b.builtin) - Number(a.builtin)) ?? [];
  return (
    <div className={`page-body is-wide${changes.length > 0 ? " has-save-bar" : ""}`}>
      <PageHead title={t("access.section.roles")} sub={t("access.roles.sub")}>
        {editable ? <Button type="primary" icon={<Plus size={15} />} onClick={() => setForm({ kind: "new", permissions: [] })}>{t("access.roles.new")}</Button> : null}
      </PageHead>
      {error ? <Failure error={error} retry={() => void Promise.all([roles.refetch(), permissions.refetch()])} /> : !roles.data || !permissions.data ? <RowSkeletons /> : phone ? (
        <RoleList roles={sorted} groups={groups} draft={draft} toggle={toggle} editable={editable} acts={editable ? acts : null} />
      ) : <RoleMatrix roles={sorted} groups={groups} draft={draft} toggle={toggle} editable={editable} acts={editable ? acts : null} />}
      {changes.length > 0 ? <SaveBar changes={changes} done={() => setDraft({})} /> : null}
      {form ? <RoleForm of={form} close={() => setForm(null)} /> : null}
    </div>
  );
}

function useActs(open: (form: RoleFormOf) => void): RoleActs {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const roleName = useRoleName();
  const remove = useWrite((role: Role) => del(`/roles/${encodeURIComponent(role.name)}`), ["roles"]);
  return {
    rename: (role) => open({ kind: "rename", role }),
    copy: (role) => open({ kind: "new", permissions: role.permissions, from: roleName(role.name) }),
    remove: (role) => void modal.confirm({
      title: t("access.roles.deleteSure", { name: roleName(role.name) }), okText: t("action.delete"), cancelText: t("action.cancel"), okButtonProps: { danger: true },
      onOk: () => remove.mutateAsync(role).catch(() => undefined),
    }),
  };
}

/** What would change, in words, before it does; leaving the page with changes asks first. */
function SaveBar({ changes, done }: { changes: RoleChange[]; done: () => void }): ReactNode {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const roleName = useRoleName();
  const save = useWrite(async () => {
    for (const { role, added, removed } of changes) {
      await patch(`/roles/${encodeURIComponent(role.name)}`, { permissions: [...role.permissions.filter((one) => !removed.includes(one)), ...added] });
    }
  }, ["roles", "session"], () => {
    done();
    void message.success(t("access.roles.saved"));
  });
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, []);
  return (
    <div className="save-bar" role="status">
      <span className="grow">
        {changes.map(({ role, added, removed }) => (
          <span key={role.name} className="save-part" title={[...added.map((one) => `+ ${one}`), ...removed.map((one) => `− ${one}`)].join("\n")}>
            <b>{roleName(role.name)}</b>
            {added.length > 0 ? <span className="is-added num">+{added.length}</span> : null}
            {removed.length > 0 ? <span className="is-removed num">−{removed.length}</span> : null}
            {role.grants > 0 ? <span className="muted">{t("access.roles.affects", { count: role.grants })}</span> : null}
          </span>
        ))}
      </span>
      <Button icon={<Undo2 size={15} />} onClick={done}>{t("access.roles.discard")}</Button>
      <Button type="primary" icon={<Save size={15} />} loading={save.isPending} onClick={() => save.mutate(undefined)}>{t("access.roles.save")}</Button>
    </div>
  );
}

/** The same on a phone: one role at a time, as a list. */
function RoleList({ roles, groups, draft, toggle, editable, acts }: {
  roles: readonly Role[]; groups: readonly Group[]; draft: Draft; toggle: (role: Role, permission: string) => void; editable: boolean; acts: RoleActs | null;
}): ReactNode {
  const { t } = useTranslation();
  const title = usePermissionTitle();
  const roleName = useRoleName();
  const [params, setParams] = useSearchParams();
  const role = roles.find((one) => one.name === params.get("role")) ?? roles[0];
  if (!role) return null;
  const fixed = role.builtin || !editable;
  return (
    <>
      <Select value={role.name} className="full" size="large" aria-label={t("settings.role")} onChange={(name: string) => setParams({ role: name }, { replace: true })}
        options={roles.map((one) => ({ value: one.name, label: roleName(one.name) }))} />
      <div className="role-facts">
        <span className="tag is-plain">{t(role.builtin ? "access.roles.builtin" : "access.roles.custom")}</span>
        <Link className="text-link" to={`/admin/grants?role=${encodeURIComponent(role.name)}`}><Users size={14} aria-hidden />{t("access.roles.heldBy", { count: role.grants })}</Link>
        {acts ? <button type="button" className="text-link" onClick={() => acts.copy(role)}>{t("access.roles.copy")}</button> : null}
        {acts && !role.builtin ? <button type="button" className="text-link" onClick={() => acts.rename(role)}>{t("access.roles.rename")}</button> : null}
      </div>
      {groups.map((group) => (
        <section key={group.key} className="card permission-card">
          <h3>{t(`access.group.${group.key}`)}</h3>
          <ul>
            {group.permissions.map((permission) => {
              const on = has(role, draft, permission.name);
              return (
                <li key={permission.name} className={fixed && !on ? "is-off" : ""}>
                  <span className="grow"><span className="permission-name">{title(permission)}{permission.scoped ? null : <Globe2 size={12} aria-label={t("access.roles.unscoped")} />}</span><code>{permission.name}</code></span>
                  <Switch size="small" checked={on} disabled={fixed} aria-label={title(permission)} onChange={() => toggle(role, permission.name)} />
                </li>
              );
            })}
          </ul>
        </section>
      ))}
    </>
  );
}
