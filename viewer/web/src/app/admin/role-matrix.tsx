/** Permissions × roles. A grid with one tab stop: arrows move, the space bar changes; built-in roles are to read. */
import { Dropdown } from "antd";
import { Check, Copy, Ellipsis, Globe2, Pencil, Trash2, Users } from "lucide-react";
import { Fragment, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Permission, Role } from "../../api/identity";
import { useRoleName } from "../lib/roles";
import { has, moved, type Cell, type Draft, type Group } from "./matrix";

export interface RoleActs {
  rename: (role: Role) => void;
  copy: (role: Role) => void;
  remove: (role: Role) => void;
}

export const usePermissionTitle = (): ((permission: Permission) => string) => {
  const { i18n } = useTranslation();
  return (permission) => (i18n.language === "en" ? permission.title.en : permission.title.zh);
};

export function RoleMatrix({ roles, groups, draft, toggle, editable, acts }: {
  roles: readonly Role[]; groups: readonly Group[]; draft: Draft; toggle: (role: Role, permission: string) => void; editable: boolean; acts: RoleActs | null;
}): ReactNode {
  const { t } = useTranslation();
  const title = usePermissionTitle();
  const roleName = useRoleName();
  const table = useRef<HTMLTableElement>(null);
  const [at, setAt] = useState<Cell>({ row: 0, column: 0 });
  const [over, setOver] = useState<number | null>(null);
  const flat = groups.flatMap((group) => group.permissions);
  const focus = (cell: Cell): void => {
    setAt(cell);
    table.current?.querySelector<HTMLElement>(`[data-cell="${cell.row}:${cell.column}"]`)?.focus();
  };
  const press = (event: KeyboardEvent): void => {
    const next = moved(at, event.key, flat.length, roles.length, event.ctrlKey || event.metaKey);
    if (!next) return;
    event.preventDefault();
    focus(next);
  };
  return (
    <div className="matrix-scroll">
      <table ref={table} className="matrix" role="grid" aria-label={t("access.roles.matrix")} aria-readonly={!editable} onMouseLeave={() => setOver(null)}>
        <thead>
          <tr>
            <th scope="col" className="matrix-corner"><span className="muted">{t("access.roles.permission")}</span></th>
            {roles.map((role, column) => <RoleHead key={role.name} role={role} acts={acts} changed={role.name in draft} over={over === column} />)}
          </tr>
        </thead>
        <tbody onKeyDown={press}>
          {groups.map((group) => (
            <Fragment key={group.key}>
              <tr className="matrix-group"><th scope="rowgroup" colSpan={roles.length + 1}><span>{t(`access.group.${group.key}`)}</span></th></tr>
              {group.permissions.map((permission) => {
                const row = flat.indexOf(permission);
                return (
                  <tr key={permission.name}>
                    <th scope="row"><span className="permission-name">{title(permission)}{permission.scoped ? null : <Globe2 size={12} aria-label={t("access.roles.unscoped")} />}</span><code>{permission.name}</code></th>
                    {roles.map((role, column) => (
                      <MatrixCell key={role.name} on={has(role, draft, permission.name)} was={role.permissions.includes(permission.name)} fixed={role.builtin || !editable} row={row} column={column}
                        label={`${title(permission)} · ${roleName(role.name)}`} tab={at.row === row && at.column === column} over={over === column} hover={() => setOver(column)}
                        act={() => {
                          setAt({ row, column });
                          toggle(role, permission.name);
                        }} focused={() => setAt({ row, column })} />
                    ))}
                  </tr>
                );
              })}
            </Fragment>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function MatrixCell({ on, was, fixed, row, column, label, tab, over, hover, act, focused }: {
  on: boolean; was: boolean; fixed: boolean; row: number; column: number; label: string; tab: boolean; over: boolean; hover: () => void; act: () => void; focused: () => void;
}): ReactNode {
  return (
    <td role="gridcell" className={over ? "is-over" : ""} onMouseEnter={hover}>
      <button type="button" role="checkbox" aria-checked={on} aria-disabled={fixed} aria-label={label} data-cell={`${row}:${column}`} tabIndex={tab ? 0 : -1} onFocus={focused}
        className={`matrix-box${on ? " is-on" : ""}${fixed ? " is-fixed" : ""}${on === was ? "" : " is-changed"}`} onClick={() => {
          if (!fixed) act();
        }}>
        {on ? <Check size={fixed ? 15 : 13} strokeWidth={fixed ? 2.2 : 3} aria-hidden /> : null}
      </button>
    </td>
  );
}

function RoleHead({ role, acts, changed, over }: { role: Role; acts: RoleActs | null; changed: boolean; over: boolean }): ReactNode {
  const { t } = useTranslation();
  const roleName = useRoleName();
  return (
    <th scope="col" className={over ? "is-over" : ""}>
      <div className="role-head">
        <span className="role-name" title={role.name}>{roleName(role.name)}{changed ? <i className="changed-dot" aria-label={t("access.roles.changed")} /> : null}</span>
        <span className="role-foot">
          <Link to={`/admin/grants?role=${encodeURIComponent(role.name)}`} className="role-count num" title={t("access.roles.heldBy", { count: role.grants })}><Users size={12} aria-hidden />{role.grants}</Link>
          {acts ? (
            <Dropdown trigger={["click"]} menu={{
              items: [
                { key: "copy", icon: <Copy size={14} />, label: t("access.roles.copy") },
                ...(role.builtin ? [] : [
                  { key: "rename", icon: <Pencil size={14} />, label: t("access.roles.rename") },
                  { key: "remove", icon: <Trash2 size={14} />, label: t("action.delete"), danger: true, disabled: role.grants > 0 },
                ]),
              ],
              onClick: ({ key }) => acts[key as keyof RoleActs](role),
            }}>
              <button type="button" className="icon-button is-small" aria-label={t("access.roles.acts", { role: roleName(role.name) })}><Ellipsis size={15} aria-hidden /></button>
            </Dropdown>
          ) : null}
        </span>
      </div>
    </th>
  );
}
