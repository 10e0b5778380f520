/** What is chosen in 3D, plan, trees and tables at once: one element, or several. Pure. */

/** How many may be chosen by hand; a search is the way to more. */
export const MOST_SELECTED = 75;

interface Chosen {
  readonly selected: string | null;
  readonly selection: readonly string[];
}

/** The next state with the one in the inspector among the chosen: most of the program chooses one and knows nothing of several. */
export function consistent<T extends Chosen>(before: Chosen, next: T): T {
  if (next.selection !== before.selection) {
    return next.selected !== null && next.selection.includes(next.selected) ? next : { ...next, selected: next.selection.at(-1) ?? null };
  }
  if (next.selected === before.selected) return next;
  return { ...next, selection: next.selected === null ? [] : [next.selected], adding: false };
}

/** One more, or one less; the one added last comes last. */
export function toggled(selection: readonly string[], globalId: string): readonly string[] {
  if (selection.includes(globalId)) return selection.filter((one) => one !== globalId);
  return [...selection, globalId].slice(-MOST_SELECTED);
}

/** From the one chosen before to this one, as rows lie; this one alone where the other is not among them. */
export function ranged(rows: readonly string[], from: string | null, to: string): readonly string[] {
  const [a, b] = [from === null ? -1 : rows.indexOf(from), rows.indexOf(to)];
  if (a < 0 || b < 0) return [to];
  const between = rows.slice(Math.min(a, b), Math.max(a, b) + 1);
  return [...new Set(a <= b ? between : between.toReversed())].slice(0, MOST_SELECTED);
}

/** How a click chooses: with Shift up to here, with Ctrl or Cmd one more. */
export interface Click {
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
}

/** The selection after a click on a row, or null where the click means this one alone. */
export function clicked(now: Chosen & { readonly adding: boolean }, rows: readonly string[], globalId: string, click: Click): readonly string[] | null {
  if (click.shiftKey) return ranged(rows, now.selection[0] ?? now.selected, globalId);
  return click.ctrlKey || click.metaKey || now.adding ? toggled(now.selection, globalId) : null;
}

/** The query that finds exactly these. */
export const queryOf = (selection: readonly string[]): string => `id:${selection.map((one) => `"${one}"`).join(",")}`;

export interface Shared {
  readonly group: string;
  readonly name: string;
  /** Each value with how many have it, most first; `null`: these have none. */
  readonly values: readonly (readonly [string | null, number])[];
}

/** What several elements have in common: per fact of each its values, in the order facts were first seen. */
export function shared(all: readonly ReadonlyMap<string, string>[]): Shared[] {
  const names = new Set(all.flatMap((one) => [...one.keys()]));
  return [...names].map((key) => {
    const counts = new Map<string | null, number>();
    for (const one of all) counts.set(one.get(key) ?? null, (counts.get(one.get(key) ?? null) ?? 0) + 1);
    const [group = "", name = ""] = key.split("\u0000");
    return { group, name, values: [...counts].toSorted((a, b) => Number(a[0] === null) - Number(b[0] === null) || b[1] - a[1]) };
  });
}

/** Members by what `key` says of them, in the order keys were first seen. */
export function grouped<T>(all: readonly T[], key: (one: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const one of all) {
    const members = found.get(key(one));
    if (members) members.push(one);
    else found.set(key(one), [one]);
  }
  return found;
}
