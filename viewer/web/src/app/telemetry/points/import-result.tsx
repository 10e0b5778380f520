/** What a list of points does, or did: row by row, and what stands in its way. */
import { Alert, Table } from "antd";
import { type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { formatNumber } from "../../lib/format";

export interface ImportReport {
  created: number;
  updated: number;
  unchanged: number;
  bound: number;
  problems: { row: number | null; field: string | null; code: string; message: string }[];
  items: { row: number | null; key: string; name: string; action: string; element?: string | { name?: string | null } | null }[];
}

export function ImportResult({ report, done }: { report: ImportReport; done: boolean }): ReactNode {
  const { t, i18n } = useTranslation();
  const elementOf = (element: ImportReport["items"][number]["element"]): string => (typeof element === "string" ? element : (element?.name ?? "–"));
  const actions = ["created", "updated", "unchanged", "bound"] as const;
  const actionText = (action: string): string => (i18n.exists(`telemetry.import.action.${action}`) ? t(`telemetry.import.action.${action}` as "telemetry.import.action.created") : action);
  return (
    <div className="import-result">
      <Alert type={report.problems.length > 0 ? "warning" : done ? "success" : "info"} showIcon title={t(done ? "telemetry.import.done" : "telemetry.import.dry")} description={(
        <dl className="report-numbers">{actions.map((one) => <div key={one}><dt>{t(`telemetry.import.${one}`)}</dt><dd className="num">{formatNumber(report[one], i18n.language)}</dd></div>)}</dl>
      )} />
      {report.problems.length > 0 ? (
        <section>
          <h3>{t("telemetry.import.problems", { count: report.problems.length })}</h3>
          <Table size="small" rowKey={(_, i) => String(i)} dataSource={report.problems} pagination={report.problems.length > 8 ? { pageSize: 8, size: "small", showSizeChanger: false } : false} columns={[
            { title: t("telemetry.import.row"), key: "row", width: 64, align: "right", className: "num", render: (_, one) => one.row ?? "–" },
            { title: t("telemetry.import.field"), key: "field", width: 130, render: (_, one) => (one.field ? <code>{one.field}</code> : "–") },
            { title: t("telemetry.import.problem"), key: "message", dataIndex: "message" },
          ]} />
        </section>
      ) : null}
      {report.items.length > 0 ? (
        <Table size="small" rowKey={(one) => `${one.row}:${one.key}`} dataSource={report.items} pagination={{ pageSize: 8, size: "small", showSizeChanger: false, hideOnSinglePage: true }} scroll={{ x: 560 }} columns={[
          { title: t("telemetry.points.field.key"), key: "key", render: (_, one) => <code>{one.key}</code> },
          { title: t("telemetry.points.field.name"), key: "name", dataIndex: "name" },
          { title: t("telemetry.points.field.element"), key: "element", render: (_, one) => elementOf(one.element) },
          { title: t("telemetry.import.what"), key: "action", width: 110, render: (_, one) => <span className={`tag ${one.action === "created" ? "is-ok" : "is-plain"}`}>{actionText(one.action)}</span> },
        ]} />
      ) : null}
    </div>
  );
}
