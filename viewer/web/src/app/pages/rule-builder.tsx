/** A recurrence in words: every n days, weeks, months or years, on these days; the next dates beside it. */
import { Input, InputNumber, Select } from "antd";
import { useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { formatDay } from "../lib/format";
import { DEFAULT_RECURRENCE, fromRule, nextDates, toRule, type Every, type Recurrence } from "../lib/recurrence";

const EVERY: Every[] = ["day", "week", "month", "year"];
const WEEK = [0, 1, 2, 3, 4, 5, 6] as const;

/** 2024-01-01 was a Monday. */
function weekdayName(day: number, language: string, style: "short" | "long" = "short"): string {
  return new Intl.DateTimeFormat(language, { weekday: style, timeZone: "UTC" }).format(new Date(Date.UTC(2024, 0, 1 + day)));
}

export function useRuleText(): (rule: string) => string {
  const { t, i18n } = useTranslation();
  return (rule) => {
    const found = fromRule(rule);
    if (!found) return rule;
    const parts = [found.interval === 1 ? t(`rule.each.${found.every}`) : t(`rule.every.${found.every}`, { count: found.interval })];
    if (found.every === "week") parts.push(found.weekdays.map((day) => weekdayName(day, i18n.language)).join(i18n.language === "en" ? ", " : "、"));
    if (found.every === "month") parts.push(found.monthDay === -1 ? t("rule.lastDay") : t("rule.onDay", { day: found.monthDay }));
    if (found.count !== null) parts.push(t("rule.times", { count: found.count }));
    return parts.join(i18n.language === "en" ? ", " : "，");
  };
}

export function RuleBuilder({ value = null, onChange, start }: {
  value?: string | null; onChange?: (rule: string | null) => void; start: Date;
}): ReactNode {
  const { t, i18n } = useTranslation();
  const parsed = value === null ? null : fromRule(value);
  const [custom, setCustom] = useState(value !== null && parsed === null);
  const recurrence = parsed ?? DEFAULT_RECURRENCE;
  const change = (part: Partial<Recurrence>): void => onChange?.(toRule({ ...recurrence, ...part }));
  const dates = useMemo(() => (value === null ? [] : nextDates(value, start, 5, new Date())), [value, start]);
  const kind = custom ? "custom" : value === null ? "once" : recurrence.every;
  return (
    <div className="rule">
      <div className="rule-line">
        <Select className="grow" value={kind} aria-label={t("rule.repeat")} onChange={(next: Every | "once" | "custom") => {
          setCustom(next === "custom");
          if (next === "once") onChange?.(null);
          else if (next === "custom") onChange?.(value ?? toRule(DEFAULT_RECURRENCE));
          else change({ every: next });
        }} options={[
          { value: "once", label: t("rule.once") },
          ...EVERY.map((one) => ({ value: one, label: t(`rule.unit.${one}`) })),
          { value: "custom", label: t("rule.custom") },
        ]} />
        {kind === "once" || kind === "custom" ? null : (
          <InputNumber min={1} max={99} value={recurrence.interval} aria-label={t("rule.interval")} prefix={t("rule.everyN")}
            suffix={t(`rule.suffix.${recurrence.every}`)} onChange={(n) => n && change({ interval: n })} />
        )}
      </div>
      {kind === "custom" ? <Input value={value ?? ""} className="mono" aria-label="RRULE" onChange={(event) => onChange?.(event.target.value)} /> : null}
      {kind === "week" ? (
        <div className="weekdays" role="group" aria-label={t("rule.weekdays")}>
          {WEEK.map((day) => {
            const on = recurrence.weekdays.includes(day);
            return (
              <button type="button" key={day} aria-pressed={on} aria-label={weekdayName(day, i18n.language, "long")} className={on ? "is-on" : ""} onClick={() => {
                const next = on ? recurrence.weekdays.filter((one) => one !== day) : [...recurrence.weekdays, day];
                if (next.length > 0) change({ weekdays: next });
              }}>{weekdayName(day, i18n.language)}</button>
            );
          })}
        </div>
      ) : null}
      {kind === "month" ? (
        <Select value={recurrence.monthDay} aria-label={t("rule.monthDay")} onChange={(monthDay: number) => change({ monthDay })} options={[
          ...Array.from({ length: 28 }, (_, i) => ({ value: i + 1, label: t("rule.onDay", { day: i + 1 }) })), { value: -1, label: t("rule.lastDay") },
        ]} />
      ) : null}
      {kind === "once" ? null : (
        <div className="rule-preview" aria-live="polite">
          <span className="muted">{t("rule.next")}</span>
          {dates.length === 0 ? <span className="sev-text-high">{t("rule.never")}</span> : dates.map((date) => <span key={date.getTime()} className="chip num">{formatDay(date, i18n.language)}</span>)}
        </div>
      )}
    </div>
  );
}
