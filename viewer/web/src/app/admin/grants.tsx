/** Grants: who may do what where. */
import { Button, Popconfirm, Select, Table } from "antd";
import { KeyRound, Plus, ShieldQuestion, Trash2, UserRound } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { del } from "../../api/client";
import type { Grant, PlaceKind } from "../../api/identity";
import { PlaceName } from "../access/pieces";
import { usePhone } from "../lib/prefs";
import { useRoleName } from "../lib/roles";
import { Empty, Failure, IconButton, PageHead } from "../parts";
import { RowSkeletons } from "../pages/alarms";
import { useWrite } from "../queries";
import { useMay } from "../session";
import { GrantForm } from "./grant-form";
import { GRANTS_TOUCH, GRANT_WRITE } from "./grants-shared";
import { useGrants, useRoles } from "./queries";

const KINDS: readonly (PlaceKind | "everywhere")[] = ["everywhere", "site", "building", "storey", "system"];

export const subjectOf = (grant: Grant): string => (grant.account ? `a:${grant.account}` : `k:${grant.key}`);

export default function Grants(): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const phone = usePhone();
  const roleName = useRoleName();
  const roles = useRoles();
  const grants = useGrants({});
  const [params, setParams] = useSearchParams();
  const [adding, setAdding] = useState(false);
  const filter = { who: params.get("who"), role: params.get("role"), place: params.get("place") };
  const set = (key: keyof typeof filter, value: string | undefined): void => setParams((previous) => {
    if (value) previous.set(key, value);
    else previous.delete(key);
    return previous;
  }, { replace: true });
  const all = grants.data ?? [];
  const shown = all.filter((one) => (!filter.who || subjectOf(one) === filter.who) && (!filter.role || one.role === filter.role)
    && (!filter.place || filter.place === (one.place?.kind ?? "everywhere") || filter.place === one.place?.id));
  const subjects = [...new Map(all.map((one) => [subjectOf(one), one])).entries()].toSorted(([a], [b]) => a.localeCompare(b));
  const places = [...new Map(all.flatMap((one) => (one.place ? [[one.place.id, one.place] as const] : []))).values()];
  return (
    <div className="page-body is-wide">
      <PageHead title={t("access.section.grants")} sub={t("access.grants.sub")}>
        {may(GRANT_WRITE) ? <Button type="primary" icon={<Plus size={15} />} onClick={() => setAdding(true)}>{t("access.grants.new")}</Button> : null}
      </PageHead>
      <div className="filter-line is-fields">
        <Select allowClear showSearch={{ optionFilterProp: "label" }} value={filter.who} placeholder={t("access.grants.anyone")} aria-label={t("access.grants.who")} onChange={(value?: string) => set("who", value)}
          options={subjects.map(([key, one]) => ({ value: key, label: one.account ?? one.key ?? "" }))} />
        <Select allowClear showSearch={{ optionFilterProp: "label" }} value={filter.role} placeholder={t("access.grants.anyRole")} aria-label={t("settings.role")} onChange={(value?: string) => set("role", value)}
          options={(roles.data ?? []).map((one) => ({ value: one.name, label: roleName(one.name) }))} />
        <Select allowClear showSearch={{ optionFilterProp: "label" }} value={filter.place} placeholder={t("access.grants.anyPlace")} aria-label={t("access.grants.where")} onChange={(value?: string) => set("place", value)}
          options={[{ label: t("access.grants.kindOfPlace"), options: KINDS.map((kind) => ({ value: kind, label: t(`access.place.${kind}`) })) },
            ...(places.length > 0 ? [{ label: t("access.grants.where"), options: places.map((one) => ({ value: one.id, label: one.name })) }] : [])]} />
        <span className="muted num">{grants.data ? t("access.grants.count", { count: shown.length }) : ""}</span>
      </div>
      {grants.isError ? <Failure error={grants.error} retry={() => void grants.refetch()} /> : !grants.data ? <RowSkeletons /> : shown.length === 0 ? (
        <Empty icon={ShieldQuestion} title={t("access.grants.none")} hint={t("access.grants.noneHint")} />
      ) : phone ? (
        <ul className="rows">{shown.map((one) => (
          <li key={one.id} className="row card-row">
            <div className="row-main"><span className="card-top"><Subject grant={one} /><Revoke grant={one} /></span><span className="row-line"><b>{roleName(one.role)}</b><PlaceName place={one.place} /></span></div>
          </li>
        ))}</ul>
      ) : (
        <Table<Grant> size="middle" rowKey="id" dataSource={shown} className="data-table" pagination={shown.length > 100 ? { pageSize: 100, showSizeChanger: false } : false} columns={[
          { title: t("access.grants.who"), key: "who", width: "34%", sorter: (a, b) => subjectOf(a).localeCompare(subjectOf(b)), render: (_, one) => <Subject grant={one} /> },
          { title: t("settings.role"), key: "role", width: "24%", sorter: (a, b) => roleName(a.role).localeCompare(roleName(b.role)), render: (_, one) => <b>{roleName(one.role)}</b> },
          { title: t("access.grants.where"), key: "place", render: (_, one) => <PlaceName place={one.place} /> },
          { key: "x", width: 56, align: "right", render: (_, one) => <Revoke grant={one} /> },
        ]} />
      )}
      {adding ? <GrantForm subject={null} close={() => setAdding(false)} /> : null}
    </div>
  );
}

function Subject({ grant }: { grant: Grant }): ReactNode {
  const Icon = grant.account ? UserRound : KeyRound;
  const to = grant.account ? `/admin/accounts?account=${encodeURIComponent(grant.account)}` : "/admin/keys";
  return <Link to={to} className="place-name is-link"><Icon size={14} aria-hidden />{grant.account ?? grant.key}</Link>;
}

function Revoke({ grant }: { grant: Grant }): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const revoke = useWrite(() => del(`/grants/${grant.id}`), GRANTS_TOUCH);
  if (!may(GRANT_WRITE)) return null;
  return (
    <Popconfirm title={t("access.grants.revokeSure")} description={t("access.grants.revokeHint")} okText={t("access.grants.revoke")} cancelText={t("action.cancel")} okButtonProps={{ danger: true }}
      onConfirm={() => revoke.mutate(undefined)} placement="left">
      <span><IconButton icon={Trash2} size={15} label={`${t("access.grants.revoke")}: ${grant.account ?? grant.key ?? ""}`} /></span>
    </Popconfirm>
  );
}
