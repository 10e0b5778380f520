/** An import as its uploader sees it: how far it is, what it brought, or why it failed. */
import { useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Progress } from "antd";
import { CircleCheck } from "lucide-react";
import { useEffect, useRef, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { del } from "../../api/client";
import type { Building, Job } from "../../api/types";
import { formatBytes, formatDuration, shortTime } from "../lib/format";
import { isFinished, useJob } from "../queries";

export function ErrorWhere({ where, code, label }: { where: string | null; code: string | null; label: string }): ReactNode {
  return (
    <span className="error-where">
      {where ? <span>{label}: {where}</span> : null}
      {code ? <code className="code">{code}</code> : null}
    </span>
  );
}

/** What a running import counts; nothing is said that is not known. */
interface Counted {
  done?: number;
  total?: number;
  bytes?: number;
  seconds_left?: number;
  storeys_shown?: number;
}

export function JobView({ id, building, again, onDone }: { id: string; building: Building; again: () => void; onDone: () => void }): ReactNode {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const query = useJob(id);
  const job = query.data;
  const told = useRef(false);
  useEffect(() => {
    if (job && isFinished(job) && !told.current) {
      told.current = true;
      if (job.state === "done") onDone();
    }
  }, [job, onDone]);
  if (!job) return <Progress percent={0} status="active" />;
  if (job.state === "failed" || job.state === "cancelled") {
    return (
      <>
        <JobEnd job={job} title={job.error?.message ?? t(`job.${job.state}`)} />
        <Button block onClick={again}>{t("upload.again")}</Button>
      </>
    );
  }
  if (job.state === "done") {
    const count = typeof job.result?.["elements"] === "number" ? job.result["elements"] : null;
    return (
      <div className="upload-done">
        <CircleCheck size={32} strokeWidth={1.5} aria-hidden />
        <b>{t("upload.done")}</b>
        {count === null ? null : <span className="muted">{t("upload.doneCount", { count })}</span>}
        <div className="detail-actions">
          <Button onClick={again}>{t("upload.another")}</Button>
          <Button type="primary" onClick={() => void client.invalidateQueries({ queryKey: ["buildings"] }).then(() => navigate(`/b/${building.id}`))}>{t("upload.open")}</Button>
        </div>
      </div>
    );
  }
  return <RunningJob job={job} building={building} changed={() => void query.refetch()} />;
}

/** Why an import gave nothing. */
function JobEnd({ job, title, children }: { job: Job; title: string; children?: ReactNode }): ReactNode {
  const { t } = useTranslation();
  const where = <ErrorWhere where={job.error?.where ?? null} code={job.error?.code ?? null} label={t("upload.where")} />;
  return <Alert type={job.state === "failed" ? "error" : "info"} showIcon role="alert" title={title} description={<>{children}{where}</>} />;
}

/** What a model's page says of an upload that is on its way, or came to nothing. */
export function LastImport({ job, building, changed }: { job: Job; building: Building; changed: () => void }): ReactNode {
  const { t, i18n } = useTranslation();
  if (!isFinished(job)) return <RunningJob job={job} building={building} changed={changed} />;
  const file = job.file_name ?? "";
  const title = job.state === "failed" ? t("imports.failed", { file }) : t("imports.cancelled", { file });
  return (
    <JobEnd job={job} title={`${title} · ${shortTime(job.finished_at ?? job.created_at, i18n.language)}`}>
      {job.error ? <p>{job.error.message}</p> : null}
    </JobEnd>
  );
}

function RunningJob({ job, building, changed }: { job: Job; building: Building; changed: () => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const stageKey = `stage.${job.stage ?? "queued"}`;
  const { done, total, bytes, seconds_left: left, storeys_shown: shown } = (job.detail ?? {}) as Counted;
  return (
    <div className="upload-progress is-job" aria-live="polite">
      <span>{i18n.exists(stageKey) ? t(stageKey as "stage.queued") : job.stage}</span>
      <Progress percent={Math.floor(job.progress * 100)} size="small" status="active" />
      <Button size="small" onClick={() => void del(`/jobs/${job.id}`).then(changed)}>{t("action.cancel")}</Button>
      <span className="muted num">
        {[
          bytes === undefined ? null : formatBytes(bytes, i18n.language),
          done === undefined || !total ? null : t("imports.counted", { done, total }),
          left === undefined ? null : left < 60 ? t("imports.seconds", { count: left }) : t("imports.left", { time: formatDuration(left * 1000, i18n.language) }),
        ].filter(Boolean).join(" · ")}
      </span>
      {shown ? (
        <Button type="link" onClick={() => void navigate(`/b/${building.id}`)}>
          {t("imports.shown", { count: shown })}. {t("imports.look")}
        </Button>
      ) : null}
    </div>
  );
}
