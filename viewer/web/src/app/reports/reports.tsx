/** The reports of a building: what is told again and again, and all that was made of it. */
import { App, Button, DatePicker, Popover, Skeleton } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { CalendarClock, Copy, FileChartColumn, Pencil, Play, Plus, Trash2, Users } from "lucide-react";
import { lazy, Suspense, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { del, post } from "../../api/client";
import { useBuilding } from "../context";
import { formatTime, shortTime } from "../lib/format";
import { useRuleText } from "../pages/rule-builder";
import { Ago, Empty, Failure, IconButton, PageHead } from "../parts";
import { useWrite } from "../queries";
import { useReports, useRuns } from "./queries";
import type { Report, Run } from "./types";
import { useReportWords } from "./words";
import "./reports.css";

const ReportForm = lazy(() => import("./form"));

/** What the form opens with: nothing, a report to change, or one to copy. */
export interface Opened {
  report: Report | null;
  copy: boolean;
}

export default function Reports(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const reports = useReports(building.id);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [only, setOnly] = useState<string | null>(null);
  const all = reports.data ?? [];
  return (
    <div className="page-body reports">
      <PageHead title={t("reports.title")} sub={reports.data ? t("reports.sub", { count: all.length }) : " "}>
        <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setOpened({ report: null, copy: false })}>{t("reports.create")}</Button>
      </PageHead>
      {reports.isError ? <Failure error={reports.error} retry={() => void reports.refetch()} /> : !reports.data ? <Skeleton active /> : all.length === 0 ? (
        <Empty icon={FileChartColumn} title={t("reports.none")} hint={t("reports.noneHint")} />
      ) : <ul className="rows">{all.map((report) => <ReportRow key={report.id} report={report} open={setOpened} shown={only === report.id} show={() => setOnly(only === report.id ? null : report.id)} />)}</ul>}
      {all.length > 0 ? <Made report={only} /> : null}
      {opened ? <Suspense fallback={null}><ReportForm opened={opened} close={() => setOpened(null)} /></Suspense> : null}
    </div>
  );
}

function useTold(): (report: Report) => string {
  const { t, i18n } = useTranslation();
  const ruleText = useRuleText();
  return (report) => {
    const kinds = [...new Set(report.sections.map((one) => t(`reports.kind.${one.kind}`)))].join(i18n.language === "en" ? ", " : "、");
    const when = report.starts_at === null ? t("reports.onDemand") : report.rrule ? ruleText(report.rrule) : formatTime(report.starts_at, i18n.language);
    return `${kinds} · ${when}`;
  };
}

function ReportRow({ report, open, shown, show }: { report: Report; open: (opened: Opened) => void; shown: boolean; show: () => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const { modal } = App.useApp();
  const told = useTold();
  const remove = useWrite(() => del(`/reports/${report.id}`), ["reports", "report-runs"]);
  const period = t(`reports.each.${report.period}`, { first: report.first_day, last: report.last_day });
  return (
    <li className={`row${shown ? " is-selected" : ""}`}>
      <button type="button" className="row-main" onClick={show} aria-pressed={shown}>
        <span className="row-line"><b>{report.name}</b><span className="chip">{period}</span>{report.shared ? <span className="rp-shared muted"><Users size={13} aria-hidden />{report.mine ? t("reports.sharedWithAll") : t("reports.by", { name: report.owner })}</span> : null}</span>
        <span className="row-line muted"><span>{told(report)}</span>
          {report.next_due ? <span className="rp-due"><CalendarClock size={13} aria-hidden />{t("reports.nextDue", { when: shortTime(report.next_due, i18n.language) })}</span> : report.starts_at ? <span>{t("reports.ended")}</span> : null}
        </span>
      </button>
      <span className="row-actions">
        <Make report={report} />
        {report.mine ? <IconButton icon={Pencil} size={15} label={t("action.edit")} onClick={() => open({ report, copy: false })} /> : null}
        <IconButton icon={Copy} size={15} label={t("reports.copy")} onClick={() => open({ report, copy: true })} />
        {report.mine ? (
          <IconButton icon={Trash2} size={15} label={t("action.delete")} onClick={() => void modal.confirm({
            title: t("reports.deleteSure", { name: report.name }), content: t("reports.deleteHint"), okText: t("action.delete"), cancelText: t("action.cancel"),
            okButtonProps: { danger: true }, onOk: () => remove.mutateAsync(undefined).catch(() => undefined),
          })} />
        ) : null}
      </span>
    </li>
  );
}

/** Makes a report and opens it: of the last period that is over, or of another one. */
function Make({ report }: { report: Report }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const [day, setDay] = useState<Dayjs | null>(null);
  const make = useWrite(() => post<Run>(`/reports/${report.id}/runs`, day ? { day: day.format("YYYY-MM-DD") } : {}), ["report-runs"], (run) => void navigate(`/b/${building.id}/reports/${run.id}`));
  const icon = <Play size={14} aria-hidden />;
  if (report.period === "range") return <Button size="small" icon={icon} loading={make.isPending} onClick={() => make.mutate(undefined)}>{t("reports.make")}</Button>;
  return (
    <Popover trigger="click" open={asking} onOpenChange={setAsking} placement="bottomRight" title={t("reports.makeNow")} content={(
      <div className="rp-make">
        <DatePicker picker={report.period === "day" ? "date" : report.period} value={day} onChange={setDay} placeholder={t("reports.lastWhole")} aria-label={t("reports.which")} className="full"
          disabledDate={(date) => date.isAfter(dayjs())} />
        <small className="muted">{t("reports.makeHint")}</small>
        <Button type="primary" block loading={make.isPending} onClick={() => make.mutate(undefined)}>{t("reports.make")}</Button>
      </div>
    )}>
      <Button size="small" icon={icon}>{t("reports.make")}</Button>
    </Popover>
  );
}

function Made({ report }: { report: string | null }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const runs = useRuns(building.id, report);
  return (
    <section className="rp-made" aria-label={t("reports.made")}>
      <h2>{t("reports.made")}</h2>
      {runs.isError ? <Failure error={runs.error} retry={() => void runs.refetch()} /> : !runs.data ? <Skeleton active title={false} /> : runs.data.length === 0 ? (
        <p className="muted">{t("reports.madeNone")}</p>
      ) : <ul className="rows">{runs.data.map((run) => <RunRow key={run.id} run={run} />)}</ul>}
    </section>
  );
}

function RunRow({ run }: { run: Run }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const words = useReportWords("UTC");
  const tone = run.state === "failed" ? "sev-critical" : run.state === "waiting" ? "state-in_progress" : "is-ok";
  return (
    <li className="row">
      <Link className="row-main" to={`/b/${building.id}/reports/${run.id}`}>
        <span className="row-line"><b>{words.days(run.period as "day", run.first_day, run.last_day)}</b>{run.so_far ? <span className="chip">{t("reports.soFar")}</span> : null}<span>{run.report}</span></span>
        <span className="row-line muted"><Ago at={run.made_at ?? run.asked_at} /><span aria-hidden>·</span><span>{run.due_at ? t("reports.scheduled") : t("reports.asked", { name: run.asked_by })}</span></span>
      </Link>
      {run.state === "done" ? null : <span className="row-actions"><span className={`tag ${tone}`}>{t(`reports.state.${run.state as "done"}`)}</span></span>}
    </li>
  );
}
