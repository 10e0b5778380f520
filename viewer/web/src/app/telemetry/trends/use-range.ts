/** What charts show: follows the clock with a preset, moves at once under the hand, and settles when that rests. */
import { useCallback, useEffect, useRef } from "react";
import { useNow } from "../../parts";
import { isPreset, spanOf, type Range, type Span } from "./ranges";
import type { TrendsView } from "./view";

const MOST_BACK = 30;

export function useRange(view: TrendsView, change: (next: (before: TrendsView) => TrendsView) => void, store: { get: () => Span; set: (span: Span) => void }, zone: string): {
  show: (range: Range) => void; back: () => void;
} {
  const past = useRef<Range[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const pending = useRef(false);
  const follows = isPreset(view.range);
  const every = follows ? Math.max(2000, Math.min(60_000, (store.get().to - store.get().from) / 1000)) : 3_600_000;
  const now = useNow(every);
  useEffect(() => {
    if (!pending.current) store.set(spanOf(view.range, follows ? Math.max(now, Date.now() - every) : 0, zone));
  }, [view.range, now, follows, every, store, zone]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const show = useCallback((range: Range) => {
    store.set(spanOf(range, Date.now(), zone));
    clearTimeout(timer.current);
    const settle = (): void => {
      pending.current = false;
      change((before) => {
        past.current = [...past.current, before.range].slice(-MOST_BACK);
        return { ...before, range };
      });
    };
    if (isPreset(range)) return settle();
    pending.current = true;
    timer.current = setTimeout(settle, 300);
  }, [change, store, zone]);
  const back = useCallback(() => {
    const range = past.current.pop();
    if (range === undefined) return;
    clearTimeout(timer.current);
    pending.current = false;
    store.set(spanOf(range, Date.now(), zone));
    change((before) => ({ ...before, range }));
  }, [change, store, zone]);
  return { show, back };
}
