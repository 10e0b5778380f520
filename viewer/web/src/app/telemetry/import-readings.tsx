/** Readings from a file: what it holds, which column is what, then a job that may be interrupted and goes on where it was. */
import { Alert, Button, Form, Input, Modal, Progress, Segmented, Select, Upload } from "antd";
import { FileUp } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { del, post, upload } from "../../api/client";
import type { Job } from "../../api/types";
import { useBuilding } from "../context";
import { formatBytes, formatNumber } from "../lib/format";
import { useErrorText } from "../parts";
import { isFinished, useJob, useWrite } from "../queries";
import { PointField } from "./fields";

interface Mapping {
  layout: "long" | "wide";
  ts: string;
  point?: string | null;
  value?: string | null;
  columns?: Record<string, string>;
  timezone?: string | null;
  format?: string | null;
  delimiter?: string | null;
}

interface Column {
  name: string;
  type?: string;
}

interface Preview {
  columns: Column[];
  rows: string[][];
  mapping: Mapping;
  unknown: string[];
  total: number | null;
  zone: string;
  readings: { point?: string; ts?: string; value?: unknown }[];
  problems: { row?: number | null; message?: string; code?: string }[];
  /** Why nothing can be made of it. */
  problem: { message?: string; code?: string } | null;
}

export function ImportReadings({ close }: { close: () => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const text = useErrorText();
  const [file, setFile] = useState<File | null>(null);
  const [mapping, setMapping] = useState<Mapping | null>(null);
  const [sent, setSent] = useState(0);
  const [job, setJob] = useState<string | null>(null);
  const body = (chosen: File, wanted: Mapping | null): FormData => {
    const made = new FormData();
    made.append("building", building.id);
    if (wanted) made.append("mapping", JSON.stringify(wanted));
    made.append("file", chosen, chosen.name);
    return made;
  };
  const preview = useWrite((given: { chosen: File; wanted: Mapping | null }) => upload<Preview>("/readings/import/preview", body(given.chosen, given.wanted), () => undefined).result, [], (found) => setMapping(found.mapping));
  const start = useWrite((chosen: File) => upload<Job>("/readings/import", body(chosen, mapping), (done, total) => setSent(total ? done / total : 0)).result, ["sources"], (made) => setJob(made.id));
  const choose = (chosen: File): void => {
    setFile(chosen);
    setMapping(null);
    preview.mutate({ chosen, wanted: null });
  };
  const ready = mapping !== null && mapping.ts !== "" && (mapping.layout === "wide" ? Object.keys(mapping.columns ?? {}).length > 0 : Boolean(mapping.point && mapping.value));
  return (
    <Modal open title={t("telemetry.readings.import")} width={780} onCancel={close} destroyOnHidden mask={{ closable: job === null }} footer={job ? <Button onClick={close}>{t("action.close")}</Button> : (
      <><Button onClick={close}>{t("action.cancel")}</Button><Button type="primary" disabled={!ready || preview.isPending} loading={start.isPending} onClick={() => file && start.mutate(file)}>{t("telemetry.readings.start")}</Button></>
    )}>
      {job ? <ImportJob id={job} /> : (
        <div className="import-steps">
          <Upload.Dragger accept=".csv,.parquet,.txt,.gz" showUploadList={false} multiple={false} disabled={preview.isPending || start.isPending} beforeUpload={(chosen) => {
            choose(chosen);
            return false;
          }}>
            <FileUp size={26} strokeWidth={1.4} aria-hidden />
            <p className="upload-title">{file ? file.name : t("telemetry.import.drop")}</p>
            <p className="muted">{file ? formatBytes(file.size, i18n.language) : t("telemetry.readings.formats")}</p>
          </Upload.Dragger>
          {start.isPending ? <Progress percent={Math.floor(sent * 100)} size="small" status="active" /> : null}
          {preview.isPending ? <p className="muted" role="status">{t("telemetry.import.reading")}</p> : null}
          {preview.isError && !mapping ? <Alert type="error" showIcon role="alert" title={text(preview.error)} /> : null}
          {preview.data && mapping ? <MappingForm preview={preview.data} mapping={mapping} change={setMapping} again={() => file && preview.mutate({ chosen: file, wanted: mapping })} busy={preview.isPending} /> : null}
        </div>
      )}
    </Modal>
  );
}

function MappingForm({ preview, mapping, change, again, busy }: { preview: Preview; mapping: Mapping; change: (next: Mapping) => void; again: () => void; busy: boolean }): ReactNode {
  const { t } = useTranslation();
  const names = preview.columns.map((one) => one.name);
  const options = names.map((value) => ({ value, label: value }));
  const { unknown } = preview;
  const set = (part: Partial<Mapping>): void => change({ ...mapping, ...part });
  const column = (name: "ts" | "point" | "value"): ReactNode => (
    <Form.Item label={t(`telemetry.readings.field.${name}`)} htmlFor={`column-${name}`}><Select id={`column-${name}`} value={mapping[name] ?? null} options={options} onChange={(value: string) => set({ [name]: value })} showSearch /></Form.Item>
  );
  return (
    <Form layout="vertical" component="div" className="mapping">
      <Segmented value={mapping.layout} onChange={(layout) => set({ layout, columns: mapping.columns ?? {} })} options={(["long", "wide"] as const).map((value) => ({ value, label: t(`telemetry.readings.layout.${value}`) }))} />
      <p className="muted">{t(`telemetry.readings.layoutHint.${mapping.layout}`)}</p>
      <div className="form-pair">
        {column("ts")}
        <Form.Item label={t("telemetry.readings.field.timezone")} htmlFor="column-zone"><Select id="column-zone" allowClear showSearch value={mapping.timezone ?? null} placeholder={t("telemetry.points.ofSite")} options={ZONES.map((value) => ({ value }))} onChange={(value: string | undefined) => set({ timezone: value ?? null })} /></Form.Item>
        {mapping.layout === "long" ? <>{column("point")}{column("value")}</> : null}
        <Form.Item label={t("telemetry.readings.field.format")} htmlFor="column-format" extra={t("telemetry.readings.formatHint")}><Input id="column-format" value={mapping.format ?? ""} placeholder="%d.%m.%Y %H:%M" onChange={(event) => set({ format: event.target.value || null })} /></Form.Item>
      </div>
      {mapping.layout === "wide" ? (
        <div className="mapping-columns">
          {names.filter((one) => one !== mapping.ts).map((one) => (
            <div key={one}><code title={one}>{one}</code><PointField value={mapping.columns?.[one] ?? null} onChange={(key) => {
              const rest = Object.fromEntries(Object.entries(mapping.columns ?? {}).filter(([name]) => name !== one));
              set({ columns: typeof key === "string" ? { ...rest, [one]: key } : rest });
            }} /></div>
          ))}
        </div>
      ) : null}
      {preview.problem ? <Alert type="error" showIcon role="alert" title={preview.problem.message ?? preview.problem.code} /> : null}
      {preview.problems.length > 0 ? <Alert type="warning" showIcon title={preview.problems.slice(0, 5).map((one, i) => <div key={i}>{[one.row === null || one.row === undefined ? null : `${t("telemetry.import.row")} ${one.row}`, one.message ?? one.code].filter(Boolean).join(": ")}</div>)} /> : null}
      {unknown.length > 0 ? <Alert type="warning" showIcon title={t("telemetry.readings.unknown", { count: unknown.length })} description={<code>{unknown.slice(0, 12).join(", ")}{unknown.length > 12 ? " …" : ""}</code>} /> : null}
      <div className="mapping-rows" tabIndex={0} role="group" aria-label={t("telemetry.readings.first")}>
        <table><thead><tr>{names.map((one) => <th key={one} scope="col">{one}</th>)}</tr></thead>
          <tbody>{preview.rows.slice(0, 6).map((row, i) => <tr key={i}>{names.map((one, n) => <td key={one}>{row[n]}</td>)}</tr>)}</tbody></table>
      </div>
      <Button size="small" loading={busy} onClick={again}>{t("telemetry.readings.check")}</Button>
    </Form>
  );
}

const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone")];

function ImportJob({ id }: { id: string }): ReactNode {
  const { t, i18n } = useTranslation();
  const query = useJob(id);
  const job = query.data;
  const resume = useWrite(() => post(`/jobs/${id}/resume`), ["job"]);
  if (!job) return <Progress percent={0} status="active" />;
  const counts = Object.entries({ ...(job.detail ?? {}), ...(job.result ?? {}) }).filter((one): one is [string, number] => typeof one[1] === "number");
  const problems = (job.result?.["problems"] ?? []) as Preview["problems"];
  const named = (name: string): string => (i18n.exists(`telemetry.readings.count.${name}`) ? t(`telemetry.readings.count.${name}` as "telemetry.readings.count.accepted") : name);
  return (
    <div className="import-steps" aria-live="polite">
      <Progress percent={Math.floor((job.state === "done" ? 1 : job.progress) * 100)} status={job.state === "failed" ? "exception" : job.state === "done" ? "success" : "active"} />
      {job.state === "failed" || job.state === "cancelled" ? (
        <Alert type={job.state === "failed" ? "error" : "info"} showIcon role="alert" title={job.error?.message ?? t(`job.${job.state}`)} description={t("telemetry.readings.resumeHint")} action={<Button size="small" loading={resume.isPending} onClick={() => resume.mutate(undefined)}>{t("telemetry.readings.resume")}</Button>} />
      ) : null}
      <dl className="report-numbers">{counts.map(([name, value]) => <div key={name}><dt>{named(name)}</dt><dd className="num">{formatNumber(value, i18n.language)}</dd></div>)}</dl>
      {problems.length > 0 ? <Alert type="warning" showIcon title={problems.slice(0, 5).map((one, i) => <div key={i}>{[one.row === null || one.row === undefined ? null : `${t("telemetry.import.row")} ${one.row}`, one.message ?? one.code].filter(Boolean).join(": ")}</div>)} /> : null}
      {isFinished(job) ? null : <Button size="small" onClick={() => void del(`/jobs/${id}`).then(() => query.refetch())}>{t("action.cancel")}</Button>}
    </div>
  );
}
