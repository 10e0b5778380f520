/** One point: what it says, what is set of it, which devices measured for it, what was put right. */
import { useQuery } from "@tanstack/react-query";
import { App, Button, Drawer, Form, Skeleton, Tabs } from "antd";
import { Archive, ArchiveRestore, Box, ChartLine } from "lucide-react";
import { lazy, Suspense, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get, patch, post } from "../../../api/client";
import { useBuilding } from "../../context";
import { formatTime } from "../../lib/format";
import { usePhone } from "../../lib/prefs";
import { Ago, Failure, LinkButton } from "../../parts";
import { useWrite } from "../../queries";
import { PointCommand } from "../../scene/command";
import { History, PointValue, useLatest } from "../../scene/inspector-live";
import { useMay } from "../../session";
import { showProblems, useDuration } from "../fields";
import type { FullPoint } from "../types";
import { Corrections } from "./corrections";
import { HardwareHistory } from "./hardware";
import { bodyOf, PointFields, valuesOf, type PointValues } from "./point-form";
import { StaleMark } from "./points";

const Insight = lazy(async () => ({ default: (await import("./insight")).Insight }));

export function PointDrawer({ of, close }: { of: string | null; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const phone = usePhone();
  return (
    <Drawer open={of !== null} onClose={close} size={phone ? "100%" : 640} title={t("telemetry.points.point")} destroyOnHidden classNames={{ body: "flush" }}>
      {of ? <Body key={of} of={of} /> : null}
    </Drawer>
  );
}

function Body({ of }: { of: string }): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const point = useQuery({ queryKey: ["points", "one", of], queryFn: ({ signal }) => get<FullPoint>(`/points/${encodeURIComponent(of)}`, {}, signal) });
  if (point.isError) return <Failure error={point.error} retry={() => void point.refetch()} />;
  if (!point.data) return <div className="pad"><Skeleton active /></div>;
  const one = point.data;
  return (
    <div className="account-view">
      <Head point={one} />
      <Tabs className="account-tabs" items={[
        { key: "now", label: t("telemetry.points.tab.now"), children: <Now point={one} /> },
        { key: "facts", label: t("telemetry.points.tab.facts"), children: may("point.write") ? <Facts key={one.id} point={one} /> : <FactList point={one} /> },
        { key: "hardware", label: t("telemetry.points.tab.hardware"), children: <HardwareHistory point={one} /> },
        { key: "corrections", label: t("telemetry.points.tab.corrections"), children: <Corrections point={one} /> },
        ...(one.kind === "number" ? [{ key: "insight", label: t("telemetry.points.tab.insight"), children: <Suspense fallback={<Skeleton active />}><Insight point={one} /></Suspense> }] : []),
      ]} />
    </div>
  );
}

function Head({ point }: { point: FullPoint }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { modal } = App.useApp();
  const may = useMay();
  const latest = useLatest(point);
  const retired = point.retired_at !== null;
  const turn = useWrite(() => post(`/points/${point.id}/${retired ? "restore" : "retire"}`), ["points"]);
  return (
    <>
      <div className="account-head">
        <div className="grow">
          <h2>{point.name}</h2>
          <p className="muted"><code>{point.key}</code>{point.element ? ` · ${point.element.name ?? ""}` : ""}</p>
        </div>
        <div className="point-now"><PointValue point={point} latest={latest} /><span><Ago at={latest ? new Date(latest.ts).toISOString() : null} /> <StaleMark point={point} at={latest?.ts ?? null} /></span></div>
      </div>
      <div className="account-actions">
        {point.kind === "text" ? null : <LinkButton icon={<ChartLine size={15} />} to={`/b/${building.id}/trends?c=${point.id}&r=7d`}>{t("telemetry.points.toTrends")}</LinkButton>}
        {point.element ? <LinkButton icon={<Box size={15} />} to={`/b/${building.id}?element=${point.element.id}`}>{t("telemetry.points.to3d")}</LinkButton> : null}
        {may("point.write") ? (
          <Button icon={retired ? <ArchiveRestore size={15} /> : <Archive size={15} />} loading={turn.isPending} onClick={() => (retired ? turn.mutate(undefined) : void modal.confirm({
            title: t("telemetry.points.retireSure", { name: point.name }), content: t("telemetry.points.retireHint"), okText: t("telemetry.points.retire"), cancelText: t("action.cancel"), onOk: () => turn.mutateAsync(undefined).catch(() => undefined),
          }))}>{t(retired ? "telemetry.points.restore" : "telemetry.points.retire")}</Button>
        ) : null}
      </div>
    </>
  );
}

function Now({ point }: { point: FullPoint }): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const latest = useLatest(point);
  return (
    <div className="tab-form">
      {point.kind === "text" ? null : <section><h3>{t("telemetry.points.lastDay")}</h3><History point={point} /></section>}
      {point.writable && may("point.command") && !point.retired_at ? <PointCommand point={point} current={latest?.value ?? null} /> : null}
      <FactList point={point} />
    </div>
  );
}

function FactList({ point }: { point: FullPoint }): ReactNode {
  const { t, i18n } = useTranslation();
  const duration = useDuration();
  const range = point.min_value !== null || point.max_value !== null ? `${point.min_value ?? "−∞"} … ${point.max_value ?? "∞"}` : null;
  const facts: [string, ReactNode][] = [
    [t("telemetry.points.kindTitle"), t(`telemetry.points.kind.${point.kind}`)],
    [t("telemetry.points.field.unit"), point.unit ? `${point.unit_symbol ?? ""} (${point.unit})` : null],
    [t("telemetry.points.field.quantity"), point.quantity],
    [t("telemetry.points.field.brick_class"), point.brick_class?.replaceAll("_", " ")],
    [t("telemetry.points.field.labels"), point.labels ? Object.entries(point.labels).map(([code, label]) => <span key={code} className="chip">{code} = {label}</span>) : null],
    [t("telemetry.points.rangeTitle"), range],
    [t("telemetry.points.field.deadband"), point.deadband],
    [t("telemetry.points.field.expected_interval"), duration(point.expected_interval)],
    [t("telemetry.points.field.stale_after"), point.stale_after ? duration(point.stale_after) : null],
    [t("telemetry.points.field.sampling"), t(`telemetry.points.sampling.${point.sampling as "hold"}`)],
    [t("telemetry.points.field.time_zone"), point.time_zone],
    [t("telemetry.points.field.tags"), point.tags?.length ? point.tags.map((tag) => <span key={tag} className="chip">{tag}</span>) : null],
    [t("telemetry.points.field.writable"), t(point.writable ? "value.yes" : "value.no")],
    [t("telemetry.points.retired"), point.retired_at ? formatTime(point.retired_at, i18n.language) : null],
  ];
  return <dl className="facts">{facts.filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

/** Only what was changed is sent: what somebody else changes meanwhile stays theirs. */
function Facts({ point }: { point: FullPoint }): ReactNode {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [form] = Form.useForm<PointValues>();
  const [dirty, setDirty] = useState(false);
  const before = valuesOf(point);
  const save = useWrite((changes: Partial<PointValues>) => patch<FullPoint>(`/points/${point.id}`, bodyOf(changes)), ["points"], () => {
    setDirty(false);
    void message.success(t("telemetry.points.saved"));
  });
  const submit = (values: PointValues): void => {
    const changes = Object.fromEntries(Object.entries({ ...before, ...values }).filter(([name, value]) => name !== "kind" && JSON.stringify(value ?? null) !== JSON.stringify(before[name as keyof PointValues] ?? null)).map(([name, value]) => [name, value === undefined || value === "" ? null : value]));
    if (Object.keys(changes).length === 0) setDirty(false);
    else save.mutate(changes, { onError: (error) => void showProblems(form, error) });
  };
  return (
    <Form form={form} layout="vertical" requiredMark={false} className="tab-form" initialValues={before} onValuesChange={() => setDirty(true)} onFinish={submit} scrollToFirstError>
      <PointFields form={form} point={point} />
      <div className="form-foot"><Button type="primary" htmlType="submit" disabled={!dirty} loading={save.isPending}>{t("action.save")}</Button><Button disabled={!dirty} onClick={() => {
        form.resetFields();
        setDirty(false);
      }}>{t("telemetry.points.undo")}</Button></div>
    </Form>
  );
}
