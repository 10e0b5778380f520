/** One key: its behaviour by hour and route, its rights, its limits; rotate, change, revoke. */
import { App, Button, Drawer, Segmented, Select, Skeleton, Table, Tabs } from "antd";
import { Pencil, RefreshCw, Trash2 } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { del, post } from "../../api/client";
import type { ApiKey, CatalogueEntry, RouteUsage } from "../../api/identity";
import { Avatar, SecretOnce } from "../access/pieces";
import { formatNumber, shortTime } from "../lib/format";
import { errorShare, everyHour, latencyText } from "../lib/hours";
import { useActorName } from "../lib/names";
import { usePhone } from "../lib/prefs";
import { Ago, Failure } from "../parts";
import { useWrite } from "../queries";
import { GrantRows } from "./grant-rows";
import { KeyForm } from "./key-form";
import { Expiry } from "./keys";
import { useKeyUsage, usePermissions } from "./queries";
import { usePermissionTitle } from "./role-matrix";
import { UsageChart } from "./usage-chart";

export function KeyDrawer({ entry, close }: { entry: CatalogueEntry | null; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const phone = usePhone();
  return (
    <Drawer open={entry !== null} onClose={close} size={phone ? "100%" : 620} title={t("access.keys.key")} destroyOnHidden classNames={{ body: "flush" }}>
      {entry ? <Body entry={entry} close={close} /> : null}
    </Drawer>
  );
}

function Body({ entry, close }: { entry: CatalogueEntry; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const { key } = entry;
  const actor = useActorName();
  return (
    <div className="account-view">
      <div className="account-head">
        <Avatar name={key.name} program size={44} />
        <div className="grow"><h2>{key.name}</h2><p className="muted">{key.used_at ? <>{t("settings.keyUsed")} <Ago at={key.used_at} />{key.used_from ? ` · ${key.used_from}` : ""}</> : t("access.keys.neverUsed")}{key.created_by ? ` · ${t("access.keys.by", { who: actor(key.created_by) })}` : ""}</p></div>
        <Expiry of={key} />
      </div>
      <Actions of={key} close={close} />
      <Tabs className="account-tabs" items={[
        { key: "usage", label: t("access.keys.usage"), children: <Usage of={key} /> },
        { key: "rights", label: t("access.accounts.rights"), children: <Rights entry={entry} /> },
        { key: "limits", label: t("access.keys.limits"), children: <Limits of={key} /> },
      ]} />
    </div>
  );
}

const OVERLAPS = [0, 3600, 86_400, 604_800] as const;

function Actions({ of, close }: { of: ApiKey; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const [editing, setEditing] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const rotate = useWrite((overlap: number) => post<{ secret: string }>(`/api-keys/${of.id}/rotate`, { overlap }), ["keys"], (answer) => setSecret(answer.secret));
  const revoke = useWrite(() => del(`/api-keys/${of.id}`), ["keys", "grants", "roles"], close);
  const askRotate = (): void => {
    let overlap = 86_400;
    void modal.confirm({
      title: t("access.keys.rotateSure", { name: of.name }), okText: t("access.keys.rotate"), cancelText: t("action.cancel"), width: 460,
      content: (
        <div className="lines">
          <p>{t("access.keys.rotateHint")}</p>
          <Select defaultValue={overlap} aria-label={t("access.keys.overlap")} onChange={(value: number) => { overlap = value; }} options={OVERLAPS.map((value) => ({ value, label: t(`access.keys.overlapOf.${value}`) }))} />
        </div>
      ),
      onOk: () => rotate.mutateAsync(overlap).catch(() => undefined),
    });
  };
  return (
    <div className="account-actions">
      <Button icon={<RefreshCw size={15} />} onClick={askRotate}>{t("access.keys.rotate")}</Button>
      <Button icon={<Pencil size={15} />} onClick={() => setEditing(true)}>{t("access.keys.edit")}</Button>
      <Button danger icon={<Trash2 size={15} />} onClick={() => void modal.confirm({
        title: t("settings.keyRevokeSure", { name: of.name }), okText: t("settings.keyRevoke"), cancelText: t("action.cancel"), okButtonProps: { danger: true },
        onOk: () => revoke.mutateAsync(undefined).catch(() => undefined),
      })}>{t("settings.keyRevoke")}</Button>
      {editing ? <KeyForm of={of} close={() => setEditing(false)} /> : null}
      {secret ? <SecretOnce title={t("access.keys.rotated")} lead={t("settings.keyOnce")} secret={secret} close={() => setSecret(null)} /> : null}
    </div>
  );
}

const HOUR = 3_600_000;

function Usage({ of }: { of: ApiKey }): ReactNode {
  const { t, i18n } = useTranslation();
  const [hours, setHours] = useState(24);
  const [now] = useState(() => Math.ceil(Date.now() / HOUR) * HOUR);
  const from = now - hours * HOUR;
  const usage = useKeyUsage(of.id, new Date(from).toISOString(), new Date(now).toISOString());
  const series = useMemo(() => everyHour(usage.data?.hours ?? [], from, now), [usage.data, from, now]);
  const n = (value: number): string => formatNumber(value, i18n.language);
  const data = usage.data;
  return (
    <div className="tab-form">
      <Segmented value={hours} onChange={setHours} options={[{ value: 24, label: t("access.keys.span.day") }, { value: 168, label: t("access.keys.span.week") }, { value: 720, label: t("access.keys.span.month") }]} />
      {usage.isError ? <Failure error={usage.error} retry={() => void usage.refetch()} /> : !data ? <Skeleton active /> : (
        <>
          <dl className="report-numbers">
            <div><dt>{t("access.keys.calls")}</dt><dd className="num">{n(data.total.calls)}</dd></div>
            <div><dt>{t("access.keys.errors")}</dt><dd className={`num${data.total.errors > 0 ? " sev-text-medium" : ""}`}>{n(data.total.errors)} <small>{errorShare(data.total.errors, data.total.calls, i18n.language)}</small></dd></div>
            <div><dt>{t("access.keys.refused")}</dt><dd className="num">{n(data.total.refused)}</dd></div>
            <div><dt>{t("access.keys.mean")}</dt><dd className="num">{latencyText(data.total.latency_mean, i18n.language)}</dd></div>
            <div><dt>p95</dt><dd className="num">{latencyText(data.total.latency_p95, i18n.language)}</dd></div>
          </dl>
          <figure className="usage-figure">
            <figcaption><span className="key-dot is-calls">{t("access.keys.calls")}</span><span className="key-dot is-errors">{t("access.keys.errors")}</span><span className="key-dot is-latency">{t("access.keys.latency")}</span></figcaption>
            <UsageChart series={series} label={t("access.keys.chart")} />
          </figure>
          {data.routes.length > 0 ? (
            <Table<RouteUsage> size="small" rowKey={(one) => one.route ?? ""} dataSource={data.routes} pagination={data.routes.length > 10 ? { pageSize: 10, size: "small", showSizeChanger: false } : false} scroll={{ x: "max-content" }} columns={[
              { title: t("access.keys.route"), key: "route", render: (_, one) => <code>{one.route}</code> },
              { title: t("access.keys.calls"), key: "calls", align: "right", render: (_, one) => <span className="num">{n(one.figures.calls)}</span> },
              { title: t("access.keys.errors"), key: "errors", align: "right", render: (_, one) => <span className="num">{n(one.figures.errors)}</span> },
              { title: "p95", key: "p95", align: "right", render: (_, one) => <span className="num">{latencyText(one.figures.latency_p95, i18n.language)}</span> },
            ]} />
          ) : <p className="muted">{t("access.keys.noCalls")}</p>}
        </>
      )}
    </div>
  );
}

function Rights({ entry }: { entry: CatalogueEntry }): ReactNode {
  const { t } = useTranslation();
  const permissions = usePermissions().data ?? [];
  const title = usePermissionTitle();
  const lines = (names: readonly string[]): ReactNode => names.map((name) => {
    const known = permissions.find((one) => one.name === name);
    return <li key={name}><span>{known ? title(known) : name}</span><code>{name}</code></li>;
  });
  return (
    <>
      <GrantRows keyId={entry.key.id} keyName={entry.key.name} />
      <div className="tab-form may-lists">
        <section><h3>{t("access.keys.mayRead")}</h3><ul>{lines(entry.reads)}</ul></section>
        <section><h3>{t("access.keys.mayWrite")}</h3>{entry.writes.length > 0 ? <ul>{lines(entry.writes)}</ul> : <p className="muted">{t("access.keys.writesNothing")}</p>}</section>
      </div>
    </>
  );
}

function Limits({ of }: { of: ApiKey }): ReactNode {
  const { t, i18n } = useTranslation();
  const at = (time: string | null, none: string): string => (time ? shortTime(time, i18n.language) : none);
  const facts: [string, ReactNode][] = [
    [t("access.keys.expiry"), at(of.expires_at, t("access.keys.noExpiry"))],
    [t("access.networks.title"), of.networks.length > 0 ? of.networks.map((one) => <code key={one} className="chip">{one}</code>) : t("access.networks.any")],
    [t("access.keys.scopes"), of.scopes ? of.scopes.map((one) => <code key={one} className="chip">{one}</code>) : t("access.keys.allOfRole")],
    [t("access.keys.rate"), of.rate ?? t("access.keys.standard")],
    [t("access.keys.concurrency"), of.concurrency ?? t("access.keys.standard")],
    [t("access.keys.created"), at(of.created_at, "–")],
  ];
  return <div className="tab-form"><dl className="facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd className="tag-line">{value}</dd></div>)}</dl></div>;
}
