/** The moment that the 3D view shows, and the window of time under it. */
export const SPANS = { h1: 3_600_000, h6: 21_600_000, d1: 86_400_000, d7: 604_800_000, d30: 2_592_000_000, y1: 31_536_000_000 } as const;
export type SpanKey = keyof typeof SPANS;
export const SPEEDS = [1, 10, 60, 300, 1000, 3600, 10_000] as const;

export interface Timeline {
  open: boolean;
  span: SpanKey;
  /** ms since the epoch of the right end of the window. */
  end: number;
  /** ms since the epoch; null: the present. */
  moment: number | null;
  playing: boolean;
  speed: number;
}

export const CLOSED: Timeline = { open: false, span: "d1", end: 0, moment: null, playing: false, speed: 300 };

/** Opened at the present; the window ends with it. */
export const opened = (before: Timeline, now: number): Timeline => ({ ...before, open: true, end: now, moment: null, playing: false });

/** Another width: the moment stays within the window, which never reaches beyond the present. */
export function widened(before: Timeline, span: SpanKey, now: number): Timeline {
  if (before.moment === null) return { ...before, span, end: now };
  return { ...before, span, end: Math.min(now, before.moment + SPANS[span] / 2) };
}

/** Half a window earlier (-1) or later (1). */
export function shifted(before: Timeline, direction: -1 | 1, now: number): Timeline {
  const end = Math.min(now, before.end + (direction * SPANS[before.span]) / 2);
  const start = end - SPANS[before.span];
  return { ...before, end, moment: before.moment === null ? null : Math.min(end, Math.max(start, before.moment)) };
}

/** A little later while it plays; it stops at the end of the window. */
export function played(before: Timeline, ms: number): Timeline {
  if (!before.playing) return before;
  const moment = (before.moment ?? before.end - SPANS[before.span]) + ms * before.speed;
  return moment >= before.end ? { ...before, moment: before.end, playing: false } : { ...before, moment };
}
