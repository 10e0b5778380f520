/** Accounts: who can sign in, with which rights, and whether something is wrong with it. */
import { Button, Input, Segmented, Select, Table } from "antd";
import { CircleCheck, CircleOff, Clock, KeyRound, Lock, Plus, Search, ShieldAlert, ShieldCheck, ShieldOff, Users } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import type { Account } from "../../api/identity";
import { Avatar, GrantList, Tag } from "../access/pieces";
import { usePhone } from "../lib/prefs";
import { Ago, Empty, Failure, PageHead, useNow } from "../parts";
import { useMay } from "../session";
import { RowSkeletons } from "../pages/alarms";
import { AccountDrawer } from "./account-drawer";
import { NewAccount } from "./account-new";
import { matches, STATUSES, statusOf, type Status } from "./account-status";
import { useAccounts, useRoles } from "./queries";

export default function Accounts(): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const phone = usePhone();
  const accounts = useAccounts();
  useRoles(); // names of custom roles
  const now = useNow(60_000);
  const [params, setParams] = useSearchParams();
  const [adding, setAdding] = useState(false);
  const q = params.get("q") ?? "";
  const status = (params.get("status") ?? "all") as Status | "all";
  const set = (change: Record<string, string | null>): void => setParams((previous) => {
    for (const [key, value] of Object.entries(change)) {
      if (value) previous.set(key, value);
      else previous.delete(key);
    }
    return previous;
  }, { replace: true });
  const all = useMemo(() => accounts.data ?? [], [accounts.data]);
  const shown = useMemo(() => all.filter((one) => matches(one, q) && (status === "all" || statusOf(one, now).includes(status))), [all, q, status, now]);
  const counts = STATUSES.map((one) => ({ status: one, count: all.filter((account) => statusOf(account, now).includes(one)).length }));
  const options: { value: Status | "all"; label: ReactNode }[] = [
    { value: "all", label: t("access.accounts.status.all") },
    ...counts.filter((one) => one.count > 0 || one.status === status || one.status === "active").map((one) => ({
      value: one.status, label: <>{t(`access.accounts.status.${one.status}`)} <span className="muted num">{one.count}</span></>,
    })),
  ];
  const pick = (value: Status | "all"): void => set({ status: value === "all" ? null : value });
  const open = (account: Account): void => set({ account: account.name });
  return (
    <div className="page-body is-wide">
      <PageHead title={t("access.section.accounts")} sub={accounts.data ? t("access.accounts.sub", { count: all.length }) : " "}>
        <Input prefix={<Search size={14} aria-hidden />} allowClear value={q} placeholder={t("access.accounts.search")} aria-label={t("access.accounts.search")}
          onChange={(event) => set({ q: event.target.value })} className="search-input" />
        {may("account.write") ? <Button type="primary" icon={<Plus size={15} />} onClick={() => setAdding(true)}>{t("access.accounts.new")}</Button> : null}
      </PageHead>
      <div className="filter-line">
        {phone ? <Select value={status} onChange={pick} options={options} aria-label={t("access.accounts.state")} className="full" /> : <Segmented value={status} onChange={pick} options={options} />}
      </div>
      {accounts.isError ? <Failure error={accounts.error} retry={() => void accounts.refetch()} /> : !accounts.data ? <RowSkeletons /> : shown.length === 0 ? (
        <Empty icon={Users} title={t("access.accounts.none")} hint={t("access.accounts.noneHint")} />
      ) : phone ? <AccountCards accounts={shown} open={open} now={now} /> : <AccountTable accounts={shown} open={open} now={now} />}
      <AccountDrawer name={params.get("account")} close={() => set({ account: null })} />
      {adding ? <NewAccount close={(made) => {
        setAdding(false);
        if (made) set({ account: made });
      }} /> : null}
    </div>
  );
}

interface ListProps {
  accounts: Account[];
  open: (account: Account) => void;
  now: number;
}

function AccountTable({ accounts, open, now }: ListProps): ReactNode {
  const { t } = useTranslation();
  return (
    <Table<Account> size="middle" rowKey="id" dataSource={accounts} className="data-table" rowClassName="is-clickable" onRow={(account) => ({ onClick: () => open(account) })}
      pagination={accounts.length > 50 ? { pageSize: 50, showSizeChanger: false } : false} columns={[
        { title: t("access.accounts.account"), key: "name", width: "26%", sorter: (a, b) => a.name.localeCompare(b.name), render: (_, one) => <Who account={one} open={() => open(one)} /> },
        { title: t("access.accounts.rights"), key: "grants", render: (_, one) => <GrantList grants={one.grants} /> },
        { title: t("access.accounts.state"), key: "state", width: 190, render: (_, one) => <StatusTags account={one} now={now} /> },
        { title: t("access.factor.title"), key: "factor", width: 130, render: (_, one) => <FactorMark account={one} /> },
        { title: t("access.accounts.lastLogin"), key: "last", width: 130, sorter: (a, b) => time(a) - time(b),
          render: (_, one) => (one.last_login_at ? <Ago at={one.last_login_at} /> : <span className="muted">{t("settings.never")}</span>) },
      ]} />
  );
}

const time = (account: Account): number => (account.last_login_at ? Date.parse(account.last_login_at) : 0);

function AccountCards({ accounts, open, now }: ListProps): ReactNode {
  const { t } = useTranslation();
  return (
    <ul className="rows">
      {accounts.map((one) => (
        <li key={one.id} className="row card-row">
          <div className="row-main">
            <span className="card-top"><Who account={one} open={() => open(one)} /><StatusTags account={one} now={now} /></span>
            <GrantList grants={one.grants} most={1} />
            <span className="row-line muted"><FactorMark account={one} /><span>{one.last_login_at ? <>{t("access.accounts.lastLogin")} <Ago at={one.last_login_at} /></> : t("access.accounts.neverIn")}</span></span>
          </div>
        </li>
      ))}
    </ul>
  );
}

function Who({ account, open }: { account: Account; open: () => void }): ReactNode {
  return (
    <button type="button" className="who-cell" onClick={(event) => {
      event.stopPropagation();
      open();
    }}>
      <Avatar name={account.name} label={account.display_name} />
      <span><b>{account.display_name ?? account.name}</b>{account.display_name ? <small>{account.name}</small> : null}</span>
    </button>
  );
}

export function StatusTags({ account, now }: { account: Account; now: number }): ReactNode {
  const { t } = useTranslation();
  const status = statusOf(account, now);
  return (
    <span className="tag-line">
      {status.includes("disabled") ? <Tag tone="plain" icon={CircleOff}>{t("access.accounts.status.disabled")}</Tag> : null}
      {status.includes("expired") ? <Tag tone="warn" icon={Clock}>{t("access.accounts.status.expired")}</Tag> : null}
      {status.includes("locked") ? <Tag tone="bad" icon={Lock}>{t("access.accounts.status.locked")}</Tag> : null}
      {account.must_change_password && !account.disabled ? <Tag tone="info" icon={KeyRound}>{t("access.accounts.mustChange")}</Tag> : null}
      {status.includes("active") && !account.must_change_password ? <Tag tone="ok" icon={CircleCheck}>{t("access.accounts.status.active")}</Tag> : null}
    </span>
  );
}

function FactorMark({ account }: { account: Account }): ReactNode {
  const { t } = useTranslation();
  if (account.second_factor) return <span className="mark is-good"><ShieldCheck size={15} aria-hidden />{t("access.factor.on")}</span>;
  if (account.require_second_factor) return <span className="mark is-warn"><ShieldAlert size={15} aria-hidden />{t("access.factor.due")}</span>;
  return <span className="mark"><ShieldOff size={15} aria-hidden />{t("access.factor.off")}</span>;
}
