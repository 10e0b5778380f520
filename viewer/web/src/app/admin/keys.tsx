/** API keys: the catalogue of programs, what each may read and write, and how it behaves. */
import { Button, Table } from "antd";
import { ArrowDownToLine, ArrowUpFromLine, Clock, KeyRound, Plus, RefreshCw, TriangleAlert } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import type { ApiKey, CatalogueEntry } from "../../api/identity";
import { Avatar, GrantList, Tag } from "../access/pieces";
import { formatNumber, shortTime } from "../lib/format";
import { errorShare, latencyText } from "../lib/hours";
import { usePhone } from "../lib/prefs";
import { Ago, Empty, Failure, PageHead, useAgo, useNow } from "../parts";
import { RowSkeletons } from "../pages/alarms";
import { KeyDrawer } from "./key-drawer";
import { KeyForm } from "./key-form";
import { expiryOf } from "./key-state";
import { useCatalogue, usePermissions, useRoles } from "./queries";
import { usePermissionTitle } from "./role-matrix";

export default function Keys(): ReactNode {
  const { t } = useTranslation();
  const phone = usePhone();
  const catalogue = useCatalogue();
  useRoles(); // names of custom roles
  const [params, setParams] = useSearchParams();
  const [adding, setAdding] = useState(false);
  const chosen = params.get("key");
  const open = (key: string | null): void => setParams(key ? { key } : {}, { replace: true });
  const entries = catalogue.data ?? [];
  return (
    <div className="page-body is-wide">
      <PageHead title={t("access.section.keys")} sub={t("access.keys.sub")}>
        <Button type="primary" icon={<Plus size={15} />} onClick={() => setAdding(true)}>{t("settings.keyAdd")}</Button>
      </PageHead>
      {catalogue.isError ? <Failure error={catalogue.error} retry={() => void catalogue.refetch()} /> : !catalogue.data ? <RowSkeletons /> : entries.length === 0 ? (
        <Empty icon={KeyRound} title={t("settings.keysNone")} hint={t("settings.keysHint")} />
      ) : phone ? <KeyCards entries={entries} open={open} /> : <KeyTable entries={entries} open={open} />}
      <KeyDrawer entry={entries.find((one) => one.key.id === chosen) ?? null} close={() => open(null)} />
      {adding ? <KeyForm close={(made) => {
        setAdding(false);
        if (made) open(made);
      }} /> : null}
    </div>
  );
}

interface ListProps {
  entries: CatalogueEntry[];
  open: (key: string) => void;
}

function KeyTable({ entries, open }: ListProps): ReactNode {
  const { t, i18n } = useTranslation();
  const n = (value: number): string => formatNumber(value, i18n.language);
  return (
    <Table<CatalogueEntry> size="middle" rowKey={(one) => one.key.id} dataSource={entries} className="data-table" rowClassName="is-clickable" pagination={false} onRow={(one) => ({ onClick: () => open(one.key.id) })} columns={[
      { title: t("access.keys.program"), key: "name", width: "23%", sorter: (a, b) => a.key.name.localeCompare(b.key.name), render: (_, one) => <Program entry={one} open={() => open(one.key.id)} /> },
      { title: t("access.keys.may"), key: "may", render: (_, one) => <May entry={one} /> },
      { title: t("access.keys.calls24"), key: "calls", align: "right", width: 124, sorter: (a, b) => a.usage.calls - b.usage.calls, render: (_, one) => <span className="num">{n(one.usage.calls)}</span> },
      { title: t("access.keys.errors"), key: "errors", align: "right", width: 96, sorter: (a, b) => a.usage.errors - b.usage.errors, render: (_, one) => <Errors entry={one} /> },
      { title: t("access.keys.latency"), key: "latency", align: "right", width: 104, render: (_, one) => <span className="num">{latencyText(one.usage.latency_p95, i18n.language)}</span> },
      { title: t("settings.keyUsed"), key: "used", width: 112, sorter: (a, b) => (a.key.used_at ?? "").localeCompare(b.key.used_at ?? ""), render: (_, one) => (one.key.used_at ? <Ago at={one.key.used_at} /> : <span className="muted">{t("settings.never")}</span>) },
      { title: t("access.keys.expiry"), key: "expiry", width: 128, render: (_, one) => <Expiry of={one.key} /> },
    ]} />
  );
}

function KeyCards({ entries, open }: ListProps): ReactNode {
  const { t, i18n } = useTranslation();
  return (
    <ul className="rows">
      {entries.map((one) => (
        <li key={one.key.id} className="row card-row">
          <div className="row-main">
            <span className="card-top"><Program entry={one} open={() => open(one.key.id)} /><Expiry of={one.key} /></span>
            <May entry={one} />
            <span className="row-line muted">
              <span className="num">{t("access.keys.callsCount", { count: one.usage.calls, calls: formatNumber(one.usage.calls, i18n.language) })}</span>
              <Errors entry={one} />
              <span className="num">p95 {latencyText(one.usage.latency_p95, i18n.language)}</span>
              {one.key.used_at ? <Ago at={one.key.used_at} /> : <span>{t("settings.never")}</span>}
            </span>
          </div>
        </li>
      ))}
    </ul>
  );
}

function Program({ entry, open }: { entry: CatalogueEntry; open: () => void }): ReactNode {
  return (
    <button type="button" className="who-cell" onClick={(event) => {
      event.stopPropagation();
      open();
    }}>
      <Avatar name={entry.key.name} program />
      <span><b>{entry.key.name}</b><small><GrantList grants={entry.grants} most={1} /></small></span>
    </button>
  );
}

/** Numbers of permissions to read and to write, their names on hover. */
function May({ entry }: { entry: CatalogueEntry }): ReactNode {
  const { t } = useTranslation();
  const permissions = usePermissions().data ?? [];
  const title = usePermissionTitle();
  const names = (list: readonly string[]): string => list.map((name) => {
    const known = permissions.find((one) => one.name === name);
    return known ? title(known) : name;
  }).join("\n");
  return (
    <span className="tag-line">
      <span className="tag is-plain" title={names(entry.reads)}><ArrowDownToLine size={12} aria-hidden />{t("access.keys.reads", { count: entry.reads.length })}</span>
      {entry.writes.length > 0 ? <span className="tag sev-low" title={names(entry.writes)}><ArrowUpFromLine size={12} aria-hidden />{t("access.keys.writes", { count: entry.writes.length })}</span> : null}
    </span>
  );
}

function Errors({ entry }: { entry: CatalogueEntry }): ReactNode {
  const { i18n } = useTranslation();
  const { calls, errors } = entry.usage;
  if (calls === 0) return <span className="muted">–</span>;
  return <span className={`num${errors / calls > 0.05 ? " sev-text-critical" : errors > 0 ? " sev-text-medium" : ""}`}>{errorShare(errors, calls, i18n.language)}</span>;
}

export function Expiry({ of }: { of: ApiKey }): ReactNode {
  const { t, i18n } = useTranslation();
  const now = useNow(60_000);
  const ago = useAgo();
  if (of.rotating_until && Date.parse(of.rotating_until) > now) return <Tag tone="info" icon={RefreshCw} title={shortTime(of.rotating_until, i18n.language)}>{t("access.keys.rotating")}</Tag>;
  const state = expiryOf(of, now);
  if (state === "never") return <span className="muted">{t("access.keys.noExpiry")}</span>;
  const when = shortTime(of.expires_at ?? "", i18n.language);
  if (state === "over") return <Tag tone="bad" icon={TriangleAlert} title={when}>{t("access.keys.expired")}</Tag>;
  if (state === "soon") return <Tag tone="warn" icon={Clock} title={when}>{t("access.keys.endsIn", { when: ago(of.expires_at ?? "") })}</Tag>;
  return <span className="num" title={when}>{when}</span>;
}
