/** How long readings are kept, what was removed and packed, and where the room goes. */
import { App, Button, Drawer, Form, Input, Progress, Table, Tabs, Tooltip } from "antd";
import { useQuery } from "@tanstack/react-query";
import { HardDrive, Pencil, Play, Plus, ShieldCheck, Trash2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { del, get, patch, post } from "../../api/client";
import type { Page } from "../../api/types";
import { useBuilding } from "../context";
import { formatBytes, formatNumber, formatTime, shortTime } from "../lib/format";
import { usePhone } from "../lib/prefs";
import { RowSkeletons } from "../pages/alarms";
import { Ago, Empty, Failure, IconButton, PageHead } from "../parts";
import { isFinished, itemsOf, useJob, usePaged, useWrite } from "../queries";
import { useMay } from "../session";
import { DurationField, secondsOf, showProblems, useDuration } from "./fields";

interface Policy {
  id: string;
  name: string;
  match: { building: string | null; brick_class: string | null; quantity: string | null };
  raw_for: string | number | null;
  rollup_for: string | number | null;
  compress_after: string | number | null;
  points: number;
}

interface Removal {
  points: number;
  raw_before: string | null;
  rollup_before: string | null;
  readings: number;
  without_rollup: number;
  rollups: number;
  bytes: number;
  exact: boolean;
}

interface Run {
  id: number;
  kind: string;
  policy: string | null;
  part: string | null;
  started_at: string;
  finished_at: string;
  points: number;
  readings: number;
  rollups: number;
  held_back: number;
  oldest: string | null;
  newest: string | null;
  bytes_before: number | null;
  bytes_after: number | null;
  error: string | null;
}

interface Storage {
  engine: string;
  version: string | null;
  license: string | null;
  counted_at: string | null;
  readings: number;
  bytes: number;
  bytes_per_reading: number | null;
  compression_ratio: number | null;
  rollup_bytes: number;
  parts: { name: string; start: string; end: string; readings: number | null; bytes: number; bytes_before: number | null; compressed_at: string | null }[];
  items: { point: string; name: string; readings: number; bytes: number; first: string; last: string; policy: string | null }[];
}

export default function History(): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const [job, setJob] = useState<string | null>(null);
  const running = useJob(job);
  const run = useWrite(() => post<{ job: string }>("/history/runs"), [], (made) => setJob(made.job));
  const busy = run.isPending || (job !== null && !(running.data && isFinished(running.data)));
  return (
    <div className="page-body is-wide">
      <PageHead title={t("telemetry.section.history")} sub={t("telemetry.history.lead")}>
        {may("history.write") ? <Button icon={<Play size={15} aria-hidden />} loading={busy} onClick={() => run.mutate(undefined)}>{t("telemetry.history.runNow")}</Button> : null}
      </PageHead>
      <Tabs className="page-tabs" items={[
        { key: "storage", label: t("telemetry.history.storage"), children: <StorageView key={String(busy)} /> },
        { key: "policies", label: t("telemetry.history.policies"), children: <Policies /> },
        { key: "runs", label: t("telemetry.history.runs"), children: <Runs key={String(busy)} /> },
      ]} />
    </div>
  );
}

function Policies(): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const { modal } = App.useApp();
  const duration = useDuration();
  const [open, setOpen] = useState<Policy | "new" | null>(null);
  const found = useQuery({ queryKey: ["history", "policies"], queryFn: ({ signal }) => get<Page<Policy>>("/history/policies", { limit: 1000 }, signal) });
  const remove = useWrite((id: string) => del(`/history/policies/${id}`), ["history", "points"]);
  const writes = may("history.write");
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <RowSkeletons />;
  const kept = (value: Policy["raw_for"], none: string): string => (secondsOf(value) === null ? none : duration(secondsOf(value)));
  const matches = ({ match }: Policy): string => [match.brick_class?.replaceAll("_", " "), match.quantity, match.building ? t("telemetry.history.thisBuilding") : null].filter(Boolean).join(" · ") || t("telemetry.history.everyPoint");
  return (
    <>
      {writes ? <div className="filter-line"><Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setOpen("new")}>{t("telemetry.history.newPolicy")}</Button></div> : null}
      {found.data.items.length === 0 ? <Empty icon={ShieldCheck} title={t("telemetry.history.noPolicy")} hint={t("telemetry.history.noPolicyHint")} /> : (
        <Table<Policy> size="middle" rowKey="id" dataSource={found.data.items} className="data-table" pagination={false} scroll={{ x: 760 }} columns={[
          { title: t("telemetry.history.name"), key: "name", dataIndex: "name" }, { title: t("telemetry.history.match"), key: "match", render: (_, one) => matches(one) },
          { title: t("telemetry.history.points"), key: "points", align: "right", className: "num", dataIndex: "points" },
          { title: t("telemetry.history.raw_for"), key: "raw", render: (_, one) => kept(one.raw_for, t("telemetry.history.forever")) },
          { title: t("telemetry.history.rollup_for"), key: "rollup", render: (_, one) => kept(one.rollup_for, t("telemetry.history.forever")) },
          { title: t("telemetry.history.compress_after"), key: "compress", render: (_, one) => kept(one.compress_after, t("telemetry.history.never")) },
          ...(writes ? [{ title: <span className="sr-only">{t("telemetry.points.column.actions")}</span>, key: "actions", align: "right" as const, render: (_: unknown, one: Policy) => (
            <span className="row-actions"><IconButton icon={Pencil} size={15} label={t("action.edit")} onClick={() => setOpen(one)} /><IconButton icon={Trash2} size={15} label={t("action.delete")} onClick={() => void modal.confirm({
              title: t("telemetry.history.deleteSure", { name: one.name }), content: t("telemetry.history.deleteHint"), okText: t("action.delete"), cancelText: t("action.cancel"), okButtonProps: { danger: true }, onOk: () => remove.mutateAsync(one.id).catch(() => undefined),
            })} /></span>
          ) }] : []),
        ]} />
      )}
      {open ? <PolicyForm policy={open === "new" ? null : open} close={() => setOpen(null)} /> : null}
    </>
  );
}

interface PolicyValues {
  name: string;
  brick_class?: string;
  quantity?: string;
  own?: boolean;
  raw_for?: number | null;
  rollup_for?: number | null;
  compress_after?: number | null;
}

/** What it would remove is counted before it is saved. */
function PolicyForm({ policy, close }: { policy: Policy | null; close: () => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const phone = usePhone();
  const { building } = useBuilding();
  const [form] = Form.useForm<PolicyValues>();
  const body = (values: PolicyValues): object => ({
    name: values.name, match: { brick_class: values.brick_class || null, quantity: values.quantity || null, building: values.own ? building.id : (policy?.match.building ?? null) },
    raw_for: values.raw_for ?? null, rollup_for: values.rollup_for ?? null, compress_after: values.compress_after ?? null,
  });
  const look = useWrite((values: PolicyValues) => post<Removal>(policy ? `/history/policies/${policy.id}/preview` : "/history/policies/preview", body(values)), []);
  const save = useWrite((values: PolicyValues) => (policy ? patch(`/history/policies/${policy.id}`, body(values)) : post("/history/policies", body(values))), ["history", "points"], close);
  const problems = { onError: (error: Error) => void showProblems(form, error) };
  const seen = look.data;
  return (
    <Drawer open onClose={close} size={phone ? "100%" : 500} title={policy?.name ?? t("telemetry.history.newPolicy")} footer={(
      <div className="form-foot"><Button loading={look.isPending} onClick={() => void form.validateFields().then((values) => look.mutate(values, problems))}>{t("telemetry.history.preview")}</Button>
        <Button type="primary" loading={save.isPending} onClick={() => form.submit()}>{t("action.save")}</Button></div>
    )}>
      <Form form={form} layout="vertical" requiredMark={false} initialValues={policy ? { name: policy.name, brick_class: policy.match.brick_class ?? "", quantity: policy.match.quantity ?? "", raw_for: secondsOf(policy.raw_for), rollup_for: secondsOf(policy.rollup_for), compress_after: secondsOf(policy.compress_after) } : {}}
        onFinish={(values) => save.mutate(values, problems)} onValuesChange={() => look.reset()}>
        <Form.Item name="name" label={t("telemetry.history.name")} rules={[{ required: true, whitespace: true, message: t("telemetry.points.missing.name") }]}><Input maxLength={100} /></Form.Item>
        <h3 className="form-title">{t("telemetry.history.match")}</h3>
        <p className="muted modal-lead">{t("telemetry.history.matchHint")}</p>
        <div className="form-pair">
          <Form.Item name="brick_class" label={t("telemetry.points.field.brick_class")}><Input placeholder="Temperature_Sensor" /></Form.Item>
          <Form.Item name="quantity" label={t("telemetry.points.field.quantity")}><Input placeholder="Temperature" /></Form.Item>
        </div>
        <h3 className="form-title">{t("telemetry.history.keep")}</h3>
        <Form.Item name="raw_for" label={t("telemetry.history.raw_for")} extra={t("telemetry.history.rawHint")}><DurationField steps={["d", "h"]} placeholder={t("telemetry.history.forever")} /></Form.Item>
        <Form.Item name="rollup_for" label={t("telemetry.history.rollup_for")}><DurationField steps={["d", "h"]} placeholder={t("telemetry.history.forever")} /></Form.Item>
        <Form.Item name="compress_after" label={t("telemetry.history.compress_after")}><DurationField steps={["d", "h"]} placeholder={t("telemetry.history.never")} /></Form.Item>
      </Form>
      {seen ? (
        <div className={`policy-preview${seen.readings > 0 ? " is-removing" : ""}`} role="status">
          <b>{seen.readings > 0 ? t("telemetry.history.wouldRemove", { readings: formatNumber(seen.readings, i18n.language), bytes: formatBytes(seen.bytes, i18n.language), points: seen.points }) : t("telemetry.history.removesNothing", { points: seen.points })}</b>
          {seen.raw_before && seen.readings > 0 ? <p>{t("telemetry.history.before", { time: formatTime(seen.raw_before, i18n.language) })}</p> : null}
          {seen.without_rollup > 0 ? <p>{t("telemetry.history.withoutRollup", { count: seen.without_rollup })}</p> : null}
          {seen.exact ? null : <p className="muted">{t("telemetry.history.estimated")}</p>}
        </div>
      ) : null}
    </Drawer>
  );
}

function Runs(): ReactNode {
  const { t, i18n } = useTranslation();
  const found = usePaged<Run>(["history", "runs"], "/history/runs", { limit: 100 });
  const items = itemsOf(found.data);
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <RowSkeletons />;
  if (items.length === 0) return <Empty icon={HardDrive} title={t("telemetry.history.noRuns")} hint={t("telemetry.history.noRunsHint")} />;
  const number = (value: number): ReactNode => <span className="num">{formatNumber(value, i18n.language)}</span>;
  return (
    <Table<Run> size="small" rowKey="id" dataSource={items} className="data-table" pagination={false} scroll={{ x: 820 }} footer={found.hasNextPage ? () => <Button loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{t("action.more")}</Button> : undefined} columns={[
      { title: t("telemetry.history.when"), key: "when", render: (_, one) => <span className="num nowrap">{shortTime(one.started_at, i18n.language)}</span> },
      { title: t("telemetry.history.did"), key: "kind", render: (_, one) => <span>{t(`telemetry.history.kind.${one.kind as "retention"}`)} <small className="muted">{one.policy ?? one.part}</small></span> },
      { title: t("telemetry.trends.readings"), key: "readings", align: "right", render: (_, one) => number(one.readings) },
      { title: t("telemetry.history.rollups"), key: "rollups", align: "right", render: (_, one) => number(one.rollups) },
      { title: t("telemetry.history.size"), key: "size", align: "right", render: (_, one) => (one.bytes_before === null ? "–" : <span className="num nowrap">{formatBytes(one.bytes_before, i18n.language)} → {one.bytes_after === null ? "–" : formatBytes(one.bytes_after, i18n.language)}</span>) },
      { title: t("telemetry.history.result"), key: "result", render: (_, one) => (one.error ? <Tooltip title={one.error}><span className="tag sev-critical">{t("telemetry.history.failed")}</span></Tooltip> : one.held_back > 0 ? <span className="muted">{t("telemetry.history.heldBack", { count: one.held_back })}</span> : <span className="tag is-ok">{t("telemetry.history.ok")}</span>) },
    ]} />
  );
}

function StorageView(): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const found = useQuery({ queryKey: ["history", "storage", building.id], queryFn: ({ signal }) => get<Storage>("/history/storage", { building: building.id, limit: 200 }, signal) });
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <RowSkeletons />;
  const one = found.data;
  const n = (value: number): string => formatNumber(value, i18n.language);
  const b = (value: number): string => formatBytes(value, i18n.language);
  const most = Math.max(1, ...one.items.map((item) => item.bytes));
  const facts: [string, ReactNode][] = [
    [t("telemetry.history.engine"), <>{i18n.exists(`telemetry.history.engineOf.${one.engine}`) ? t(`telemetry.history.engineOf.${one.engine as "partitions"}`) : one.engine}{one.version ? ` ${one.version}` : ""}{one.license ? <small className="muted"> {one.license}</small> : null}</>], [t("telemetry.trends.readings"), n(one.readings)], [t("telemetry.history.bytes"), b(one.bytes)],
    [t("telemetry.history.perReading"), one.bytes_per_reading === null ? "–" : `${n(one.bytes_per_reading)} B`], [t("telemetry.history.ratio"), one.compression_ratio === null ? "–" : `${n(one.compression_ratio)} ×`], [t("telemetry.history.rollupBytes"), b(one.rollup_bytes)],
    [t("telemetry.history.counted"), one.counted_at ? <Ago at={one.counted_at} /> : t("telemetry.history.notCounted")],
  ];
  return (
    <>
      <dl className="report-numbers card storage-facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd className="num">{value}</dd></div>)}</dl>
      {one.items.length > 0 ? (
        <Table size="small" rowKey="point" dataSource={one.items} className="data-table storage-table" pagination={{ pageSize: 25, showSizeChanger: false, hideOnSinglePage: true }} scroll={{ x: 720 }} columns={[
          { title: t("telemetry.points.point"), key: "point", render: (_, item) => <span className="point-td-name"><b>{item.name}</b><small><code>{item.point}</code></small></span> },
          { title: t("telemetry.trends.readings"), key: "readings", align: "right", sorter: (x, y) => x.readings - y.readings, render: (_, item) => <span className="num">{n(item.readings)}</span> },
          { title: t("telemetry.history.bytes"), key: "bytes", width: 190, sorter: (x, y) => x.bytes - y.bytes, render: (_, item) => <span className="storage-bar"><Progress percent={(item.bytes / most) * 100} showInfo={false} size="small" aria-label={b(item.bytes)} /><span className="num">{b(item.bytes)}</span></span> },
          { title: t("telemetry.history.span"), key: "span", render: (_, item) => <span className="num nowrap muted">{shortTime(item.first, i18n.language)} – {shortTime(item.last, i18n.language)}</span> },
          { title: t("telemetry.history.policy"), key: "policy", render: (_, item) => item.policy ?? <span className="muted">–</span> },
        ]} />
      ) : null}
      {one.parts.length > 0 ? (
        <details className="group storage-parts"><summary><span>{t("telemetry.history.parts", { count: one.parts.length })}</span></summary>
          <Table size="small" rowKey="name" dataSource={one.parts} pagination={{ pageSize: 15, showSizeChanger: false, hideOnSinglePage: true }} scroll={{ x: 620 }} columns={[
            { title: t("telemetry.history.part"), key: "name", render: (_, part) => <code>{part.name}</code> }, { title: t("telemetry.history.span"), key: "span", render: (_, part) => <span className="num nowrap">{shortTime(part.start, i18n.language)} – {shortTime(part.end, i18n.language)}</span> },
            { title: t("telemetry.trends.readings"), key: "readings", align: "right", render: (_, part) => <span className="num">{part.readings === null ? "–" : n(part.readings)}</span> },
            { title: t("telemetry.history.bytes"), key: "bytes", align: "right", render: (_, part) => <span className="num">{b(part.bytes)}{part.bytes_before ? <small className="muted"> ({b(part.bytes_before)})</small> : null}</span> },
          ]} />
        </details>
      ) : null}
    </>
  );
}
