/** The building's models: what is shown, where it came from, and what could not be used as it is. */
import { Button, Modal, Skeleton, Table } from "antd";
import { Boxes, ChevronRight, Download, FileBox, TriangleAlert, Undo2, UploadCloud } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { url } from "../../api/client";
import type { Job, Model, ModelVersion, Report } from "../../api/types";
import { useBuilding } from "../context";
import { formatBytes, formatNumber, shortTime } from "../lib/format";
import { useActorName, useClassName } from "../lib/names";
import { Empty, Failure, PageHead } from "../parts";
import { useImports, useModels, useVersion, useVersions } from "../queries";
import { useMay } from "../session";
import { FindingView } from "../checks/results";
import { accountLanguage } from "../i18n";
import { reasonInChinese } from "../i18n/reasons-zh";
import "../issues/issues.css";
import { VersionActions } from "../versions/actions";
import { LastImport } from "./import-job";
import NewModel from "./new-model";

export default function Models(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const may = useMay();
  const models = useModels(building.id);
  const imports = useImports(building.id, may("job.read"));
  const [uploading, setUploading] = useState(false);
  return (
    <div className="page-body">
      <PageHead title={t("nav.models")} sub={t("models.sub")}>
        {may("model.upload") ? <Button type="primary" icon={<UploadCloud size={15} />} onClick={() => setUploading(true)}>{t("models.upload")}</Button> : null}
      </PageHead>
      {models.isError ? <Failure error={models.error} retry={() => void models.refetch()} /> : !models.data ? <Skeleton active /> : models.data.length === 0 ? (
        <Empty icon={Boxes} title={t("models.none")} hint={t("models.noneHint")} />
      ) : models.data.map((model) => (
        <ModelCard key={model.id} model={model} last={imports.data?.find((job) => job.model === model.name)} changed={() => void imports.refetch()} />
      ))}
      <Modal open={uploading} onCancel={() => setUploading(false)} title={t("models.upload")} footer={null} width={560} destroyOnHidden mask={{ closable: false }}>
        <NewModel building={building} models={models.data ?? []} />
      </Modal>
    </div>
  );
}

/** `last`: its newest import. */
function ModelCard({ model, last, changed }: { model: Model; last: Job | undefined; changed: () => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const versions = useVersions(model.id);
  const latest = versions.data?.[0];
  const discipline = `discipline.${model.discipline}`;
  return (
    <section className="card model">
      <header className="model-head">
        <FileBox size={20} strokeWidth={1.6} aria-hidden />
        <div>
          <h2>{model.name}</h2>
          <p className="muted">{i18n.exists(discipline) ? t(discipline as "discipline.arc") : model.discipline}{latest?.application ? ` · ${latest.application}` : ""}</p>
        </div>
      </header>
      {last && last.state !== "done" ? <div className="model-import"><LastImport job={last} building={building} changed={changed} /></div> : null}
      {versions.isError ? <Failure error={versions.error} /> : !versions.data ? <Skeleton active title={false} /> : versions.data.map((version) => (
        <Version key={version.version} version={version} current={version.version === model.current_version} first={version === latest} modelName={model.name} />
      ))}
    </section>
  );
}

function Version({ version, current, first, modelName }: { version: ModelVersion; current: boolean; first: boolean; modelName: string }): ReactNode {
  const { t, i18n } = useTranslation();
  const actor = useActorName();
  const [open, setOpen] = useState(first);
  const detail = useVersion(version.model_id, version.version, open);
  const report = detail.data?.report;
  const trouble = report ? report.degraded.length + report.without_geometry.length : 0;
  return (
    <details className="version" open={first} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <ChevronRight size={14} aria-hidden />
        <b className="num">v{version.version}</b>
        {current ? <span className="tag is-ok">{t("models.current")}</span> : null}
        <span className="version-name">{version.file_name}</span>
        {version.restored ? <span className="tag is-plain"><Undo2 size={12} aria-hidden />{t("versions.restored", { n: version.restored })}</span> : null}
        {trouble > 0 ? <span className="tag sev-medium"><TriangleAlert size={12} aria-hidden />{trouble}</span> : null}
        <span className="version-facts muted num">
          <span>{version.schema} · {formatBytes(version.bytes, i18n.language)}</span>
          <span>{shortTime(version.created_at, i18n.language)}</span>
          <span>{actor(version.created_by)}</span>
        </span>
      </summary>
      {open ? <VersionActions version={version} current={current} modelName={modelName} /> : null}
      {report ? <ReportView report={report} version={version} /> : detail.isError ? <Failure error={detail.error} /> : <div className="pad"><Skeleton active title={false} /></div>}
    </details>
  );
}

function ReportView({ report, version }: { report: Report; version: ModelVersion }): ReactNode {
  const { t, i18n } = useTranslation();
  const className = useClassName();
  const n = (value: number): string => formatNumber(value, i18n.language);
  const numbers: [string, string][] = [
    [t("report.elements"), n(report.elements)], [t("report.withGeometry"), n(report.with_geometry)], [t("report.storeys"), n(report.storeys)],
    [t("report.spaces"), n(report.spaces)], [t("report.systems"), n(report.systems)],
    [t("report.tiles"), `${n(report.tiles)} · ${formatBytes(report.tile_bytes, i18n.language)}`],
    [t("report.changes"), `+${n(report.added)} · ~${n(report.changed)} · −${n(report.removed)}`],
    [t("report.seconds"), `${n(report.seconds["total"] ?? 0)} s`],
  ];
  const classes = Object.entries(report.by_class).toSorted((a, b) => b[1] - a[1]);
  return (
    <div className="report">
      <dl className="report-numbers">{numbers.map(([name, value]) => <div key={name}><dt>{name}</dt><dd className="num">{value}</dd></div>)}</dl>
      {report.warnings.length > 0 ? (
        <div>
          <h3>{t("report.warnings", { count: report.warnings.length })}</h3>
          <div className="warnings" tabIndex={0} role="region" aria-label={t("report.warnings", { count: report.warnings.length })}>
            {report.warnings.slice(0, 50).map((one, i) => (
              <FindingView key={i} finding={{ ...one, severity: one.severity ?? "warning", count: one.count ?? 1, where: one.where ?? [] }} language={accountLanguage(i18n.language)} />
            ))}
          </div>
        </div>
      ) : null}
      <Troubles title={t("report.degraded")} hint={t("report.degradedHint")} items={report.degraded} />
      <Troubles title={t("report.without")} hint={t("report.withoutHint")} items={report.without_geometry} />
      <details className="group">
        <summary><ChevronRight size={13} aria-hidden /><span>{t("report.byClass")}</span><small>{classes.length}</small></summary>
        <dl className="facts is-columns">{classes.map(([name, count]) => <div key={name}><dt title={name}>{className(name)}</dt><dd className="num">{n(count)}</dd></div>)}</dl>
      </details>
      <a className="text-link" href={url(`/models/${version.model_id}/versions/${version.version}/original`)} download><Download size={14} aria-hidden />{t("report.original")}</a>
    </div>
  );
}

function Troubles({ title, hint, items }: { title: string; hint: string; items: { global_id: string; ifc_class: string; reason: string; rung?: string }[] }): ReactNode {
  const { t, i18n } = useTranslation();
  const said = (reason: string): string => (accountLanguage(i18n.language) === "zh" ? reasonInChinese(reason) : reason);
  const { building } = useBuilding();
  const className = useClassName();
  if (items.length === 0) return null;
  return (
    <details className="group">
      <summary><ChevronRight size={13} aria-hidden /><span>{title}</span><small>{items.length}</small></summary>
      <p className="muted">{hint}</p>
      <Table size="small" rowKey={(row) => `${row.global_id}${row.reason}`} dataSource={items} pagination={items.length > 10 ? { pageSize: 10, size: "small", showSizeChanger: false } : false}
        scroll={{ x: "max-content" }} columns={[
          { title: t("inspector.class"), dataIndex: "ifc_class", render: (value: string) => className(value) },
          { title: "GlobalId", dataIndex: "global_id", render: (value: string) => <Link className="mono" to={`/b/${building.id}?element=${encodeURIComponent(value)}`}>{value}</Link> },
          { title: t("report.reason"), dataIndex: "reason", render: (value: string, row) => (row.rung ? `${said(value)} (${row.rung})` : said(value)) },
        ]} />
    </details>
  );
}
