/** Readings that could not be used: why, from whom, what to do about it. */
import { App, Button, DatePicker, Input, Modal, Segmented, Table } from "antd";
import { useQuery } from "@tanstack/react-query";
import { RotateCcw, ShieldCheck, Trash2 } from "lucide-react";
import dayjs from "dayjs";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { get, post, type Query } from "../../api/client";
import type { components } from "../../api/schema.gen";
import { formatNumber, formatTime, shortTime } from "../lib/format";
import { usePhone } from "../lib/prefs";
import { RowSkeletons } from "../pages/alarms";
import { Ago, Empty, Failure, PageHead } from "../parts";
import { itemsOf, usePaged, useWrite } from "../queries";
import { useMay } from "../session";
import { PointField } from "./fields";

type Quarantined = components["schemas"]["Quarantined"] & { state?: string };
interface Count {
  code: string;
  source: string | null;
  point: string;
  count: number;
  newest?: string;
}

const STATES = ["open", "replayed", "dismissed"] as const;
type Target = { ids: (number | string)[] } | { filter: Query };

export default function Quarantine(): ReactNode {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const [params, setParams] = useSearchParams();
  const [chosen, setChosen] = useState<(number | string)[]>([]);
  const [replaying, setReplaying] = useState<Target | null>(null);
  const state = params.get("state") ?? "open";
  const filter: Query = { source: params.get("source"), point: params.get("point"), code: params.get("code"), from: params.get("from"), to: params.get("to"), state };
  const set = (change: Record<string, string | null>): void => {
    setChosen([]);
    setParams((previous) => {
      for (const [key, value] of Object.entries(change)) {
        if (value) previous.set(key, value);
        else previous.delete(key);
      }
      return previous;
    }, { replace: true });
  };
  const found = usePaged<Quarantined>(["quarantine", filter], "/quarantine", { ...filter, limit: 100 });
  const items = itemsOf(found.data);
  const writes = may("reading.write") && state === "open";
  const picked: Target = chosen.length > 0 ? { ids: chosen } : { filter: Object.fromEntries(Object.entries(filter).filter(([, value]) => value)) };
  return (
    <div className="page-body is-wide">
      <PageHead title={t("telemetry.section.quarantine")} sub={t("telemetry.quarantine.lead")}>
        {writes && items.length > 0 ? (
          <>
            <Button type="primary" icon={<RotateCcw size={15} aria-hidden />} onClick={() => setReplaying(picked)}>{chosen.length > 0 ? t("telemetry.quarantine.replayCount", { count: chosen.length }) : t("telemetry.quarantine.replayAll")}</Button>
            <Dismiss target={picked} count={chosen.length} done={() => setChosen([])} />
          </>
        ) : null}
      </PageHead>
      <Summary filter={filter} pick={(one) => set({ code: one.code, source: one.source, point: one.point })} />
      <div className="filter-line is-fields">
        <Segmented value={state} onChange={(value) => set({ state: value === "open" ? null : value })} options={STATES.map((value) => ({ value, label: t(`telemetry.quarantine.state.${value}`) }))} />
        <Input allowClear key={`p${params.get("point") ?? ""}`} defaultValue={params.get("point") ?? ""} placeholder={t("telemetry.quarantine.anyPoint")} aria-label={t("telemetry.points.point")} className="search-input" onPressEnter={(event) => set({ point: event.currentTarget.value })} onBlur={(event) => event.target.value !== (params.get("point") ?? "") && set({ point: event.target.value })} />
        {["code", "source"].map((name) => (params.get(name) ? <Button key={name} onClick={() => set({ [name]: null })}>{t(`telemetry.quarantine.filter.${name as "code"}`)}: {params.get(name)} ×</Button> : null))}
      </div>
      {found.isError ? <Failure error={found.error} retry={() => void found.refetch()} /> : !found.data ? <RowSkeletons /> : items.length === 0 ? (
        <Empty icon={ShieldCheck} title={t("telemetry.quarantine.none")} hint={t("telemetry.quarantine.noneHint")} />
      ) : (
        <Table<Quarantined> size="small" rowKey="id" dataSource={items} className="data-table" pagination={false} scroll={{ x: 820 }}
          {...(writes ? { rowSelection: { selectedRowKeys: chosen, onChange: (keys) => setChosen(keys as number[]) } } : {})}
          footer={found.hasNextPage ? () => <Button loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{t("action.more")}</Button> : undefined} columns={[
            { title: t("telemetry.points.point"), key: "point", render: (_, one) => <code>{one.point}</code> },
            { title: t("telemetry.quarantine.ts"), key: "ts", render: (_, one) => <span className="num nowrap" title={one.ts ?? ""}>{one.ts && !Number.isNaN(Date.parse(one.ts)) ? shortTime(one.ts, i18n.language) : (one.ts ?? "–")}</span> },
            { title: t("telemetry.quarantine.value"), key: "value", render: (_, one) => <span className="num quarantine-value" title={JSON.stringify(one.value)}>{typeof one.value === "string" ? one.value : JSON.stringify(one.value)}</span> },
            { title: t("telemetry.quarantine.why"), key: "why", render: (_, one) => <span className="quarantine-why">{one.message}<code className="code">{one.code}</code></span> },
            { title: t("telemetry.quarantine.source"), key: "source", render: (_, one) => one.source ?? "–" },
            { title: t("telemetry.quarantine.came"), key: "came", render: (_, one) => <span title={formatTime(one.received_at, i18n.language)}><Ago at={one.received_at} /></span> },
          ]} />
      )}
      {replaying ? <Replay target={replaying} close={() => {
        setReplaying(null);
        setChosen([]);
      }} /> : null}
    </div>
  );
}

/** What there is most of: a click shows only that. */
function Summary({ filter, pick }: { filter: Query; pick: (one: Count) => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const query = { source: filter["source"], state: filter["state"] };
  const found = useQuery({ queryKey: ["quarantine", "summary", query], queryFn: ({ signal }) => get<{ items: Count[] }>("/quarantine/summary", query, signal), retry: 0 });
  const items = (found.data?.items ?? []).slice(0, 8);
  if (items.length === 0) return null;
  return (
    <ul className="quarantine-summary" aria-label={t("telemetry.quarantine.summary")}>
      {items.map((one) => (
        <li key={`${one.code} ${one.source} ${one.point}`}>
          <button type="button" onClick={() => pick(one)}>
            <b className="num">{formatNumber(one.count, i18n.language)}</b>
            <span><code>{one.code}</code><small>{[one.point, one.source].filter(Boolean).join(" · ")}</small></span>
          </button>
        </li>
      ))}
    </ul>
  );
}

interface Done {
  replayed?: number;
  accepted?: number;
  duplicate?: number;
  rejected?: number | unknown[];
}

function Replay({ target, close }: { target: Target; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [point, setPoint] = useState<string | null>(null);
  const [ts, setTs] = useState<dayjs.Dayjs | null>(null);
  const replay = useWrite(() => post<Done>("/quarantine/replay", { ...target, ...(point ? { point } : {}), ...(ts ? { ts: ts.toISOString() } : {}) }), ["quarantine", "points", "sources"], (done) => {
    const rejected = Array.isArray(done.rejected) ? done.rejected.length : (done.rejected ?? 0);
    void message.success(t("telemetry.quarantine.replayed", { accepted: done.accepted ?? done.replayed ?? 0, rejected }), 6);
    close();
  });
  const single = "ids" in target && target.ids.length === 1;
  return (
    <Modal open title={t("telemetry.quarantine.replay")} onCancel={close} okText={t("telemetry.quarantine.replay")} confirmLoading={replay.isPending} onOk={() => replay.mutate(undefined)} destroyOnHidden>
      <p className="muted modal-lead">{"ids" in target ? t("telemetry.quarantine.replayTheseHint", { count: target.ids.length }) : t("telemetry.quarantine.replayAllHint")}</p>
      <div className="modal-field"><label htmlFor="replay-point">{t("telemetry.quarantine.otherPoint")}</label><PointField id="replay-point" value={point} onChange={(next) => setPoint(typeof next === "string" ? next : null)} /></div>
      {single ? <div className="modal-field"><label htmlFor="replay-ts">{t("telemetry.quarantine.otherTime")}</label><DatePicker id="replay-ts" showTime value={ts} onChange={(next) => setTs(next)} className="full" maxDate={dayjs()} /></div> : null}
    </Modal>
  );
}

function Dismiss({ target, count, done }: { target: Target; count: number; done: () => void }): ReactNode {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const phone = usePhone();
  const dismiss = useWrite(() => post("/quarantine/dismiss", target), ["quarantine"], done);
  return (
    <Button icon={<Trash2 size={15} aria-hidden />} onClick={() => void modal.confirm({
      title: count > 0 ? t("telemetry.quarantine.dismissSure", { count }) : t("telemetry.quarantine.dismissAllSure"), content: t("telemetry.quarantine.dismissHint"), okText: t("telemetry.quarantine.dismiss"), cancelText: t("action.cancel"), okButtonProps: { danger: true },
      onOk: () => dismiss.mutateAsync(undefined).catch(() => undefined),
    })}>{phone ? null : t("telemetry.quarantine.dismiss")}<span className="sr-only">{phone ? t("telemetry.quarantine.dismiss") : ""}</span></Button>
  );
}
