/** One issue: what is wrong, where (its views lead into 3D), what was said about it. */
import { Button, Input, Select, Skeleton } from "antd";
import { Box } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { patch, post, url } from "../../api/client";
import { useBuilding } from "../context";
import { formatTime } from "../lib/format";
import { useActorName } from "../lib/names";
import { Failure } from "../parts";
import { useWrite } from "../queries";
import { useMay } from "../session";
import { useIssue, type IssueDetail, type IssueViewpoint } from "./queries";
import { useWords } from "./words";
import "./issues.css";

const TOUCHES = ["issue", "issues"];

export function IssueView({ id }: { id: string }): ReactNode {
  const issue = useIssue(id);
  if (issue.isError) return <Failure error={issue.error} retry={() => void issue.refetch()} />;
  if (!issue.data) return <div className="pad"><Skeleton active /></div>;
  return <Shown issue={issue.data} />;
}

function Shown({ issue }: { issue: IssueDetail }): ReactNode {
  const { t, i18n } = useTranslation();
  const actor = useActorName();
  return (
    <article className="issue pad">
      <h2>{issue.title}</h2>
      <p className="muted"><span className="num">#{issue.number}</span> · {t("issues.by", { who: actor(issue.creation_author) })} · <span className="num">{formatTime(issue.creation_date, i18n.language)}</span></p>
      <Facts issue={issue} />
      {issue.description ? <p className="issue-description">{issue.description}</p> : null}
      {issue.labels.length > 0 ? <p className="issue-labels">{issue.labels.map((label) => <span key={label} className="tag is-plain">{label}</span>)}</p> : null}
      {issue.all_viewpoints.length > 0 ? (
        <section>
          <h3>{t("issues.views")}</h3>
          <div className="issue-views">{issue.all_viewpoints.map((one, i) => <ViewCard key={one.id} issue={issue} viewpoint={one} n={i + 1} />)}</div>
        </section>
      ) : null}
      <Comments issue={issue} />
    </article>
  );
}

function Facts({ issue }: { issue: IssueDetail }): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const words = useWords();
  const change = useWrite((body: Record<string, string | null>) => patch(`/topics/${issue.id}`, body), TOUCHES);
  const fields = [
    { key: "topic_status", label: t("issues.status"), value: issue.topic_status, options: words.statuses, text: words.status },
    { key: "priority", label: t("issues.priority"), value: issue.priority, options: words.priorities, text: words.priority },
    { key: "topic_type", label: t("issues.type"), value: issue.topic_type, options: words.types, text: words.type },
  ];
  return (
    <dl className="issue-facts">
      {fields.map((field) => (
        <div key={field.key}>
          <dt>{field.label}</dt>
          <dd>
            {may("topic.write") ? (
              <Select size="small" allowClear aria-label={field.label} loading={change.isPending} placeholder="–" style={{ width: "100%" }}
                value={field.value === null ? null : field.text(field.value)} options={field.options}
                onChange={(value: string | undefined) => change.mutate({ [field.key]: value ?? null })} />
            ) : field.text(field.value) || "–"}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function ViewCard({ issue, viewpoint, n }: { issue: IssueDetail; viewpoint: IssueViewpoint; n: number }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  return (
    <Link className="issue-view" to={`/b/${building.id}?topic=${issue.id}&viewpoint=${viewpoint.id}`} aria-label={`${t("issues.show3d")}: ${t("issues.viewOf", { n })}`}>
      {viewpoint.has_snapshot ? <img alt="" loading="lazy" src={url(`/topics/${issue.id}/viewpoints/${viewpoint.id}/snapshot`)} /> : <span className="issue-blank"><Box size={22} aria-hidden /></span>}
      <span><Box size={13} aria-hidden />{t("issues.show3d")}</span>
    </Link>
  );
}

function Comments({ issue }: { issue: IssueDetail }): ReactNode {
  const { t, i18n } = useTranslation();
  const actor = useActorName();
  const may = useMay();
  const [text, setText] = useState("");
  const add = useWrite(() => post(`/topics/${issue.id}/comments`, { text }), TOUCHES, () => setText(""));
  return (
    <section>
      <h3>{t("issues.comments")}</h3>
      <ol className="issue-comments">
        {issue.all_comments.map((one) => (
          <li key={one.id}>
            <p className="muted"><b>{actor(one.author)}</b> · <span className="num">{formatTime(one.date, i18n.language)}</span></p>
            <p>{one.text}</p>
          </li>
        ))}
      </ol>
      {may("topic.write") ? (
        <form className="issue-say" onSubmit={(event) => {
          event.preventDefault();
          if (text.trim()) add.mutate(undefined);
        }}>
          <Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} value={text} maxLength={20_000} aria-label={t("issues.comment")} onChange={(event) => setText(event.target.value)} />
          <Button htmlType="submit" type="primary" disabled={!text.trim()} loading={add.isPending}>{t("issues.addComment")}</Button>
        </form>
      ) : null}
    </section>
  );
}
