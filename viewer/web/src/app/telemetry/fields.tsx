/** Form fields that several pages of telemetry share. */
import { useQuery } from "@tanstack/react-query";
import { InputNumber, Select, Space, type FormInstance } from "antd";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, get } from "../../api/client";
import type { ElementRow, Page } from "../../api/types";
import { useBuilding } from "../context";
import { useClassName } from "../lib/names";
import { elementLabel, spaceLabel } from "../scene/tree-rows";
import type { FullPoint, Unit } from "./types";

/** What was typed, once the typing has paused. */
export function usePaused(text: string, ms = 200): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), ms);
    return () => clearTimeout(timer);
  }, [text, ms]);
  return settled;
}

interface FieldProps<T> {
  id?: string;
  value?: T;
  onChange?: (value: T) => void;
  disabled?: boolean;
}

/** An element of the building, by server id; `known`: the one that is bound already, so that its name is there. */
export function ElementField({ value, onChange, known, id }: FieldProps<string | null> & { known?: { id: string; name: string | null; ifc_class: string } | null }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const className = useClassName();
  const [q, setQ] = useState("");
  const settled = usePaused(q.trim());
  const found = useQuery({
    queryKey: ["elements", "search", building.id, settled],
    queryFn: ({ signal }) => get<Page<ElementRow>>("/elements", { building: building.id, q: settled, limit: 30 }, signal),
    enabled: settled.length > 0,
    placeholderData: (previous) => previous,
  });
  const options = (settled ? (found.data?.items ?? []) : []).map((one) => ({ value: one.id, label: `${one.ifc_class === "IfcSpace" ? spaceLabel(one) : elementLabel(one)} · ${className(one.ifc_class)}` }));
  if (known && !options.some((one) => one.value === known.id)) options.unshift({ value: known.id, label: `${known.name ?? className(known.ifc_class)} · ${className(known.ifc_class)}` });
  return (
    <Select {...(id ? { id } : {})} value={value ?? null} onChange={(next: string | null | undefined) => onChange?.(next ?? null)} allowClear showSearch={{ filterOption: false, onSearch: setQ }} options={options}
      loading={found.isFetching} placeholder={t("telemetry.points.searchElement")} notFoundContent={settled ? t("telemetry.points.noElement") : t("telemetry.points.typeElement")} />
  );
}

/** Points of the building, by key. */
export function PointField({ value, onChange, id, multiple }: FieldProps<string | string[] | null> & { multiple?: boolean }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const [q, setQ] = useState("");
  const settled = usePaused(q.trim());
  const found = useQuery({
    queryKey: ["points", "search", building.id, settled],
    queryFn: ({ signal }) => get<Page<FullPoint>>("/points", { building: building.id, q: settled, limit: 40 }, signal),
    placeholderData: (previous) => previous,
  });
  return (
    <Select<string | string[] | null> {...(id ? { id } : {})} {...(multiple ? { mode: "multiple" as const } : {})} value={value ?? (multiple ? [] : null)} onChange={(next) => onChange?.(next ?? null)} allowClear showSearch={{ filterOption: false, onSearch: setQ }} loading={found.isFetching}
      placeholder={t("telemetry.points.search")} aria-label={t("telemetry.points.search")} popupMatchSelectWidth={360} options={(found.data?.items ?? []).map((one) => ({ value: one.key, label: <span className="option-two"><b>{one.name}</b><small>{one.key}</small></span> }))} optionRender={(option) => option.label}
      labelRender={(one) => <code>{one.value}</code>} />
  );
}

export function UnitField({ value, onChange, id }: FieldProps<string | null>): ReactNode {
  const { i18n } = useTranslation();
  const units = useQuery({ queryKey: ["units"], queryFn: ({ signal }) => get<Page<Unit>>("/units", {}, signal), staleTime: Number.POSITIVE_INFINITY });
  const options = (units.data?.items ?? []).map((one) => ({ value: one.code, label: `${one.symbol || one.code} · ${i18n.language === "en" ? one.en : one.zh}`, search: `${one.code} ${one.symbol} ${one.en} ${one.zh}`.toLowerCase() }));
  return (
    <Select {...(id ? { id } : {})} value={value ?? null} onChange={(next: string | null | undefined) => onChange?.(next ?? null)} allowClear options={options} loading={units.isPending}
      showSearch={{ filterOption: (text, option) => (option?.search ?? "").includes(text.toLowerCase()) }} />
  );
}

const STEPS = [["s", 1], ["m", 60], ["h", 3600], ["d", 86_400]] as const;
type Step = (typeof STEPS)[number][0];

/** The largest unit that the seconds are whole in. */
const stepOf = (seconds: number | null | undefined): Step => (seconds ? ([...STEPS].reverse().find(([, size]) => seconds % size === 0)?.[0] ?? "s") : "m");

/** A length of time in seconds, said in the unit that fits it. */
export function DurationField({ value, onChange, id, placeholder, steps }: FieldProps<number | null> & { placeholder?: string; steps?: readonly Step[] }): ReactNode {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<Step | null>(null);
  const offered = STEPS.filter(([name]) => !steps || steps.includes(name));
  const step = chosen ?? (value || !steps ? stepOf(value) : (steps[0] ?? "d"));
  const size = STEPS.find(([name]) => name === step)?.[1] ?? 1;
  return (
    <Space.Compact block>
      <InputNumber {...(id ? { id } : {})} min={0} value={value === null || value === undefined ? null : value / size} onChange={(next) => onChange?.(next === null ? null : next * size)} className="full" {...(placeholder ? { placeholder } : {})} />
      <Select value={step} aria-label={t("telemetry.duration.unit")} style={{ width: 96 }} options={offered.map(([name]) => ({ value: name, label: t(`telemetry.duration.${name}`) }))} onChange={(next: Step) => {
        const other = STEPS.find(([name]) => name === next)?.[1] ?? 1;
        setChosen(next);
        if (value !== null && value !== undefined) onChange?.((value / size) * other);
      }} />
    </Space.Compact>
  );
}

/** Seconds of an ISO 8601 duration as the server writes it (`P30D`, `PT5M`, `P1DT2H`), or of a number. */
export function secondsOf(duration: string | number | null | undefined): number | null {
  if (typeof duration === "number" || duration === null || duration === undefined) return duration ?? null;
  const m = /^P(?:(\d+(?:\.\d+)?)Y)?(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(duration);
  if (!m) return null;
  const [years, weeks, days, hours, minutes, seconds] = m.slice(1).map((part) => Number(part ?? 0));
  return (years ?? 0) * 31_536_000 + (weeks ?? 0) * 604_800 + (days ?? 0) * 86_400 + (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
}

/** "90 d", "5 min": a length of time as people say it. */
export function useDuration(): (seconds: number | null | undefined) => string {
  const { t } = useTranslation();
  return (seconds) => {
    if (seconds === null || seconds === undefined) return "–";
    const step = stepOf(seconds);
    const size = STEPS.find(([name]) => name === step)?.[1] ?? 1;
    return `${Math.round((seconds / size) * 100) / 100} ${t(`telemetry.duration.${step}`)}`;
  };
}

/** Seconds of a width as rules have it ("15m"); null for what is none. */
export function stepSeconds(width: string): number | null {
  const m = /^(\d+)([smhd])$/.exec(width);
  const size = STEPS.find(([name]) => name === m?.[2])?.[1];
  return m && size ? Number(m[1]) * size : null;
}

/** Puts what the server says of single fields beside them; true when there was something to put. */
export function showProblems(form: FormInstance, error: unknown, place: (field: string) => (string | number)[] = (field) => field.split(".")): boolean {
  if (!(error instanceof ApiError) || error.fields.length === 0) return false;
  form.setFields(error.fields.map((one) => ({ name: place(one.field), errors: [one.message] })));
  return true;
}
