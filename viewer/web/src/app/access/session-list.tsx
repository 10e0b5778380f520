/** Sessions of an account: where it is signed in, and the way to end them. */
import { Button, Popconfirm, Skeleton } from "antd";
import { LogOut, Monitor, Smartphone } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { LoginSession } from "../../api/identity";
import { shortTime } from "../lib/format";
import { Ago, Failure } from "../parts";
import { Tag } from "./pieces";

export function SessionList({ sessions, error, retry, end, busy }: {
  sessions: readonly LoginSession[] | undefined; error: unknown; retry: () => void; end: ((session: LoginSession) => void) | null; busy: boolean;
}): ReactNode {
  const { t } = useTranslation();
  if (error) return <Failure error={error} retry={retry} />;
  if (!sessions) return <Skeleton active title={false} />;
  if (sessions.length === 0) return <p className="muted">{t("access.sessions.none")}</p>;
  const sorted = sessions.toSorted((a, b) => Number(b.current) - Number(a.current) || Date.parse(b.seen_at) - Date.parse(a.seen_at));
  return <ul className="session-list">{sorted.map((one) => <SessionRow key={one.id} session={one} end={end} busy={busy} />)}</ul>;
}

function SessionRow({ session, end, busy }: { session: LoginSession; end: ((session: LoginSession) => void) | null; busy: boolean }): ReactNode {
  const { t, i18n } = useTranslation();
  const name = session.user_agent ?? t("access.sessions.unknown");
  const Icon = /iPhone|Android|HarmonyOS|WeChat/.test(name) ? Smartphone : Monitor;
  return (
    <li>
      <span className="session-icon"><Icon size={18} strokeWidth={1.6} aria-hidden /></span>
      <span className="grow">
        <span className="row-line"><b>{name}</b>{session.current ? <Tag tone="ok">{t("access.sessions.this")}</Tag> : null}</span>
        <span className="row-line muted">
          {session.address ? <span className="mono">{session.address}</span> : null}
          <span>{t("access.sessions.since", { at: shortTime(session.created_at, i18n.language) })}</span>
          <span>{t("access.sessions.seen")} <Ago at={session.seen_at} /></span>
        </span>
      </span>
      {end && !session.current ? (
        <Popconfirm title={t("access.sessions.endSure")} okText={t("access.sessions.end")} cancelText={t("action.cancel")} onConfirm={() => end(session)}>
          <Button size="small" icon={<LogOut size={14} />} disabled={busy} aria-label={`${t("access.sessions.end")}: ${name}`}>{t("access.sessions.end")}</Button>
        </Popconfirm>
      ) : null}
    </li>
  );
}
