/** What changed between the `before` and `after` of an audit entry, field by field. Pure. */

export interface Change {
  /** Dotted path, e.g. `login_hours.time_zone`. */
  field: string;
  kind: "added" | "removed" | "changed" | "same";
  before: unknown;
  after: unknown;
}

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

function flat(value: Fields, prefix = ""): [string, unknown][] {
  return Object.entries(value).flatMap(([key, one]) =>
    isFields(one) && Object.keys(one).length > 0 ? flat(one, `${prefix}${key}.`) : [[`${prefix}${key}`, one] as [string, unknown]]);
}

/** Changes first, then what stayed; a field that is absent on one side is added or removed only when both sides exist. */
export function changesBetween(before: Fields | null, after: Fields | null): Change[] {
  const old = new Map(flat(before ?? {}));
  const now = new Map(flat(after ?? {}));
  const out = [...new Set([...old.keys(), ...now.keys()])].map((field): Change => {
    const a = old.get(field);
    const b = now.get(field);
    const kind = !old.has(field) ? "added" : !now.has(field) ? "removed" : JSON.stringify(a) === JSON.stringify(b) ? "same" : "changed";
    return { field, kind, before: a, after: b };
  });
  return out.toSorted((a, b) => Number(a.kind === "same") - Number(b.kind === "same"));
}

/** Members of lists that came and went: a role whose permissions changed says which. */
export function listChange(before: unknown, after: unknown): { added: unknown[]; removed: unknown[]; kept: number } | null {
  if (!Array.isArray(before) || !Array.isArray(after)) return null;
  const text = (value: unknown): string => JSON.stringify(value);
  const old = new Set(before.map(text));
  const now = new Set(after.map(text));
  return { added: after.filter((one) => !old.has(text(one))), removed: before.filter((one) => !now.has(text(one))), kept: before.filter((one) => now.has(text(one))).length };
}

export function shown(value: unknown): string {
  if (value === null || value === undefined) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}
