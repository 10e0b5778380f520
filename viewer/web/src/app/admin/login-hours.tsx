/** When an account may sign in: windows of weekdays and times of day. */
import { Button, Input, Select } from "antd";
import { Plus, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { LoginHours, LoginWindow } from "../../api/identity";
import { IconButton } from "../parts";

const OFFICE: LoginWindow = { days: [1, 2, 3, 4, 5], start: "08:00", end: "18:00" };
const MONDAY = Date.UTC(2026, 5, 1);
const ZONES = Intl.supportedValuesOf("timeZone");

export const dayName = (day: number, language: string, style: "narrow" | "short" | "long" = "short"): string =>
  new Intl.DateTimeFormat(language, { weekday: style, timeZone: "UTC" }).format(MONDAY + (day - 1) * 86_400_000);

export function HoursEditor({ value, onChange }: { value?: LoginHours | null; onChange?: (value: LoginHours | null) => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const zone = value?.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const windows = value?.windows ?? [];
  const set = (next: LoginWindow[], time_zone = zone): void => onChange?.(next.length > 0 ? { time_zone, windows: next } : null);
  const change = (i: number, part: Partial<LoginWindow>): void => set(windows.map((one, n) => (n === i ? { ...one, ...part } : one)));
  return (
    <div className="hours">
      {windows.map((window, i) => (
        <div key={i} className="hours-window">
          <div className="weekdays" role="group" aria-label={t("rule.weekdays")}>
            {[1, 2, 3, 4, 5, 6, 7].map((day) => {
              const on = window.days.includes(day);
              return (
                <button key={day} type="button" className={on ? "is-on" : ""} aria-pressed={on} aria-label={dayName(day, i18n.language, "long")}
                  onClick={() => change(i, { days: on ? window.days.filter((one) => one !== day) : [...window.days, day].toSorted((a, b) => a - b) })}>
                  {dayName(day, i18n.language, i18n.language.startsWith("zh") ? "narrow" : "short")}
                </button>
              );
            })}
          </div>
          <div className="hours-times">
            <Input type="time" value={window.start} aria-label={t("access.hours.from")} onChange={(event) => change(i, { start: event.target.value })} />
            <span aria-hidden>–</span>
            <Input type="time" value={window.end === "24:00" ? "00:00" : window.end} aria-label={t("access.hours.to")}
              onChange={(event) => change(i, { end: event.target.value === "00:00" ? "24:00" : event.target.value })} />
            <IconButton icon={Trash2} size={15} label={t("action.delete")} onClick={() => set(windows.filter((_, n) => n !== i))} />
          </div>
        </div>
      ))}
      <div className="hours-foot">
        <Button size="small" icon={<Plus size={14} />} onClick={() => set([...windows, OFFICE])}>{t("access.hours.add")}</Button>
        {windows.length > 0 ? (
          <Select size="small" showSearch variant="filled" value={zone} aria-label={t("access.hours.zone")} popupMatchSelectWidth={false}
            onChange={(next: string) => set(windows, next)} options={ZONES.map((one) => ({ value: one, label: one }))} />
        ) : <span className="muted">{t("access.hours.any")}</span>}
      </div>
    </div>
  );
}
