/** Where readings come from: whether it still speaks, what it sent, how far its clock is off; brokers with their settings. */
import { Button, Drawer, Switch, Table, Tooltip } from "antd";
import { Cable, Clock, FileUp, Plus, TriangleAlert } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { Link } from "react-router";
import { patch } from "../../api/client";
import { useBuilding } from "../context";
import { formatDuration, formatNumber } from "../lib/format";
import { usePhone } from "../lib/prefs";
import { RowSkeletons } from "../pages/alarms";
import { Ago, Empty, Failure, PageHead } from "../parts";
import { everything, useWrite } from "../queries";
import { useMay } from "../session";
import { DurationField, useDuration } from "./fields";
import { ImportReadings } from "./import-readings";
import { SourceForm } from "./source-form";
import { sourceTitle, type Source } from "./source-names";

const FRESH = 10_000; // ms; what a source counts changes all the time
const NONE: Source[] = [];

export default function Sources(): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const phone = usePhone();
  const [open, setOpen] = useState<string | null>(null);
  const [importing, setImporting] = useState(false);
  const found = useQuery({ queryKey: ["sources"], queryFn: ({ signal }) => everything<Source>("/sources", {}, signal), refetchInterval: FRESH });
  const items = found.data ?? NONE;
  const chosen = items.find((one) => one.id === open) ?? null;
  const speaking = items.filter(speaks);
  const online = speaking.filter((one) => one.online && one.enabled).length;
  return (
    <div className="page-body is-wide">
      <PageHead title={t("telemetry.section.sources")} sub={found.data ? t("telemetry.sources.sub", { count: speaking.length, online }) : " "}>
        {may("reading.write") ? <Button icon={<FileUp size={15} aria-hidden />} onClick={() => setImporting(true)}>{t("telemetry.readings.import")}</Button> : null}
        {may("source.write") ? (
          <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setOpen("new")}>{t("telemetry.sources.add")}</Button>
        ) : null}
      </PageHead>
      {found.isError ? <Failure error={found.error} retry={() => void found.refetch()} /> : !found.data ? <RowSkeletons /> : items.length === 0 ? (
        <Empty icon={Cable} title={t("telemetry.sources.none")} hint={t("telemetry.sources.noneHint")} />
      ) : phone ? <ul className="rows">{items.map((one) => <SourceCard key={one.id} source={one} open={() => setOpen(one.id)} />)}</ul> : <SourceTable items={items} open={setOpen} />}
      <Drawer open={open !== null && (open === "new" || chosen !== null)} onClose={() => setOpen(null)} size={phone ? "100%" : 620} title={chosen ? sourceTitle(chosen.name) : t("telemetry.sources.add")} destroyOnHidden>
        {open === "new" ? <SourceForm source={null} close={() => setOpen(null)} /> : chosen ? <SourceDetail source={chosen} close={() => setOpen(null)} /> : null}
      </Drawer>
      {importing ? <ImportReadings close={() => setImporting(false)} /> : null}
    </div>
  );
}

function SourceTable({ items, open }: { items: Source[]; open: (id: string) => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const number = (value: number): ReactNode => <span className="num">{formatNumber(value, i18n.language)}</span>;
  return (
    <Table<Source> size="middle" rowKey="id" dataSource={items} className="data-table" rowClassName="is-clickable" onRow={(one) => ({ onClick: () => open(one.id) })} pagination={items.length > 50 ? { pageSize: 50 } : false} scroll={{ x: 860 }} columns={[
      { title: t("telemetry.sources.name"), key: "name", sorter: (a, b) => a.name.localeCompare(b.name), render: (_, one) => <span className="source-name"><button type="button" title={one.name} onClick={() => open(one.id)}>{sourceTitle(one.name)}</button><small className="muted">{t(`telemetry.sources.kind.${one.kind as "http"}`)}</small></span> },
      { title: t("telemetry.sources.state"), key: "state", render: (_, one) => <SourceState source={one} /> },
      { title: t("telemetry.sources.seen"), key: "seen", render: (_, one) => (one.seen_at ? <Ago at={one.seen_at} /> : <span className="muted">{t("telemetry.points.never")}</span>) },
      { title: t("telemetry.sources.accepted"), key: "accepted", align: "right", render: (_, one) => number(one.accepted) },
      { title: t("telemetry.sources.duplicate"), key: "duplicate", align: "right", render: (_, one) => number(one.duplicate) },
      { title: t("telemetry.sources.rejected"), key: "rejected", align: "right", render: (_, one) => <RejectedCount source={one} /> },
      { title: t("telemetry.sources.skew"), key: "skew", align: "right", render: (_, one) => <Skew source={one} /> },
    ]} />
  );
}

function RejectedCount({ source }: { source: Source }): ReactNode {
  const { i18n } = useTranslation();
  const { building } = useBuilding();
  const text = formatNumber(source.rejected, i18n.language);
  if (source.rejected === 0) return <span className="num">{text}</span>;
  return <Link className="num table-link" to={`/b/${building.id}/telemetry/quarantine?source=${source.id}`} onClick={(event) => event.stopPropagation()}>{text}</Link>;
}

/** A file is read once: it is neither on line nor silent. */
const speaks = (source: Source): boolean => source.kind !== "file";

export function SourceState({ source }: { source: Source }): ReactNode {
  const { t } = useTranslation();
  if (!source.enabled) return <span className="tag is-plain">{t("telemetry.sources.off")}</span>;
  if (!speaks(source)) return <span className="tag is-plain">{t("telemetry.sources.read")}</span>;
  if (source.state === "failed") return <Tooltip title={source.state_text}><span className="tag sev-critical"><TriangleAlert size={13} aria-hidden />{t("telemetry.sources.stateOf.failed")}</span></Tooltip>;
  if (source.state === "connecting" || source.state === "waiting") return <Tooltip title={source.state_text}><span className="tag sev-medium">{t(`telemetry.sources.stateOf.${source.state}`)}</span></Tooltip>;
  return source.online ? <span className="tag is-ok">{t("telemetry.sources.online")}</span> : <span className="tag sev-medium">{t("telemetry.sources.silent")}</span>;
}

/** The source's clock beside ours; what lags a little is only on its way. */
function Skew({ source }: { source: Source }): ReactNode {
  const { t, i18n } = useTranslation();
  const skew = source.clock_skew;
  if (skew === null || skew === undefined || source.kind === "derived" || source.kind === "file") return <span className="muted">–</span>;
  const seconds = Math.abs(skew);
  const size = seconds < 60 ? `${formatNumber(Math.round(seconds * 10) / 10, i18n.language)} s` : formatDuration(seconds * 1000, i18n.language);
  const text = seconds < 0.05 ? t("telemetry.sources.inTime") : t(skew > 0 ? "telemetry.sources.ahead" : "telemetry.sources.behind", { time: size });
  return source.clock_suspect ? <span className="tag sev-high"><Clock size={13} aria-hidden />{text}</span> : <span className="num">{text}</span>;
}

function SourceCard({ source, open }: { source: Source; open: () => void }): ReactNode {
  const { t, i18n } = useTranslation();
  return (
    <li className="row">
      <button type="button" className="row-main" onClick={open}>
        <span className="row-line"><b title={source.name}>{sourceTitle(source.name)}</b><SourceState source={source} />{source.clock_suspect && source.kind !== "derived" ? <Skew source={source} /> : null}</span>
        <span className="row-line muted"><span>{t(`telemetry.sources.kind.${source.kind as "http"}`)}</span>{source.seen_at ? <Ago at={source.seen_at} /> : <span>{t("telemetry.points.never")}</span>}<span className="num">{t("telemetry.sources.accepted")} {formatNumber(source.accepted, i18n.language)}</span>{source.rejected > 0 ? <span className="num">{t("telemetry.sources.rejected")} {formatNumber(source.rejected, i18n.language)}</span> : null}</span>
      </button>
    </li>
  );
}

/** How often the source speaks: what silence is measured by. */
function Interval({ source }: { source: Source }): ReactNode {
  const { t } = useTranslation();
  const [seconds, setSeconds] = useState<number | null>(source.expected_interval);
  const save = useWrite((expected_interval: number) => patch(`/sources/${source.id}`, { expected_interval }), ["sources"]);
  const changed = seconds !== null && seconds > 0 && seconds !== source.expected_interval;
  return (
    <form className="setting" onSubmit={(event) => { event.preventDefault(); if (changed) save.mutate(seconds); }}>
      <label htmlFor="source-interval">{t("telemetry.points.field.expected_interval")}</label>
      <span className="setting-field"><DurationField id="source-interval" value={seconds} onChange={setSeconds} /><Button htmlType="submit" disabled={!changed} loading={save.isPending}>{t("action.save")}</Button></span>
    </form>
  );
}

/** What a broker sent, beside what was in it: silence, emptiness and loss look different. */
function messageFacts(source: Source, number: (count: number) => string, t: TFunction): [string, ReactNode][] {
  return [
    [t("telemetry.sources.messages"), number(source.messages)],
    ...(source.messages_empty > 0 ? [[t("telemetry.sources.messagesEmpty"), number(source.messages_empty)] as [string, ReactNode]] : []),
    ...(source.messages_lost > 0 ? [[t("telemetry.sources.messagesLost"), <span key="lost" className="tag sev-high">{number(source.messages_lost)}</span>] as [string, ReactNode]] : []),
  ];
}

function SourceDetail({ source, close }: { source: Source; close: () => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const duration = useDuration();
  const turn = useWrite((enabled: boolean) => patch(`/sources/${source.id}`, { enabled }), ["sources"]);
  const watch = useWrite((watched: boolean) => patch(`/sources/${source.id}`, { watched }), ["sources"]);
  const facts: [string, ReactNode][] = [
    [t("telemetry.sources.name"), <code key="name" className="source-key">{source.name}</code>], [t("telemetry.sources.kindTitle"), t(`telemetry.sources.kind.${source.kind as "http"}`)], [t("telemetry.sources.state"), <SourceState key="state" source={source} />],
    ...(source.settings && "url" in source.settings ? [[t("telemetry.mqtt.url"), <code key="url" className="source-key">{String(source.settings["url"])}</code>] as [string, ReactNode]] : []),
    ...(source.state_text ? [[t("telemetry.sources.said"), source.state_text] as [string, ReactNode]] : []),
    [t("telemetry.sources.seen"), source.seen_at ? <Ago key="seen" at={source.seen_at} /> : t("telemetry.points.never")], ...(may("source.write") && speaks(source) ? [] : [[t("telemetry.points.field.expected_interval"), duration(source.expected_interval)] as [string, ReactNode]]),
    ...(source.kind === "mqtt" ? messageFacts(source, (count) => formatNumber(count, i18n.language), t) : []),
    [t("telemetry.sources.accepted"), formatNumber(source.accepted, i18n.language)], [t("telemetry.sources.duplicate"), formatNumber(source.duplicate, i18n.language)],
    [t("telemetry.sources.rejected"), <RejectedCount key="rejected" source={source} />], [t("telemetry.sources.skew"), <Skew key="skew" source={source} />],
  ];
  return (
    <div className="source-detail">
      {may("source.write") ? <p className="setting"><label htmlFor="source-on">{t("telemetry.sources.enabled")}</label><Switch id="source-on" checked={source.enabled} loading={turn.isPending} onChange={(on) => turn.mutate(on)} /></p> : null}
      {may("source.write") && speaks(source) ? <p className="setting"><label htmlFor="source-watched">{t("telemetry.sources.watched", { time: duration(source.expected_interval * 3) })}</label><Switch id="source-watched" checked={source.watched} loading={watch.isPending} onChange={(on) => watch.mutate(on)} /></p> : null}
      {may("source.write") && speaks(source) ? <Interval key={source.expected_interval} source={source} /> : null}
      <dl className="facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      {source.kind === "mqtt" && may("source.write") ? <SourceForm source={source} close={close} /> : null}
    </div>
  );
}
