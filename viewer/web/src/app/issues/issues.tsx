/** Issues of the building: the list, one of them beside it, BCF files in and out. */
import { App, Button, Drawer, Dropdown, Input, Select, Upload } from "antd";
import { Box, FileDown, FileUp, Flag, MessageSquare, Plus } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { upload, url } from "../../api/client";
import { useBuilding } from "../context";
import { shortTime } from "../lib/format";
import { useActorName } from "../lib/names";
import { RowSkeletons } from "../pages/alarms";
import { Empty, Failure, LinkButton, PageHead } from "../parts";
import { itemsOf, useWrite } from "../queries";
import { useMay } from "../session";
import { IssueForm } from "./issue-form";
import { IssueView } from "./issue";
import { useIssues, type BcfReport, type Issue } from "./queries";
import { isOver, useWords } from "./words";
import "./issues.css";

export default function Issues(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const words = useWords();
  const [params, setParams] = useSearchParams();
  const may = useMay();
  const [q, setQ] = useState("");
  const [adding, setAdding] = useState(false);
  const status = params.get("status");
  const chosen = params.get("issue");
  const issues = useIssues({ building: building.id, status, q, limit: 50 });
  const items = itemsOf(issues.data);
  const set = (key: string, value: string | null): void => setParams((previous) => {
    if (value) previous.set(key, value);
    else previous.delete(key);
    return previous;
  }, { replace: true });
  return (
    <div className="page-body">
      <PageHead title={t("nav.issues")} sub={issues.data ? t("issues.count", { count: items.length }) : null}>
        <Input.Search allowClear placeholder={t("issues.search")} aria-label={t("issues.search")} onSearch={setQ} style={{ width: 180 }} />
        <Select allowClear placeholder={t("issues.anyStatus")} value={status} aria-label={t("issues.status")} style={{ minWidth: 120 }}
          onChange={(value: string | undefined) => set("status", value ?? null)} options={words.statuses} />
        <Transfer />
        {may("topic.write") ? <Button type="primary" icon={<Plus size={15} />} onClick={() => setAdding(true)}>{t("issues.add")}</Button> : null}
      </PageHead>
      {issues.isError ? <Failure error={issues.error} retry={() => void issues.refetch()} /> : !issues.data ? <RowSkeletons /> : items.length === 0 ? (
        <Empty icon={Flag} title={t(q || status ? "issues.noneFound" : "issues.none")} hint={t(q || status ? "issues.noneFoundHint" : "issues.noneHint")}
          action={q || status || !may("topic.write") ? null : <LinkButton type="primary" icon={<Box size={15} />} to={`/b/${building.id}`}>{t("issues.fromView")}</LinkButton>} />
      ) : (
        <ul className="rows" aria-label={t("nav.issues")}>
          {items.map((issue) => <IssueRow key={issue.id} issue={issue} chosen={issue.id === chosen} open={() => set("issue", issue.id)} />)}
          {issues.hasNextPage ? (
            <li className="rows-more"><Button loading={issues.isFetchingNextPage} onClick={() => void issues.fetchNextPage()}>{t("action.more")}</Button></li>
          ) : null}
        </ul>
      )}
      {adding ? (
        <IssueForm view={null} close={() => setAdding(false)}>
          <p className="issue-note muted">{t("issues.noView")} <Link to={`/b/${building.id}`}>{t("issues.fromView")}</Link></p>
        </IssueForm>
      ) : null}
      <Drawer open={chosen !== null} onClose={() => set("issue", null)} size={480} title={t("issues.types.Issue")} classNames={{ body: "flush" }} destroyOnHidden>
        {chosen ? <IssueView id={chosen} /> : null}
      </Drawer>
    </div>
  );
}

/** BCF files: in, and out in both versions. */
function Transfer(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const may = useMay();
  const send = useWrite((file: File) => {
    const body = new FormData();
    body.append("building", building.id);
    body.append("file", file, file.name);
    return upload<BcfReport>("/bcf", body, () => undefined).result;
  }, ["issues", "issue"], (report) => {
    const counts = { created: report.created?.length ?? 0, updated: report.updated?.length ?? 0, refused: report.refused?.length ?? 0 };
    void message.success(t("issues.importDone", counts), 6);
  });
  return (
    <>
      {may("topic.write") ? (
        <Upload accept=".bcf,.bcfzip" showUploadList={false} beforeUpload={(file) => {
          send.mutate(file);
          return false;
        }}>
          <Button icon={<FileUp size={15} />} loading={send.isPending}>{t("issues.import")}</Button>
        </Upload>
      ) : null}
      <Dropdown menu={{
        items: ["3.0", "2.1"].map((version) => ({
          key: version, label: <a href={url("/bcf", { building: building.id, version })} download>{t("issues.exportAs", { version })}</a>,
        })),
      }}>
        <Button icon={<FileDown size={15} />}>{t("issues.export")}</Button>
      </Dropdown>
    </>
  );
}

function IssueRow({ issue, chosen, open }: { issue: Issue; chosen: boolean; open: () => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const actor = useActorName();
  const words = useWords();
  return (
    <li className={`row issue-row${chosen ? " is-chosen" : ""}${isOver(issue.topic_status) ? " is-quiet" : ""}`}>
      <button type="button" className="row-main" onClick={open}>
        <span className="issue-line">
          {issue.snapshot ? <img className="issue-thumb" loading="lazy" alt="" src={url(`/topics/${issue.id}/viewpoints/${issue.snapshot}/snapshot`)} /> : <span className="issue-thumb is-blank"><Flag size={18} aria-hidden /></span>}
          <span className="issue-text">
            <span className="row-line">
              <b>{issue.title}</b>
              {issue.topic_status ? <span className="tag is-plain">{words.status(issue.topic_status)}</span> : null}
              {issue.priority ? <span className="tag is-plain">{words.priority(issue.priority)}</span> : null}
            </span>
            <span className="row-line muted">
              <span className="num">#{issue.number}</span>
              {issue.topic_type ? <span>{words.type(issue.topic_type)}</span> : null}
              <span>{t("issues.by", { who: actor(issue.creation_author) })}</span>
              <span className="num">{shortTime(issue.creation_date, i18n.language)}</span>
              {issue.comments > 0 ? <span className="num issue-said"><MessageSquare size={13} aria-hidden />{issue.comments}</span> : null}
            </span>
          </span>
        </span>
      </button>
    </li>
  );
}
