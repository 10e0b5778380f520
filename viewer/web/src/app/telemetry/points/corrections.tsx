/** Readings put right by hand: what was, what is, who and why. The old value is kept. */
import { useQuery } from "@tanstack/react-query";
import { Button, DatePicker, Form, Input, Select, Skeleton } from "antd";
import { PencilLine, Plus } from "lucide-react";
import type { Dayjs } from "dayjs";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get, post } from "../../../api/client";
import type { Page } from "../../../api/types";
import { formatTime } from "../../lib/format";
import { useActorName } from "../../lib/names";
import { Empty, Failure } from "../../parts";
import { useWrite } from "../../queries";
import { useMay } from "../../session";
import { showProblems } from "../fields";
import { symbolOf, type FullPoint } from "../types";

export interface Correction {
  id: number;
  ts: string;
  old_value: unknown;
  value: unknown;
  reason: string;
  corrected_by: string;
  corrected_at: string;
}

interface Values {
  ts: Dayjs;
  value: string;
  quality: string;
  reason: string;
}

const QUALITIES = ["good", "uncertain", "bad"] as const;

export function Corrections({ point }: { point: FullPoint }): ReactNode {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const actor = useActorName();
  const [adding, setAdding] = useState(false);
  const found = useQuery({ queryKey: ["points", "corrections", point.id], queryFn: ({ signal }) => get<Page<Correction>>(`/points/${point.id}/corrections`, {}, signal), retry: 1 });
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton active className="pad" />;
  const text = (value: unknown): string => {
    if (value === null || value === undefined) return "–";
    const bare = typeof value === "string" ? value : JSON.stringify(value);
    return point.kind === "number" && symbolOf(point) ? `${bare} ${symbolOf(point)}` : bare;
  };
  return (
    <div className="tab-form">
      {may("reading.write") && !adding ? <div className="form-foot"><Button icon={<Plus size={15} />} onClick={() => setAdding(true)}>{t("telemetry.corrections.add")}</Button></div> : null}
      {adding ? <Add point={point} close={() => setAdding(false)} /> : null}
      {found.data.items.length === 0 ? <Empty icon={PencilLine} title={t("telemetry.corrections.none")} hint={t("telemetry.corrections.noneHint")} /> : (
        <ol className="timeline">
          {found.data.items.map((one) => (
            <li key={one.id}>
              <b className="num">{text(one.old_value)} → {text(one.value)}</b>
              <span className="muted num">{formatTime(one.ts, i18n.language)}</span>
              <p>{[one.reason, actor(one.corrected_by), formatTime(one.corrected_at, i18n.language)].join(" · ")}</p>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

function Add({ point, close }: { point: FullPoint; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const [form] = Form.useForm<Values>();
  const typed = (text: string): unknown => (point.kind === "text" ? text : point.kind === "bool" ? text === "true" : Number(text));
  const add = useWrite((values: Values) => post(`/points/${point.id}/corrections`, { ts: values.ts.toISOString(), value: typed(values.value), quality: values.quality, reason: values.reason }), ["points", "readings"], close);
  return (
    <Form form={form} layout="vertical" requiredMark={false} className="card" initialValues={{ quality: "good" }} onFinish={(values) => add.mutate(values, { onError: (error) => void showProblems(form, error) })}>
      <div className="form-pair">
        <Form.Item name="ts" label={t("telemetry.corrections.ts")} rules={[{ required: true, message: t("telemetry.corrections.missingTs") }]}><DatePicker showTime className="full" /></Form.Item>
        <Form.Item name="value" label={t("telemetry.corrections.value")} rules={[{ required: true, message: t("telemetry.corrections.missingValue") }, ...(point.kind === "number" ? [{ pattern: /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/, message: t("telemetry.corrections.missingValue") }] : [])]}>
          {point.kind === "bool" ? <Select options={[{ value: "true", label: t("value.on") }, { value: "false", label: t("value.off") }]} />
            : point.kind === "enum" && point.labels ? <Select options={Object.entries(point.labels).map(([value, label]) => ({ value, label }))} />
              : <Input {...(point.kind === "number" ? { suffix: symbolOf(point), inputMode: "decimal" as const } : {})} />}
        </Form.Item>
        <Form.Item name="quality" label={t("telemetry.corrections.quality")}><Select options={QUALITIES.map((value) => ({ value, label: t(`telemetry.quality.${value}`) }))} /></Form.Item>
      </div>
      <Form.Item name="reason" label={t("telemetry.corrections.reason")} rules={[{ required: true, whitespace: true, message: t("telemetry.corrections.missingReason") }]}><Input.TextArea autoSize={{ minRows: 1, maxRows: 4 }} maxLength={1000} /></Form.Item>
      <div className="form-foot"><Button type="primary" htmlType="submit" loading={add.isPending}>{t("action.save")}</Button><Button onClick={close}>{t("action.cancel")}</Button></div>
    </Form>
  );
}
