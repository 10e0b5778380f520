/** The matrix of permissions × roles as data: groups, drafts, what a draft changes, moving by keys. Pure. */
import type { Permission, Role } from "../../api/identity";

export const GROUPS = ["place", "data", "alarm", "work", "access", "server"] as const;
export type GroupKey = (typeof GROUPS)[number];

const GROUP_OF: Record<string, GroupKey> = {
  building: "place", site: "place", model: "place", element: "place", asset: "place", check: "place", bcf: "place", ids: "place", point: "data", reading: "data", source: "data", alarm: "alarm",
  alarm_rule: "alarm", work_order: "work", plan: "work", account: "access", role: "access", grant: "access", key: "access", audit: "access",
};

export const groupOf = (permission: string): GroupKey => GROUP_OF[permission.split(".")[0] ?? ""] ?? "server";

export interface Group {
  key: GroupKey;
  permissions: Permission[];
}

/** In the order of the server within each group; a permission that nobody sorted yet is the server's. */
export function grouped(permissions: readonly Permission[]): Group[] {
  return GROUPS.map((key) => ({ key, permissions: permissions.filter((one) => groupOf(one.name) === key) })).filter((group) => group.permissions.length > 0);
}

/** Changed sets of permissions by role; roles that are as the server has them are not in it. */
export type Draft = Readonly<Record<string, readonly string[]>>;

export const has = (role: Role, draft: Draft, permission: string): boolean => (draft[role.name] ?? role.permissions).includes(permission);

export function toggled(role: Role, draft: Draft, permission: string): Draft {
  const before = draft[role.name] ?? role.permissions;
  const after = before.includes(permission) ? before.filter((one) => one !== permission) : [...before, permission];
  const same = after.length === role.permissions.length && after.every((one) => role.permissions.includes(one));
  return Object.fromEntries([...Object.entries(draft).filter(([name]) => name !== role.name), ...(same ? [] : [[role.name, after] as const])]);
}

export interface RoleChange {
  role: Role;
  added: string[];
  removed: string[];
}

export function changesOf(roles: readonly Role[], draft: Draft): RoleChange[] {
  return roles.flatMap((role) => {
    const next = draft[role.name];
    if (!next) return [];
    const added = next.filter((one) => !role.permissions.includes(one));
    const removed = role.permissions.filter((one) => !next.includes(one));
    return added.length + removed.length > 0 ? [{ role, added, removed }] : [];
  });
}

export interface Cell {
  row: number;
  column: number;
}

/** Where a key leads in a grid of `rows` × `columns`; null where the key means nothing. */
export function moved(cell: Cell, key: string, rows: number, columns: number, far = false): Cell | null {
  const within = (value: number, size: number): number => Math.max(0, Math.min(size - 1, value));
  const step: Record<string, Cell> = {
    ArrowUp: { row: cell.row - 1, column: cell.column }, ArrowDown: { row: cell.row + 1, column: cell.column },
    ArrowLeft: { row: cell.row, column: cell.column - 1 }, ArrowRight: { row: cell.row, column: cell.column + 1 },
    Home: { row: far ? 0 : cell.row, column: 0 }, End: { row: far ? rows - 1 : cell.row, column: columns - 1 },
    PageUp: { row: cell.row - 10, column: cell.column }, PageDown: { row: cell.row + 10, column: cell.column },
  };
  const next = step[key];
  return next ? { row: within(next.row, rows), column: within(next.column, columns) } : null;
}
