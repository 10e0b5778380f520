/** Stretches of time that charts show: presets, zooming, moving, resolution. Pure; times are ms since the epoch. */

export interface Span {
  from: number;
  to: number;
}

export const PRESETS = ["1h", "today", "24h", "7d", "30d", "90d", "1y"] as const;
export type Preset = (typeof PRESETS)[number];

/** What is asked for: a preset follows the clock, a span stands still. */
export type Range = Preset | Span;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const LENGTHS: Record<Exclude<Preset, "today">, number> = { "1h": HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "90d": 90 * DAY, "1y": 365 * DAY };

export const SHORTEST = MINUTE;
export const LONGEST = 20 * 366 * DAY;
/** How far into the future a chart may look. */
const AHEAD = 2 * DAY;

export const isPreset = (range: Range): range is Preset => typeof range === "string";

/** Milliseconds by which the wall clock of `zone` is ahead of UTC at a moment. */
export function offsetOf(zone: string, at: number): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
  }).formatToParts(new Date(at));
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? 0);
  return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second")) - Math.floor(at / 1000) * 1000;
}

/** The midnight before a moment, on the wall clock of `zone`. */
export function midnight(zone: string, at: number): number {
  const wall = at + offsetOf(zone, at);
  const start = Math.floor(wall / DAY) * DAY;
  // The offset at midnight may differ from that of the moment: the clocks may have changed in between.
  return start - offsetOf(zone, start - offsetOf(zone, at));
}

/** The span of a range at a moment. */
export function spanOf(range: Range, now: number, zone: string): Span {
  if (!isPreset(range)) return range;
  if (range === "today") {
    const from = midnight(zone, now);
    return { from, to: Math.max(now, from + MINUTE) };
  }
  return { from: now - LENGTHS[range], to: now };
}

function fitted(from: number, to: number, now: number): Span {
  const length = Math.min(LONGEST, Math.max(SHORTEST, to - from));
  const middle = (from + to) / 2;
  const end = Math.min(now + AHEAD, Math.round(middle + length / 2));
  return { from: Math.round(end - length), to: end };
}

/** Twice as near with `factor` 0.5, around the moment that stays where it is. */
export function zoomed(span: Span, factor: number, around: number, now: number): Span {
  const length = span.to - span.from;
  const wanted = Math.min(LONGEST, Math.max(SHORTEST, length * factor));
  const share = length > 0 ? (around - span.from) / length : 0.5;
  const from = around - share * wanted;
  return fitted(from, from + wanted, now);
}

/** Moved by a share of its length; to the left with a negative one. */
export function moved(span: Span, share: number, now: number): Span {
  const by = (span.to - span.from) * share;
  return fitted(span.from + by, span.to + by, now);
}

/** The stretch that `compare` sets beside: as long, just before, or a year (52 weeks, same weekdays) before. */
export function comparedShift(span: Span, compare: "before" | "week" | "year"): number {
  if (compare === "week") return 7 * DAY;
  if (compare === "year") return 364 * DAY;
  return span.to - span.from;
}

/** Bucket widths that the server cuts well, s. */
const LADDER: readonly (readonly [string, number])[] = [
  ["1s", 1], ["5s", 5], ["15s", 15], ["30s", 30], ["1m", 60], ["5m", 300], ["15m", 900], ["30m", 1800], ["1h", 3600], ["3h", 10_800], ["6h", 21_600], ["12h", 43_200],
  ["1d", 86_400], ["1w", 604_800], ["1mo", 2_629_746], ["3mo", 7_889_238],
];

export interface Resolution {
  /** As the server takes it; null: every reading. */
  bucket: string | null;
  /** s between two values of the line, about. */
  seconds: number;
}

/**
 * One value for about every `pixels` px of a chart `width` px wide. Where that is no coarser than the point speaks
 * (`interval` s), every reading.
 */
export function resolutionOf(span: Span, width: number, interval: number, pixels = 1.5): Resolution {
  const wanted = (span.to - span.from) / 1000 / Math.max(60, width / pixels);
  if (wanted <= interval * 1.2) return { bucket: null, seconds: interval };
  const found = LADDER.find(([, seconds]) => seconds >= wanted) ?? (["12mo", 31_556_952] as const);
  return { bucket: found[0], seconds: found[1] };
}

/** What is read so that moving by half the width needs nothing new: wider, on steps, so that it is asked for once. */
export function fetchSpan(span: Span, seconds: number, now: number): Span {
  const length = span.to - span.from;
  const step = Math.max(seconds * 1000, 2 ** Math.ceil(Math.log2(Math.max(MINUTE, length / 2))));
  const from = Math.floor((span.from - length * 0.25) / step) * step;
  const to = Math.ceil((span.to + length * 0.25) / step) * step;
  // What lies ahead has no readings: asked up to now, in steps, so that the answer can be kept for a while.
  const fresh = Math.max(15_000, Math.min(5 * MINUTE, seconds * 500));
  return { from, to: Math.min(to, Math.ceil(now / fresh) * fresh) };
}

const pad = (n: number): string => String(n).padStart(2, "0");

/** Short and exact in an address: `20260301T0000` in UTC, with seconds where there are any. */
function toText(at: number): string {
  const d = new Date(at);
  const seconds = d.getUTCSeconds();
  return `${d.getUTCFullYear()}${pad(d.getUTCMonth() + 1)}${pad(d.getUTCDate())}T${pad(d.getUTCHours())}${pad(d.getUTCMinutes())}${seconds ? pad(seconds) : ""}`;
}

function fromText(text: string): number {
  const m = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)?$/.exec(text);
  if (!m) return Number.NaN;
  const [year, month, day, hour, minute, second] = m.slice(1).map((part) => Number(part ?? 0));
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, Number.isNaN(second) ? 0 : second);
}

export const rangeText = (range: Range): string => (isPreset(range) ? range : `${toText(range.from)}-${toText(range.to)}`);

export function parseRange(text: string | null): Range | null {
  if (!text) return null;
  const preset = PRESETS.find((one) => one === text);
  if (preset) return preset;
  const [from, to] = text.split("-").map(fromText);
  if (from === undefined || to === undefined || !(to - from >= SHORTEST) || to - from > LONGEST) return null;
  return { from, to };
}
