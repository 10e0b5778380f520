/** Undo and redo of what one sees: states in order, with a place in them. Pure. */

export interface History<T> {
  readonly past: readonly T[];
  readonly now: T | null;
  readonly future: readonly T[];
}

export const MOST = 100;
export const EMPTY: History<never> = { past: [], now: null, future: [] };

/** The history after something was seen; what equals the present is no step. */
export function seen<T>(history: History<T>, next: T, same: (a: T, b: T) => boolean): History<T> {
  if (history.now === null) return { past: [], now: next, future: [] };
  if (same(history.now, next)) return history;
  return { past: [...history.past, history.now].slice(-MOST), now: next, future: [] };
}

/** One step back; the same history where there is none. */
export function undone<T>(history: History<T>): History<T> {
  const before = history.past.at(-1);
  if (before === undefined || history.now === null) return history;
  return { past: history.past.slice(0, -1), now: before, future: [history.now, ...history.future] };
}

/** One step forth again. */
export function redone<T>(history: History<T>): History<T> {
  const [after, ...future] = history.future;
  if (after === undefined || history.now === null) return history;
  return { past: [...history.past, history.now], now: after, future };
}
