/** Setting a writable point, and what became of it: requested → sent → verified by the fed-back reading. */
import { useQuery } from "@tanstack/react-query";
import { Button, InputNumber, Popconfirm, Segmented, Select } from "antd";
import { Check, CircleX, Hourglass } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get, post } from "../../api/client";
import type { Command, Point } from "../../api/types";
import { unitText } from "../lib/format";
import type { LiveValue } from "../live";
import { useWrite } from "../queries";

/** 8 is manual operation in BACnet's list of 16. */
const MANUAL = 8;
const STEPS = ["requested", "sent", "verified"] as const;

export function PointCommand({ point, current }: { point: Point; current: LiveValue["value"] }): ReactNode {
  const { t } = useTranslation();
  const [value, setValue] = useState<number | boolean | string | null>(null);
  const [sent, setSent] = useState<string | null>(null);
  const shown = value ?? current;
  const send = useWrite(
    (wanted: number | boolean | string) => post<Command>(`/points/${point.id}/commands`, { value: wanted, priority: MANUAL }),
    ["command"],
    (command) => {
      setSent(command.id);
      setValue(null);
    },
  );
  return (
    <div className="command">
      <div className="command-row">
        <span className="command-label">{t("command.set")}</span>
        <CommandInput point={point} value={shown} onChange={setValue} />
        <Popconfirm title={t("command.confirm", { name: point.name })} okText={t("command.send")} cancelText={t("action.cancel")}
          onConfirm={() => value !== null && send.mutate(value)} disabled={value === null}>
          <Button size="small" type="primary" disabled={value === null || value === current} loading={send.isPending}>{t("command.send")}</Button>
        </Popconfirm>
      </div>
      {sent ? <CommandProgress id={sent} /> : null}
    </div>
  );
}

function CommandInput({ point, value, onChange }: {
  point: Point; value: LiveValue["value"]; onChange: (value: number | boolean | string) => void;
}): ReactNode {
  const { t } = useTranslation();
  if (point.kind === "bool") {
    return (
      <Segmented size="small" value={value === true ? "on" : "off"} onChange={(one) => onChange(one === "on")}
        options={[{ value: "off", label: t("value.off") }, { value: "on", label: t("value.on") }]} />
    );
  }
  if (point.kind === "enum") {
    return (
      <Select size="small" className="grow" value={value === null ? null : String(value)} onChange={(one) => onChange(Number(one))}
        options={Object.entries(point.labels ?? {}).map(([code, label]) => ({ value: code, label }))} />
    );
  }
  return (
    <InputNumber size="small" className="grow" value={typeof value === "number" ? value : null} suffix={point.unit_symbol ?? unitText(point.unit)}
      {...(point.min_value === null ? {} : { min: point.min_value })} {...(point.max_value === null ? {} : { max: point.max_value })}
      onChange={(one) => one !== null && onChange(one)} />
  );
}

function CommandProgress({ id }: { id: string }): ReactNode {
  const { t } = useTranslation();
  const command = useQuery({
    queryKey: ["command", id],
    queryFn: ({ signal }) => get<Command>(`/commands/${id}`, {}, signal),
    staleTime: 0,
    // The socket says when it changes; the interval is for when the socket is away.
    refetchInterval: (query) => (query.state.data && ["verified", "failed", "expired"].includes(query.state.data.state) ? false : 1500),
  });
  if (!command.data) return null;
  const { state, message } = command.data;
  const bad = state === "failed" || state === "expired";
  const reached = bad ? -1 : STEPS.indexOf(state);
  return (
    <ol className="command-steps" aria-live="polite">
      {STEPS.map((step, i) => (
        <li key={step} className={i <= reached ? "is-done" : ""}>
          {i <= reached ? <Check size={12} aria-hidden /> : <Hourglass size={11} aria-hidden />}
          {t(`command.${step}`)}
        </li>
      ))}
      {bad ? <li className="is-bad"><CircleX size={12} aria-hidden />{t(`command.${state}`)}{message ? `: ${message}` : ""}</li> : null}
    </ol>
  );
}
