/** Days, times of the building and amounts of a report, as people read them. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { formatDuration, formatNumber, unitText } from "../lib/format";
import { scaled } from "../overview/numbers";
import type { PeriodKind } from "./types";

export interface ReportWords {
  /** "October 2026", "20 – 26 Oct 2025". */
  days: (kind: PeriodKind, first: string, last: string) => string;
  time: (at: string) => string;
  day: (at: string) => string;
  /** Where a part of a period begins: an hour, a day, a month. */
  part: (at: string, seconds: number) => string;
  amount: (value: number, unit: string) => string;
  n: (value: number) => string;
  value: (value: number | null, unit: string | null) => string;
  percent: (share: number) => string;
  long: (seconds: number) => string;
}

/** A calendar day is the same everywhere: it is written as noon in UTC. */
const noon = (day: string): Date => new Date(`${day}T12:00:00Z`);

export function useReportWords(zone: string): ReportWords {
  const { i18n } = useTranslation();
  const language = i18n.language;
  return useMemo(() => {
    const calendar = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat => new Intl.DateTimeFormat(language, { timeZone: "UTC", ...options });
    const local = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat => new Intl.DateTimeFormat(language, { timeZone: zone, hourCycle: "h23", ...options });
    const [month, year, day] = [calendar({ year: "numeric", month: "long" }), calendar({ year: "numeric" }), calendar({ year: "numeric", month: "short", day: "numeric" })];
    const weekday = calendar({ year: "numeric", month: "long", day: "numeric", weekday: "long" });
    const [time, shortDay] = [local({ year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }), local({ month: "short", day: "numeric" })];
    const [hour, shortMonth] = [local({ hour: "2-digit", minute: "2-digit" }), local({ month: "short" })];
    const share = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
    const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
    return {
      days: (kind, first, last) => {
        if (kind === "month") return month.format(noon(first));
        if (kind === "year") return year.format(noon(first));
        if (first === last) return weekday.format(noon(first));
        return day.formatRange(noon(first), noon(last));
      },
      time: (at) => time.format(new Date(at)),
      day: (at) => shortDay.format(new Date(at)),
      part: (at, seconds) => (seconds < 80_000 ? hour : seconds < 20 * 86_400 ? shortDay : shortMonth).format(new Date(at)),
      amount: (value, unit) => {
        const [size, name] = scaled(value, unit);
        return `${formatNumber(size, language)} ${name}`;
      },
      n: (value) => whole.format(value),
      value: (value, unit) => (value === null ? "–" : [formatNumber(value, language), unitText(unit)].filter(Boolean).join(" ")),
      percent: (value) => share.format(value),
      long: (seconds) => formatDuration(seconds * 1000, language),
    };
  }, [language, zone]);
}
