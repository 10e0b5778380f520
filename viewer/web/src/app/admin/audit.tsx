/** The audit trail: who did what, when, from where, on what, with which result. */
import { Button, DatePicker, Dropdown, Input, Select, Table } from "antd";
import dayjs from "dayjs";
import { ChevronDown, CircleCheck, CircleX, Download, FilterX, History, Search, ShieldX } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { url } from "../../api/client";
import type { AuditEntry, AuditResult } from "../../api/identity";
import { Tag } from "../access/pieces";
import { shortTime } from "../lib/format";
import { usePhone } from "../lib/prefs";
import { Ago, Empty, Failure, PageHead, useNow } from "../parts";
import { RowSkeletons } from "../pages/alarms";
import { itemsOf, usePaged } from "../queries";
import { ACTIONS, useActionName, useActorParts, useObjectName } from "./audit-names";
import { EntryDetail } from "./audit-entry";
import { filterOf, isFiltered, queryOf, SPANS, type AuditFilter, type Span } from "./audit-filter";
import { ChainBanner } from "./chain";

export default function Audit(): ReactNode {
  const { t } = useTranslation();
  const phone = usePhone();
  const now = useNow(60_000);
  const [params, setParams] = useSearchParams();
  const filter = filterOf(params);
  const query = queryOf(filter, now);
  const entries = usePaged<AuditEntry>(["audit", "entries", query], "/audit", { ...query, limit: 100 });
  const set = (change: Partial<Record<keyof AuditFilter, string | null>>): void => setParams((previous) => {
    for (const [key, value] of Object.entries(change)) {
      if (value) previous.set(key, value);
      else previous.delete(key);
    }
    return previous;
  }, { replace: true });
  const items = itemsOf(entries.data);
  return (
    <div className="page-body is-wide">
      <PageHead title={t("access.section.audit")} sub={t("access.audit.sub")}>
        <Dropdown trigger={["click"]} menu={{ items: (["csv", "jsonl"] as const).map((format) => ({
          key: format, label: <a href={url("/audit/export", { ...query, format })} download={`audit.${format}`}>{t(`access.audit.format.${format}`)}</a>,
        })) }}>
          <Button icon={<Download size={15} />}>{t("access.audit.export")}<ChevronDown size={13} aria-hidden /></Button>
        </Dropdown>
      </PageHead>
      <ChainBanner />
      <Filters filter={filter} set={set} clear={() => setParams({}, { replace: true })} />
      {entries.isError ? <Failure error={entries.error} retry={() => void entries.refetch()} /> : !entries.data ? <RowSkeletons /> : items.length === 0 ? (
        <Empty icon={History} title={t("access.audit.none")} hint={t("access.audit.noneHint")} />
      ) : phone ? <EntryCards entries={items} /> : <EntryTable entries={items} set={set} />}
      {entries.hasNextPage ? <div className="rows-more"><Button loading={entries.isFetchingNextPage} onClick={() => void entries.fetchNextPage()}>{t("action.more")}</Button></div> : null}
    </div>
  );
}

type SetFilter = (change: Partial<Record<keyof AuditFilter, string | null>>) => void;

function Filters({ filter, set, clear }: { filter: AuditFilter; set: SetFilter; clear: () => void }): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="filter-line is-fields" role="search">
      <Typed value={filter.q} set={(q) => set({ q })} label={t("access.audit.q")} icon className="search-input" />
      <Select value={filter.span} aria-label={t("access.audit.span.label")} onChange={(span: Span) => set({ span, from: null, to: null })} options={SPANS.map((one) => ({ value: one, label: t(`access.audit.span.${one}`) }))} />
      {filter.span === "custom" ? (
        <DatePicker.RangePicker showTime={{ format: "HH:mm" }} format="YYYY-MM-DD HH:mm" allowEmpty={[true, true]} value={[filter.from ? dayjs(filter.from) : null, filter.to ? dayjs(filter.to) : null]}
          onChange={(range) => set({ from: range?.[0]?.toISOString() ?? null, to: range?.[1]?.toISOString() ?? null })} />
      ) : null}
      <Typed value={filter.actor} set={(actor) => set({ actor })} label={t("access.audit.actor")} hint="li.wei" />
      <ActionSelect value={filter.action} set={(action) => set({ action })} />
      <Typed value={filter.object} set={(object) => set({ object })} label={t("access.audit.object")} hint="role:crew" />
      <Select allowClear value={filter.result} placeholder={t("access.audit.anyResult")} aria-label={t("access.audit.resultLabel")} onChange={(result?: string) => set({ result: result ?? null })}
        options={(["done", "refused", "failed"] as const).map((one) => ({ value: one, label: t(`access.audit.result.${one}`) }))} />
      {isFiltered(filter) ? <Button type="text" icon={<FilterX size={15} />} onClick={clear}>{t("access.audit.clear")}</Button> : null}
    </div>
  );
}

/** A text that filters a moment after the typing stops. */
function Typed({ value, set, label, hint, icon = false, className }: { value: string | null; set: (value: string | null) => void; label: string; hint?: string; icon?: boolean; className?: string }): ReactNode {
  const [text, setText] = useState(value ?? "");
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    setText(value ?? "");
  }
  useEffect(() => {
    if (text === (value ?? "")) return;
    const timer = setTimeout(() => set(text || null), 350);
    return () => clearTimeout(timer);
  });
  return (
    <Input allowClear {...(icon ? { prefix: <Search size={14} aria-hidden /> } : {})} value={text} placeholder={hint ? `${label} (${hint})` : label} aria-label={label} className={className ?? "filter-input"} spellCheck={false} autoCapitalize="none"
      onChange={(event) => setText(event.target.value)} onPressEnter={() => set(text || null)} />
  );
}

function ActionSelect({ value, set }: { value: string | null; set: (action: string | null) => void }): ReactNode {
  const { t } = useTranslation();
  const name = useActionName();
  const groups = Object.entries(ACTIONS).map(([about, actions]) => ({
    label: t(`access.about.${about as "role"}`),
    options: [
      ...(actions.length > 1 ? [{ value: `${about}.`, label: t("access.audit.allOf", { about: t(`access.about.${about as "role"}`) }) }] : []),
      ...actions.map((one) => ({ value: one, label: name(one) })),
    ],
  }));
  const known = groups.some((group) => group.options.some((one) => one.value === value));
  return (
    <Select allowClear showSearch={{ optionFilterProp: "label" }} value={value} placeholder={t("access.audit.anyAction")} aria-label={t("access.audit.action")} popupMatchSelectWidth={false} onChange={(action?: string) => set(action ?? null)}
      options={value && !known ? [{ label: value, options: [{ value, label: value }] }, ...groups] : groups} />
  );
}

function EntryTable({ entries, set }: { entries: AuditEntry[]; set: SetFilter }): ReactNode {
  const { t, i18n } = useTranslation();
  const action = useActionName();
  const objectName = useObjectName();
  return (
    <Table<AuditEntry> size="middle" rowKey="id" dataSource={entries} className="data-table" pagination={false} rowClassName={(entry) => (entry.result === "done" ? "is-clickable" : "is-clickable is-troubled")}
      expandable={{ expandedRowRender: (entry) => <EntryDetail entry={entry} />, expandRowByClick: true, columnWidth: 40 }} columns={[
        { title: t("access.audit.at"), key: "at", width: 128, render: (_, one) => <time className="num" dateTime={one.at} title={one.at}>{shortTime(one.at, i18n.language)}</time> },
        { title: t("access.audit.who"), key: "actor", width: "20%", render: (_, one) => <Actor actor={one.actor} pick={() => set({ actor: one.actor })} /> },
        { title: t("access.audit.action"), key: "action", width: "24%", render: (_, one) => <span className="who-cell is-plain"><span><b>{action(one.action)}</b><small><code>{one.action}</code></small></span></span> },
        { title: t("access.audit.object"), key: "object", render: (_, one) => (one.object ? <button type="button" className="text-pick" title={t("access.audit.only")} onClick={(event) => {
          event.stopPropagation();
          set({ object: one.object });
        }}><code title={one.object}>{objectName(one.object)}</code></button> : <span className="muted">–</span>) },
        { title: t("access.audit.resultLabel"), key: "result", width: 100, render: (_, one) => <Result result={one.result} /> },
        { title: t("access.audit.address"), key: "address", width: 130, render: (_, one) => <span className="mono muted">{one.address ?? ""}</span> },
      ]} />
  );
}

function EntryCards({ entries }: { entries: AuditEntry[] }): ReactNode {
  const action = useActionName();
  const objectName = useObjectName();
  return (
    <ul className="rows">
      {entries.map((one) => (
        <li key={one.id} className="row card-row">
          <details className="row-main entry-card">
            <summary>
              <span className="card-top"><b>{action(one.action)}</b><Result result={one.result} /></span>
              <span className="row-line muted"><Actor actor={one.actor} /><Ago at={one.at} /></span>
              {one.object ? <code className="muted">{objectName(one.object)}</code> : null}
            </summary>
            <EntryDetail entry={one} />
          </details>
        </li>
      ))}
    </ul>
  );
}

function Actor({ actor, pick }: { actor: string; pick?: () => void }): ReactNode {
  const { t } = useTranslation();
  const { name, icon: Icon } = useActorParts(actor);
  const shown = <><Icon size={14} aria-hidden />{name}</>;
  if (!pick) return <span className="place-name">{shown}</span>;
  return (
    <button type="button" className="place-name text-pick" title={t("access.audit.only")} onClick={(event) => {
      event.stopPropagation();
      pick();
    }}>{shown}</button>
  );
}

const RESULT = { done: ["plain", CircleCheck], refused: ["warn", ShieldX], failed: ["bad", CircleX] } as const;

function Result({ result }: { result: AuditResult }): ReactNode {
  const { t } = useTranslation();
  const [tone, icon] = RESULT[result] ?? RESULT.failed;
  return <Tag tone={tone} icon={icon}>{t(`access.audit.result.${result}`)}</Tag>;
}
