/** One entry of the trail: everything it says, with what changed. */
import { ArrowRight, Fingerprint } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { AuditEntry } from "../../api/identity";
import { changesBetween, listChange, shown, type Change } from "./diff";

export function EntryDetail({ entry }: { entry: AuditEntry }): ReactNode {
  const { t, i18n } = useTranslation();
  const changes = changesBetween(entry.before, entry.after);
  const both = entry.before !== null && entry.after !== null;
  const exact = new Intl.DateTimeFormat(i18n.language, { dateStyle: "long", timeStyle: "long", hourCycle: "h23" }).format(new Date(entry.at));
  const facts: [string, ReactNode][] = [
    [t("access.audit.exact"), <time key="at" dateTime={entry.at}>{exact}</time>],
    ...(entry.credential ? [[t("access.audit.credential"), <code key="c">{entry.credential}</code>] as [string, ReactNode]] : []),
    ...(entry.request_id ? [[t("access.audit.request"), <code key="r">{entry.request_id}</code>] as [string, ReactNode]] : []),
  ];
  return (
    <div className="entry-detail">
      {changes.length > 0 ? (
        <table className="diff">
          <caption className="sr-only">{t("access.audit.changes")}</caption>
          <thead><tr><th scope="col">{t("access.audit.field")}</th>{entry.before ? <th scope="col">{t("access.audit.before")}</th> : null}{entry.after ? <th scope="col">{t("access.audit.after")}</th> : null}</tr></thead>
          <tbody>{changes.map((one) => <ChangeRow key={one.field} change={one} before={entry.before !== null} after={entry.after !== null} marks={both} />)}</tbody>
        </table>
      ) : <p className="muted">{t("access.audit.noChange")}</p>}
      <dl className="facts">
        {facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
        <div><dt>{t("access.audit.seal")}</dt><dd className="seal">{entry.seq === null ? t("access.audit.waiting") : <><Fingerprint size={13} aria-hidden />{t("access.audit.number", { seq: entry.seq })} <code title={entry.hash ?? ""}>{entry.hash?.slice(0, 16)}…</code></>}</dd></div>
      </dl>
    </div>
  );
}

function ChangeRow({ change, before, after, marks }: { change: Change; before: boolean; after: boolean; marks: boolean }): ReactNode {
  const { t } = useTranslation();
  const list = change.kind === "changed" ? listChange(change.before, change.after) : null;
  const kind = marks ? change.kind : "same";
  return (
    <tr className={`is-${kind}`}>
      <th scope="row">{change.field}{marks && kind !== "same" ? <span className="sr-only"> {t(`access.audit.kind.${kind}`)}</span> : null}</th>
      {list ? (
        <td colSpan={2}>
          <span className="tag-line">
            {list.removed.map((one) => <del key={shown(one)}>{shown(one)}</del>)}
            {list.added.map((one) => <ins key={shown(one)}>{shown(one)}</ins>)}
            {list.kept > 0 ? <span className="muted">{t("access.audit.kept", { count: list.kept })}</span> : null}
          </span>
        </td>
      ) : (
        <>
          {before ? <td>{kind === "changed" || kind === "removed" ? <del>{shown(change.before)}</del> : shown(change.before)}</td> : null}
          {after ? <td>{kind === "changed" ? <ArrowRight size={12} aria-hidden /> : null}{kind === "changed" || kind === "added" ? <ins>{shown(change.after)}</ins> : shown(change.after)}</td> : null}
        </>
      )}
    </tr>
  );
}
