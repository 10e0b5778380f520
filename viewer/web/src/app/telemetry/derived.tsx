/** Points that are worked out from others: how, how far the past is done, what goes wrong. */
import { App, Button, Progress, Table, Tooltip } from "antd";
import { FunctionSquare, Pencil, Plus, Trash2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { del } from "../../api/client";
import { useBuilding } from "../context";
import { RowSkeletons } from "../pages/alarms";
import { Empty, Failure, IconButton, PageHead } from "../parts";
import { useQuery } from "@tanstack/react-query";
import { everything, useWrite } from "../queries";
import { useMay } from "../session";
import { usePhone } from "../lib/prefs";
import { DerivedEditor } from "./derived-editor";
import { stepSeconds, useDuration } from "./fields";

export type DerivedKind = "expression" | "sum" | "degree_hours" | "energy" | "run_hours" | "starts";

export interface Derived {
  id: string;
  point: { id: string; key: string; name: string; building_id: string; kind: string; unit: string | null };
  kind: DerivedKind;
  expression: string | null;
  inputs: Record<string, string>;
  over: Record<string, unknown> | null;
  base: number | null;
  mode: "heating" | "cooling" | null;
  above: number | null;
  states: number[] | null;
  every: string;
  members: number;
  state: "filling" | "live" | "failed";
  progress: number;
  done: string | null;
  error: { code: string; message: string } | null;
}

export default function DerivedPage(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const may = useMay();
  const phone = usePhone();
  const duration = useDuration();
  const { modal } = App.useApp();
  const [open, setOpen] = useState<Derived | "new" | null>(null);
  const found = useQuery({
    queryKey: ["points", "derived", building.id], queryFn: ({ signal }) => everything<Derived>("/derived", { building: building.id }, signal),
    refetchInterval: (query) => (query.state.data?.some((one) => one.state === "filling") ? 2000 : false),
  });
  const remove = useWrite((id: string) => del(`/derived/${id}`), ["points"]);
  const writes = may("point.write");
  const ask = (one: Derived): void => void modal.confirm({
    title: t("telemetry.derived.deleteSure", { name: one.point.name }), content: t("telemetry.derived.deleteHint"), okText: t("action.delete"), cancelText: t("action.cancel"), okButtonProps: { danger: true }, onOk: () => remove.mutateAsync(one.id).catch(() => undefined),
  });
  const pointPage = (one: Derived): string => `/b/${building.id}/telemetry/points?point=${encodeURIComponent(one.point.key)}`;
  const every = (one: Derived): string => duration(stepSeconds(one.every));
  const actions = (one: Derived): ReactNode => (
    <span className="row-actions is-end"><IconButton icon={Pencil} size={15} label={t("telemetry.derived.editOne", { name: one.point.name })} onClick={() => setOpen(one)} /><IconButton icon={Trash2} size={15} label={t("telemetry.derived.deleteOne", { name: one.point.name })} onClick={() => ask(one)} /></span>
  );
  return (
    <div className="page-body is-wide">
      <PageHead title={t("telemetry.section.derived")} sub={t("telemetry.derived.lead")}>
        {writes ? <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setOpen("new")}>{t("telemetry.derived.new")}</Button> : null}
      </PageHead>
      {found.isError ? <Failure error={found.error} retry={() => void found.refetch()} /> : !found.data ? <RowSkeletons /> : found.data.length === 0 ? (
        <Empty icon={FunctionSquare} title={t("telemetry.derived.none")} hint={t("telemetry.derived.noneHint")} />
      ) : phone ? (
        <ul className="rows">
          {found.data.map((one) => (
            <li key={one.id} className="row derived-card">
              <div className="row-main">
                <span className="row-line"><b><Link to={pointPage(one)}>{one.point.name}</Link></b><DerivedState of={one} /></span>
                <span className="row-line muted"><span>{t(`telemetry.derived.kind.${one.kind}`)}</span><span>{every(one)}</span></span>
                <DerivedFrom of={one} />
              </div>
              {writes ? actions(one) : null}
            </li>
          ))}
        </ul>
      ) : (
        <Table<Derived> size="middle" rowKey="id" dataSource={found.data} className="data-table" pagination={found.data.length > 50 ? { pageSize: 50 } : false} scroll={{ x: 780 }} columns={[
          { title: t("telemetry.points.point"), key: "point", render: (_, one) => <span className="point-td-name"><Link to={pointPage(one)}>{one.point.name}</Link><small><code>{one.point.key}</code></small></span> },
          { title: t("telemetry.derived.kindTitle"), key: "kind", width: 160, render: (_, one) => t(`telemetry.derived.kind.${one.kind}`) },
          { title: t("telemetry.derived.from"), key: "from", render: (_, one) => <DerivedFrom of={one} /> },
          { title: t("telemetry.derived.every"), key: "every", width: 120, className: "num", render: (_, one) => every(one) },
          { title: t("telemetry.sources.state"), key: "state", width: 200, render: (_, one) => <DerivedState of={one} /> },
          ...(writes ? [{ title: <span className="sr-only">{t("telemetry.points.column.actions")}</span>, key: "actions", width: 96, align: "right" as const, render: (_: unknown, one: Derived) => actions(one) }] : []),
        ]} />
      )}
      {open ? <DerivedEditor of={open === "new" ? null : open} close={() => setOpen(null)} /> : null}
    </div>
  );
}

function DerivedFrom({ of }: { of: Derived }): ReactNode {
  const { t } = useTranslation();
  const inputs = Object.entries(of.inputs).map(([name, key]) => (of.kind === "expression" ? `${name} = ${key}` : key)).join(", ");
  return <span className="derived-from">{of.expression ? <code>{of.expression}</code> : null}<small className="muted" title={inputs}>{of.over ? t("telemetry.derived.members", { count: of.members }) : inputs}</small></span>;
}

function DerivedState({ of }: { of: Derived }): ReactNode {
  const { t } = useTranslation();
  if (of.state === "failed") return <Tooltip title={of.error?.message}><span className="tag sev-critical">{t("telemetry.derived.state.failed")}</span><small className="derived-error">{of.error?.message}</small></Tooltip>;
  if (of.state === "filling") return <span className="derived-filling"><Progress percent={Math.floor(of.progress * 100)} size="small" status="active" aria-label={t("telemetry.derived.state.filling")} /><small className="muted">{t("telemetry.derived.state.filling")}</small></span>;
  return <span className="tag is-ok">{t("telemetry.derived.state.live")}</span>;
}
