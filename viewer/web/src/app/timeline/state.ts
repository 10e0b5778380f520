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
  /** ms since the epoch of the earlier moment that the shown one is compared with; null: with none. */
  earlier: number | null;
  /** Both side by side, or what has changed. */
  compared: "split" | "difference";
  /** Where the line between both is, as a share of the picture's width. */
  share: number;
}

export const CLOSED: Timeline = { open: false, span: "d1", end: 0, moment: null, playing: false, speed: 300, earlier: null, compared: "split", share: 0.5 };

/** Opened at the present; the window ends with it. */
export const opened = (before: Timeline, now: number): Timeline => ({ ...before, open: true, end: now, moment: null, playing: false, earlier: null });

const within = (moment: number | null, end: number, width: number): number | null =>
  moment === null ? null : Math.min(end, Math.max(end - width, moment));

/** Another width: the moment stays within the window, which never reaches beyond the present. */
export function widened(before: Timeline, span: SpanKey, now: number): Timeline {
  const end = before.moment === null ? now : Math.min(now, before.moment + SPANS[span] / 2);
  return { ...before, span, end, earlier: within(before.earlier, end, SPANS[span]) };
}

/** Half a window earlier (-1) or later (1). */
export function shifted(before: Timeline, direction: -1 | 1, now: number): Timeline {
  const width = SPANS[before.span];
  const end = Math.min(now, before.end + (direction * width) / 2);
  return { ...before, end, moment: within(before.moment, end, width), earlier: within(before.earlier, end, width) };
}

/** The shown moment beside the start of the window, or no other any more. */
export const comparing = (before: Timeline, on: boolean): Timeline => ({ ...before, earlier: on ? before.end - SPANS[before.span] : null });

/** Both handles were put somewhere; at the right end the present stays the present. */
export function placed(before: Timeline, earlier: number | null, moment: number): Timeline {
  const present = before.moment === null && moment >= before.end;
  return { ...before, playing: false, earlier, moment: present ? null : moment };
}

/** A little later while it plays; it stops at the end of the window. */
export function played(before: Timeline, ms: number): Timeline {
  if (!before.playing) return before;
  const moment = (before.moment ?? before.end - SPANS[before.span]) + ms * before.speed;
  return moment >= before.end ? { ...before, moment: before.end, playing: false } : { ...before, moment };
}
