/** All points of the building: found, read live, opened, made, brought in and taken out. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { App, Button, Checkbox, Dropdown, Input, Select } from "antd";
import { Box, ChartLine, Clock, FileDown, FileUp, Plus, Search, Shapes } from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useSearchParams } from "react-router";
import { requestBlob } from "../../../api/client";
import { useBuilding } from "../../context";
import { usePhone } from "../../lib/prefs";
import { RowSkeletons } from "../../pages/alarms";
import { Ago, Empty, Failure, IconButton, PageHead, useErrorText } from "../../parts";
import { itemsOf, usePaged } from "../../queries";
import { PointValue, useLatest } from "../../scene/inspector-live";
import { useMay } from "../../session";
import { download } from "../download";
import { usePaused } from "../fields";
import type { FullPoint } from "../types";
import { PointDrawer } from "./drawer";
import { FromModel } from "./from-model";
import { ImportPoints } from "./import";
import { NewPoint } from "./new";

const KINDS = ["number", "bool", "enum", "text"] as const;
type Dialog = "new" | "import" | "model" | null;

export default function Points(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const may = useMay();
  const [params, setParams] = useSearchParams();
  const [dialog, setDialog] = useState<Dialog>(null);
  const set = (change: Record<string, string | null>): void => setParams((previous) => {
    for (const [key, value] of Object.entries(change)) {
      if (value) previous.set(key, value);
      else previous.delete(key);
    }
    return previous;
  }, { replace: true });
  const [q, setQ] = useState(params.get("q") ?? "");
  const wanted = usePaused(q.trim());
  const query = {
    building: building.id, q: wanted, kind: params.get("kind"), bound: params.get("bound"), stale: params.get("stale"), retired: params.get("retired"), limit: 200,
  };
  const points = usePaged<FullPoint>(["points", "table", query], "/points", query);
  const items = itemsOf(points.data);
  const filtered = Boolean(wanted || query.kind || query.bound || query.stale);
  const writes = may("point.write");
  return (
    <div className="page-body is-wide points-page">
      <PageHead title={t("telemetry.points.title")} sub={points.data ? t(points.hasNextPage ? "telemetry.points.countMore" : "telemetry.points.count", { count: items.length }) : " "}>
        <Input prefix={<Search size={14} aria-hidden />} allowClear value={q} className="search-input" placeholder={t("telemetry.points.search")} aria-label={t("telemetry.points.search")} onChange={(event) => setQ(event.target.value)} />
        <Out />
        {writes ? (
          <Dropdown trigger={["click"]} menu={{
            items: [
              { key: "new", label: t("telemetry.points.new"), icon: <Plus size={14} /> }, { key: "import", label: t("telemetry.points.import"), icon: <FileUp size={14} /> },
              { key: "model", label: t("telemetry.points.fromModel"), icon: <Shapes size={14} /> },
            ], onClick: ({ key }) => setDialog(key as Dialog),
          }}>
            <Button type="primary" icon={<Plus size={15} aria-hidden />}>{t("telemetry.points.add")}</Button>
          </Dropdown>
        ) : null}
      </PageHead>
      <div className="filter-line is-fields">
        <Select allowClear placeholder={t("telemetry.points.anyKind")} aria-label={t("telemetry.points.kindTitle")} value={query.kind} onChange={(value: string | undefined) => set({ kind: value ?? null })}
          options={KINDS.map((value) => ({ value, label: t(`telemetry.points.kind.${value}`) }))} />
        <Select allowClear placeholder={t("telemetry.points.boundOrNot")} aria-label={t("telemetry.points.boundTitle")} value={query.bound} onChange={(value: string | undefined) => set({ bound: value ?? null })}
          options={[{ value: "true", label: t("telemetry.points.bound") }, { value: "false", label: t("telemetry.points.unbound") }]} />
        <Select allowClear placeholder={t("telemetry.points.staleOrNot")} aria-label={t("telemetry.points.staleTitle")} value={query.stale} onChange={(value: string | undefined) => set({ stale: value ?? null })}
          options={[{ value: "true", label: t("telemetry.points.stale") }, { value: "false", label: t("telemetry.points.fresh") }]} />
        <Checkbox checked={query.retired === "true"} onChange={(event) => set({ retired: event.target.checked ? "true" : null })}>{t("telemetry.points.withRetired")}</Checkbox>
      </div>
      {points.isError ? <Failure error={points.error} retry={() => void points.refetch()} /> : !points.data ? <RowSkeletons /> : items.length === 0 ? (
        <Empty icon={Search} title={t(filtered ? "telemetry.points.noneFound" : "telemetry.points.none")} hint={t(filtered ? "telemetry.points.noneFoundHint" : "telemetry.points.noneHint")} />
      ) : <PointTable items={items} more={points.hasNextPage && !points.isFetchingNextPage ? () => void points.fetchNextPage() : null} open={(point) => set({ point: point.key })} chosen={params.get("point")} />}
      <PointDrawer of={params.get("point")} close={() => set({ point: null })} />
      {dialog === "new" ? <NewPoint close={(key) => {
        setDialog(null);
        if (key) set({ point: key });
      }} /> : null}
      {dialog === "import" ? <ImportPoints close={() => setDialog(null)} /> : null}
      {dialog === "model" ? <FromModel close={() => setDialog(null)} /> : null}
    </div>
  );
}

function Out(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const text = useErrorText();
  const [busy, setBusy] = useState(false);
  const take = async (format: string): Promise<void> => {
    setBusy(true);
    try {
      const { blob, name } = await requestBlob("GET", `/points/export?building=${building.id}&format=${format}`);
      download(blob, name ?? `points.${format}`);
    } catch (error) {
      void message.error(text(error), 6);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dropdown trigger={["click"]} menu={{ items: ["csv", "xlsx", "ttl"].map((key) => ({ key, label: t(`telemetry.points.export.${key}` as "telemetry.points.export.csv") })), onClick: ({ key }) => void take(key) }}>
      <Button icon={<FileDown size={15} aria-hidden />} loading={busy}>{t("telemetry.points.export.title")}</Button>
    </Dropdown>
  );
}

function PointTable({ items, more, open, chosen }: { items: readonly FullPoint[]; more: (() => void) | null; open: (point: FullPoint) => void; chosen: string | null }): ReactNode {
  const { t } = useTranslation();
  const phone = usePhone();
  const scroll = useRef<HTMLDivElement>(null);
  const height = phone ? 68 : 52;
  const rows = useVirtualizer({ count: items.length, getScrollElement: () => scroll.current, estimateSize: () => height, overscan: 10 });
  const last = rows.getVirtualItems().at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= items.length - 60) more?.();
  }, [last, items.length, more]);
  return (
    <div className="point-table" role="table" aria-label={t("telemetry.points.title")} aria-rowcount={items.length + 1}>
      {phone ? null : (
        <div className="point-tr is-head" role="row">
          {(["name", "value", "when", "class", "element"] as const).map((one) => <span key={one} role="columnheader">{t(`telemetry.points.column.${one}`)}</span>)}
          <span role="columnheader"><span className="sr-only">{t("telemetry.points.column.actions")}</span></span>
        </div>
      )}
      <div className="point-rows" ref={scroll} tabIndex={0} role="rowgroup">
        <div style={{ height: rows.getTotalSize(), position: "relative" }} role="presentation">
          {rows.getVirtualItems().map((row) => {
            const point = items[row.index];
            return point ? <PointRow key={point.id} point={point} top={row.start} height={height} index={row.index} chosen={point.key === chosen} open={() => open(point)} phone={phone} /> : null;
          })}
        </div>
      </div>
    </div>
  );
}

function PointRow({ point, top, height, index, chosen, open, phone }: { point: FullPoint; top: number; height: number; index: number; chosen: boolean; open: () => void; phone: boolean }): ReactNode {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { building } = useBuilding();
  const latest = useLatest(point);
  const name = (
    <span role="cell" className="point-td-name">
      <button type="button" onClick={open} title={point.name}>{point.name}</button>
      <small><code title={point.key}>{point.key}</code>{point.retired_at ? <span className="tag is-plain">{t("telemetry.points.retired")}</span> : null}</small>
    </span>
  );
  const value = <span role="cell" className="point-td-value"><PointValue point={point} latest={latest} /></span>;
  const when = <span role="cell" className="point-td-when">{latest ? <Ago at={new Date(latest.ts).toISOString()} /> : <span className="muted">{t("telemetry.points.never")}</span>}<StaleMark point={point} at={latest?.ts ?? null} /></span>;
  return (
    <div className={`point-tr${chosen ? " is-chosen" : ""}`} role="row" aria-rowindex={index + 2} style={{ transform: `translateY(${top}px)`, height }} onDoubleClick={open}>
      {name}
      {value}
      {when}
      {phone ? null : (
        <>
          <span role="cell" className="point-td-cut" title={point.brick_class ?? ""}>{point.brick_class?.replaceAll("_", " ") ?? "–"}</span>
          <span role="cell" className="point-td-cut" title={point.element?.name ?? ""}>{point.element?.name ?? <span className="muted">{t("telemetry.points.unbound")}</span>}</span>
          <span role="cell" className="point-td-actions">
            {point.kind === "text" ? null : <IconButton icon={ChartLine} size={16} label={t("telemetry.points.toTrends")} onClick={() => void navigate(`/b/${building.id}/trends?c=${point.id}&r=7d`)} />}
            {point.element ? <IconButton icon={Box} size={16} label={t("telemetry.points.to3d")} onClick={() => void navigate(`/b/${building.id}?element=${point.element?.id ?? ""}`)} /> : null}
          </span>
        </>
      )}
    </div>
  );
}

/** Silent for longer than it may be; the server's word, unless something came since. */
export function StaleMark({ point, at }: { point: FullPoint; at: number | null }): ReactNode {
  const { t } = useTranslation();
  const since = point.latest ? Date.parse(point.latest.ts) : null;
  const stale = point.stale && (at === null || at === since);
  return stale ? <span className="quality is-stale" title={t("telemetry.points.staleHint")}><Clock size={12} aria-hidden />{t("quality.stale")}</span> : null;
}
