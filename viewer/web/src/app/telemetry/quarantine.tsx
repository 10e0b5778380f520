/** Readings that could not be used: why, from whom, what to do about it. Read page by page: there may be millions. */
import { Button, Checkbox, DatePicker, Input, Segmented, Select } from "antd";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, ShieldCheck } from "lucide-react";
import dayjs from "dayjs";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { get, type Query } from "../../api/client";
import type { Page } from "../../api/types";
import { useBuilding } from "../context";
import { formatNumber } from "../lib/format";
import { usePhone } from "../lib/prefs";
import { RowSkeletons } from "../pages/alarms";
import { Empty, Failure, PageHead } from "../parts";
import { useMay } from "../session";
import { QuarantineCards, QuarantineTable, useReason, type Quarantined } from "./quarantine-table";
import { Dismiss, ReplayButton, type Target } from "./quarantine-settle";
import { sourceTitle, type Source } from "./source-names";

interface Count {
  code: string;
  source: string | null;
  point: string;
  count: number;
}

const STATES = ["open", "replayed", "dismissed"] as const;
const FILTERS = ["source", "point", "code", "from", "to"] as const;
const PAGE = 50;
const GROUPS = 1000; // of the summary; more are not told apart

export default function Quarantine(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const may = useMay();
  const [params, setParams] = useSearchParams();
  const [chosen, setChosen] = useState<number[]>([]);
  const [cursors, setCursors] = useState<readonly (string | null)[]>([null]);
  const state = params.get("state") ?? "open";
  const filter: Query = { ...Object.fromEntries(FILTERS.map((name) => [name, params.get(name)])), building: params.has("here") ? building.id : null };
  const set = (change: Record<string, string | null>): void => {
    setChosen([]);
    setCursors([null]);
    setParams((previous) => {
      for (const [key, value] of Object.entries(change)) {
        if (value) previous.set(key, value);
        else previous.delete(key);
      }
      return previous;
    }, { replace: true });
  };
  const cursor = cursors.at(-1) ?? null;
  const found = useQuery({
    queryKey: ["quarantine", "page", filter, state, cursor], placeholderData: keepPreviousData,
    queryFn: ({ signal }) => get<Page<Quarantined>>("/quarantine", { ...filter, state, limit: PAGE, cursor }, signal),
  });
  const summary = useQuery({ queryKey: ["quarantine", "summary", filter, state], queryFn: ({ signal }) => get<{ items: Count[] }>("/quarantine/summary", { ...filter, state, limit: GROUPS }, signal), retry: 0, placeholderData: keepPreviousData });
  const items = found.data?.items ?? [];
  const writes = may("reading.write") && state === "open";
  const target: Target = chosen.length > 0 ? { ids: chosen } : { filter: Object.fromEntries(Object.entries(filter).filter(([, value]) => value)) };
  const narrowed = Object.values(filter).some(Boolean);
  const turn = (next: readonly (string | null)[]): void => {
    setChosen([]);
    setCursors(next);
    document.querySelector("main.page")?.scrollTo({ top: 0 });
  };
  const settled = (): void => turn([null]);
  return (
    <div className="page-body is-wide">
      <PageHead title={t("telemetry.section.quarantine")} sub={t("telemetry.quarantine.lead")}>
        {writes && items.length > 0 ? <><ReplayButton target={target} done={settled} /><Dismiss target={target} done={settled} /></> : null}
      </PageHead>
      <Summary items={summary.data?.items ?? []} pick={(one) => set({ code: one.code, source: one.source, point: one.point })} />
      <Filters state={state} codes={[...new Set((summary.data?.items ?? []).map((one) => one.code))]} set={set} params={params} />
      {found.isError ? <Failure error={found.error} retry={() => void found.refetch()} /> : !found.data ? <RowSkeletons /> : items.length === 0 ? (
        <Empty icon={ShieldCheck} title={t(narrowed ? "telemetry.quarantine.noneFound" : `telemetry.quarantine.noneOf.${state as "open"}`)} hint={t(narrowed ? "telemetry.quarantine.noneFoundHint" : "telemetry.quarantine.noneHint")}
          action={narrowed ? <Button onClick={() => set({ ...Object.fromEntries(FILTERS.map((name) => [name, null])), here: null })}>{t("telemetry.quarantine.clear")}</Button> : null} />
      ) : (
        <Rows items={items} state={state} chosen={writes ? chosen : null} choose={setChosen} busy={found.isPlaceholderData}>
          <Pager page={cursors.length} first={(cursors.length - 1) * PAGE + 1} count={items.length} total={totalOf(summary.data?.items)} back={cursors.length > 1 ? () => turn(cursors.slice(0, -1)) : null}
            on={found.data.next && !found.isPlaceholderData ? () => turn([...cursors, found.data.next]) : null} />
        </Rows>
      )}
    </div>
  );
}

/** null where the summary does not hold all of them. */
const totalOf = (items: readonly Count[] | undefined): number | null => (items && items.length < GROUPS ? items.reduce((sum, one) => sum + one.count, 0) : null);

function Rows({ items, state, chosen, choose, busy, children }: { items: readonly Quarantined[]; state: string; chosen: number[] | null; choose: (ids: number[]) => void; busy: boolean; children: ReactNode }): ReactNode {
  const phone = usePhone();
  const View = phone ? QuarantineCards : QuarantineTable;
  return <div className={`quarantine-rows${busy ? " is-old" : ""}`} aria-busy={busy}><View items={items} state={state} chosen={chosen} choose={choose} />{children}</div>;
}

function Pager({ page, first, count, total, back, on }: { page: number; first: number; count: number; total: number | null; back: (() => void) | null; on: (() => void) | null }): ReactNode {
  const { t, i18n } = useTranslation();
  const n = (value: number): string => formatNumber(value, i18n.language);
  const last = first + count - 1;
  return (
    <nav className="quarantine-pager" aria-label={t("telemetry.quarantine.pages")}>
      <span className="muted num" role="status">{t(total === null || total < last ? "telemetry.quarantine.shownOfMany" : "telemetry.quarantine.shownOf", { first: n(first), last: n(last), total: n(total ?? 0) })}</span>
      <Button icon={<ChevronLeft size={15} aria-hidden />} disabled={!back} onClick={() => back?.()}>{t("telemetry.quarantine.newer")}</Button>
      <span className="num" aria-current="page">{page}</span>
      <Button icon={<ChevronRight size={15} aria-hidden />} iconPlacement="end" disabled={!on} onClick={() => on?.()}>{t("telemetry.quarantine.older")}</Button>
    </nav>
  );
}

function Filters({ state, codes, set, params }: { state: string; codes: readonly string[]; set: (change: Record<string, string | null>) => void; params: URLSearchParams }): ReactNode {
  const { t } = useTranslation();
  const reason = useReason();
  const sources = useQuery({ queryKey: ["sources", "names"], queryFn: ({ signal }) => get<Page<Source>>("/sources", { limit: 1000 }, signal), staleTime: 60_000, retry: 0 });
  const given = { source: params.get("source"), code: params.get("code"), point: params.get("point") ?? "", from: params.get("from"), to: params.get("to") };
  const source = sources.data?.items.find((one) => one.id === given.source)?.name ?? given.source;
  const names = [...new Set([...(sources.data?.items ?? []).map((one) => one.name), ...(source ? [source] : [])])];
  const kinds = [...new Set([...codes, ...(given.code ? [given.code] : [])])];
  return (
    <div className="filter-line is-fields quarantine-filters">
      <Segmented value={state} onChange={(value) => set({ state: value === "open" ? null : value })} options={STATES.map((value) => ({ value, label: t(`telemetry.quarantine.state.${value}`) }))} />
      <Select allowClear className="is-wide" placeholder={t("telemetry.quarantine.anyReason")} aria-label={t("telemetry.quarantine.why")} value={given.code} popupMatchSelectWidth={false} onChange={(value: string | null | undefined) => set({ code: value ?? null })} options={kinds.map((value) => ({ value, label: reason(value) }))} />
      <Select allowClear showSearch placeholder={t("telemetry.quarantine.anySource")} aria-label={t("telemetry.quarantine.source")} value={source} popupMatchSelectWidth={false} onChange={(value: string | null | undefined) => set({ source: value ?? null })} options={names.map((value) => ({ value, label: sourceTitle(value) }))} />
      <Input allowClear key={given.point} defaultValue={given.point} placeholder={t("telemetry.quarantine.anyPoint")} aria-label={t("telemetry.quarantine.anyPoint")} className="search-input" onPressEnter={(event) => set({ point: event.currentTarget.value.trim() })} onBlur={(event) => event.target.value.trim() !== given.point && set({ point: event.target.value.trim() })} />
      <DatePicker.RangePicker showTime={{ format: "HH:mm" }} format="YYYY-MM-DD HH:mm" aria-label={t("telemetry.quarantine.came")} placeholder={[t("telemetry.quarantine.cameFrom"), t("telemetry.quarantine.cameTo")]} allowEmpty={[true, true]} value={[given.from ? dayjs(given.from) : null, given.to ? dayjs(given.to) : null]}
        onChange={(days) => set({ from: days?.[0]?.toISOString() ?? null, to: days?.[1]?.toISOString() ?? null })} />
      <Checkbox checked={params.has("here")} onChange={(event) => set({ here: event.target.checked ? "1" : null })}>{t("telemetry.quarantine.here")}</Checkbox>
    </div>
  );
}

/** What there is most of: a click shows only that. */
function Summary({ items, pick }: { items: readonly Count[]; pick: (one: Count) => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const reason = useReason();
  if (items.length < 2) return null;
  return (
    <ul className="quarantine-summary" aria-label={t("telemetry.quarantine.summary")}>
      {items.slice(0, 6).map((one) => (
        <li key={`${one.code} ${one.source} ${one.point}`}>
          <button type="button" onClick={() => pick(one)}>
            <b className="num">{formatNumber(one.count, i18n.language)}</b>
            <span><em>{reason(one.code)}</em><small><code>{one.point}</code>{one.source ? ` · ${sourceTitle(one.source)}` : ""}</small></span>
          </button>
        </li>
      ))}
    </ul>
  );
}
