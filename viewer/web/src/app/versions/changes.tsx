/** What differs between two versions of a model, and which elements were recognised under new GlobalIds. */
import { Button, Input, Select, Skeleton, Table, Tabs } from "antd";
import { Box, Download, Equal, Search } from "lucide-react";
import { useDeferredValue, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useParams, useSearchParams } from "react-router";
import { url } from "../../api/client";
import { useBuilding } from "../context";
import { formatNumber } from "../lib/format";
import { useClassName } from "../lib/names";
import { Empty, Failure, IconLink, LinkButton, PageHead } from "../parts";
import { itemsOf, useModels, useVersions } from "../queries";
import { Matches } from "./matches";
import { useCounts, useDiff, type Compared, type DiffItem, type Kind } from "./queries";
import { COLOURS, KINDS, total, valueText } from "./view";

export default function Changes(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { model = "" } = useParams();
  const [params, setParams] = useSearchParams();
  const models = useModels(building.id);
  const versions = useVersions(model);
  const newest = versions.data?.[0]?.version ?? 1;
  const to = Number(params.get("to")) || newest;
  const compared: Compared = { model, from: Number(params.get("from")) || Math.max(1, to - 1), to };
  const set = (change: Record<string, string>): void =>
    setParams((was) => ({ from: String(compared.from), to: String(compared.to), ...Object.fromEntries(was), ...change }), { replace: true });
  const name = models.data?.find((one) => one.id === model)?.name ?? "";
  const options = (versions.data ?? []).map((one) => ({ value: one.version, label: `v${one.version}` }));
  const query = { from: compared.from, to: compared.to };
  return (
    <div className="page-body">
      <PageHead title={t("versions.title")} sub={t("versions.sub", { model: name, ...query })}>
        <span className="compare-pick">
          <Select aria-label={t("versions.compare")} value={compared.from} options={options} onChange={(value) => set({ from: String(value) })} />
          <span aria-hidden>→</span>
          <Select aria-label={t("versions.with")} value={compared.to} options={options} onChange={(value) => set({ to: String(value) })} />
        </span>
        <Button icon={<Download size={15} />} href={url(`/models/${model}/diff.csv`, query)} download>{t("versions.csv")}</Button>
        <LinkButton to={`/b/${building.id}?changes=${model}&from=${compared.from}&to=${compared.to}`} type="primary" icon={<Box size={15} />}>{t("versions.show3d")}</LinkButton>
      </PageHead>
      <Tabs activeKey={params.get("tab") ?? "differences"} onChange={(tab) => set({ tab })} items={[
        { key: "differences", label: t("versions.tabs.differences"), children: <Differences key={`${compared.from}-${compared.to}`} compared={compared} /> },
        { key: "matches", label: t("versions.tabs.matches"), children: <Matches compared={compared} /> },
      ]} />
    </div>
  );
}

function Differences({ compared }: { compared: Compared }): ReactNode {
  const { t, i18n } = useTranslation();
  const [kind, setKind] = useState<Kind | null>(null);
  const [typed, setTyped] = useState("");
  const q = useDeferredValue(typed);
  const counts = useCounts(compared);
  const diff = useDiff(compared, { kind, q });
  const items = itemsOf(diff.data);
  if (counts.isError) return <Failure error={counts.error} retry={() => void counts.refetch()} />;
  if (counts.data && total(counts.data) === 0) return <Empty icon={Equal} title={t("versions.same")} hint={t("versions.sameHint")} />;
  const chip = (value: Kind | null, count: number): ReactNode => (
    <button key={value ?? "all"} type="button" className={`chip${kind === value ? " is-on" : ""}`} aria-pressed={kind === value} disabled={count === 0} onClick={() => setKind(value)}>
      {value ? <i style={{ background: `rgb(${COLOURS[value].join(" ")})` }} /> : null}
      {value ? t(`versions.kind.${value}`) : t("versions.all")}<b className="num">{formatNumber(count, i18n.language)}</b>
    </button>
  );
  return (
    <section className="changes">
      <div className="changes-filter">
        {counts.data ? [chip(null, total(counts.data)), ...KINDS.map((one) => chip(one, counts.data?.[one] ?? 0))] : <Skeleton.Button active />}
        <Input allowClear value={typed} onChange={(event) => setTyped(event.target.value)} prefix={<Search size={14} />} placeholder={t("versions.search")} aria-label={t("versions.search")} />
      </div>
      {diff.isError ? <Failure error={diff.error} retry={() => void diff.refetch()} /> : !diff.data ? <Skeleton active /> : (
        <ul className="change-list">{items.map((item) => <Item key={item.element_id} item={item} compared={compared} />)}</ul>
      )}
      {diff.hasNextPage ? <Button loading={diff.isFetchingNextPage} onClick={() => void diff.fetchNextPage()}>{t("versions.more")}</Button> : null}
    </section>
  );
}

function Item({ item, compared }: { item: DiffItem; compared: Compared }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const className = useClassName();
  const show = `/b/${building.id}?changes=${compared.model}&from=${compared.from}&to=${compared.to}&focus=${encodeURIComponent(item.global_id)}`;
  const parts = item.changes.filter((change) => change !== "global_id" || item.changes.length > 1).map((change) => t(`versions.change.${change}`));
  return (
    <li className="change">
      <i className="change-mark" style={{ background: `rgb(${COLOURS[item.kind].join(" ")})` }} title={t(`versions.kind.${item.kind}`)} />
      <div className="change-text">
        <p><b>{item.name || item.global_id}</b> <span className="muted">{className(item.ifc_class)}{item.storey_name ? ` · ${item.storey_name}` : ""}</span></p>
        <p className="muted">
          {t(`versions.kind.${item.kind}`)}
          {parts.length > 0 ? ` · ${parts.join(", ")}` : ""}
          {item.distance ? ` · ${t("versions.moved", { metres: formatNumber(item.distance, i18n.language) })}` : ""}
          {" · "}<span className="mono">{item.old_global_id ? `${item.old_global_id} → ` : ""}{item.global_id}</span>
        </p>
        {item.differences.some((one) => one.change !== "global_id") ? <Values item={item} /> : null}
      </div>
      <IconLink icon={Box} size={15} label={t("versions.flyTo", { id: item.name || item.global_id })} to={show} />
    </li>
  );
}

function Values({ item }: { item: DiffItem }): ReactNode {
  const { t } = useTranslation();
  const shown = item.differences.filter((one) => one.change !== "global_id");
  return (
    <details className="change-values">
      <summary>{shown.length === 1 ? shown[0]?.name : `${shown[0]?.name ?? ""} +${shown.length - 1}`}</summary>
      <Table size="small" rowKey={(row) => `${row.change}/${row.set}/${row.name}`} dataSource={shown} pagination={shown.length > 10 ? { pageSize: 10, size: "small", showSizeChanger: false } : false} scroll={{ x: "max-content" }}
        columns={[
          { title: "", dataIndex: "name", render: (value: string, row) => (row.set ? `${row.set}.${value}` : value) },
          { title: t("versions.before"), dataIndex: "before", render: valueText },
          { title: t("versions.after"), dataIndex: "after", render: (value: unknown) => <b>{valueText(value)}</b> },
        ]} />
    </details>
  );
}
