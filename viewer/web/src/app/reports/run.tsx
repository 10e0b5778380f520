/** One report as it was made: read on a screen or a phone, printed on A4, taken along as a table (7.7.4c). */
import { App, Button, Skeleton, Spin } from "antd";
import { useQueryClient } from "@tanstack/react-query";
import { ArrowLeft, FileSpreadsheet, FileText, Printer, RotateCw } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams } from "react-router";
import { post, requestBlob } from "../../api/client";
import { useBuilding } from "../context";
import { accountLanguage } from "../i18n";
import { Failure, LinkButton, PageHead, useErrorText } from "../parts";
import { download } from "../telemetry/download";
import { useRun } from "./queries";
import { Section } from "./sections";
import type { Run, Snapshot, ToldRun } from "./types";
import { useReportWords } from "./words";
import "./reports.css";

export default function RunPage(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const id = useParams()["run"] ?? "";
  const run = useRun(id);
  return (
    <div className="page-body is-narrow reports printable">
      <LinkButton className="rp-back" type="text" size="small" to={`/b/${building.id}/reports`} icon={<ArrowLeft size={15} aria-hidden />}>{t("reports.back")}</LinkButton>
      {run.isError ? <Failure error={run.error} retry={() => void run.refetch()} /> : !run.data ? <Skeleton active paragraph={{ rows: 12 }} /> : <Told run={run.data} />}
    </div>
  );
}

function Told({ run }: { run: ToldRun }): ReactNode {
  const { t } = useTranslation();
  const words = useReportWords(run.snapshot?.time_zone ?? "UTC");
  const days = words.days(run.period as "day", run.first_day, run.last_day);
  return (
    <>
      <PageHead title={run.report} sub={run.so_far ? `${days} (${t("reports.soFar")})` : days}>
        {run.snapshot ? <Exports run={run} /> : null}
      </PageHead>
      {run.state === "failed" ? <Failed run={run} /> : run.snapshot ? <Sheet run={run} snapshot={run.snapshot} /> : (
        <div className="empty"><Spin /><h3>{t("reports.waitTitle")}</h3><p>{t("reports.waitHint")}</p></div>
      )}
    </>
  );
}

function Sheet({ run, snapshot }: { run: Run; snapshot: Snapshot }): ReactNode {
  const { t } = useTranslation();
  const words = useReportWords(snapshot.time_zone);
  const about = { when: words.time(snapshot.made_at), name: run.asked_by };
  return (
    <article className="rp-sheet card">
      <header className="rp-about">
        <b>{snapshot.building}</b>
        <span>{run.due_at ? t("reports.madeBySchedule", about) : t("reports.madeAt", about)}</span>
        <span>{t("reports.zone", { zone: snapshot.time_zone })}</span>
      </header>
      {snapshot.so_far ? <p className="rp-warning">{t("reports.notOver", { when: words.time(snapshot.end) })}</p> : null}
      {snapshot.sections.map((told, i) => <Section key={i} told={told} words={words} />)}
      <footer className="rp-foot muted" title={t("reports.digestHint")}>{t("reports.digest", { digest: run.digest })}</footer>
    </article>
  );
}

function Exports({ run }: { run: Run }): ReactNode {
  const { t, i18n } = useTranslation();
  const { message } = App.useApp();
  const text = useErrorText();
  const [busy, setBusy] = useState<string | null>(null);
  const save = async (suffix: "csv" | "xlsx"): Promise<void> => {
    setBusy(suffix);
    try {
      const { blob } = await requestBlob("GET", `/report-runs/${run.id}/tables.${suffix}?lang=${accountLanguage(i18n.language)}`);
      download(blob, `${run.report} ${run.first_day}.${suffix}`);
    } catch (error) {
      void message.error(text(error));
    } finally {
      setBusy(null);
    }
  };
  return (
    <>
      <Button icon={<Printer size={15} aria-hidden />} onClick={() => window.print()}>{t("reports.print")}</Button>
      <Button icon={<FileSpreadsheet size={15} aria-hidden />} loading={busy === "xlsx"} onClick={() => void save("xlsx")}>{t("reports.excel")}</Button>
      <Button icon={<FileText size={15} aria-hidden />} loading={busy === "csv"} onClick={() => void save("csv")}>{t("reports.csv")}</Button>
    </>
  );
}

function Failed({ run }: { run: ToldRun }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const text = useErrorText();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const again = async (): Promise<void> => {
    setBusy(true);
    try {
      const made = await post<Run>(`/reports/${run.report_id}/runs`, run.period === "range" ? {} : { day: run.first_day });
      await client.invalidateQueries({ queryKey: ["report-runs"] });
      void navigate(`/b/${building.id}/reports/${made.id}`);
    } catch (error) {
      void message.error(text(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="empty" role="alert">
      <h3>{t("reports.failedTitle")}</h3>
      <p>{run.message}</p>
      {run.error ? <code className="code">{(run.error as { code?: string }).code}</code> : null}
      <Button icon={<RotateCw size={15} aria-hidden />} loading={busy} onClick={() => void again()}>{t("reports.again")}</Button>
    </div>
  );
}
