/** Small pieces that several pages share. */
import { Button, Skeleton, Tooltip, type ButtonProps } from "antd";
import {
  AlertOctagon, AlertTriangle, CircleAlert, CircleCheck, CircleDashed, CircleDot, CirclePlay, CircleUser, CircleX, Info,
  ShieldCheck, type LucideIcon,
} from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useHref, useLinkClickHandler } from "react-router";
import type { OrderState, Severity } from "../api/types";
import { ApiError } from "../api/client";
import { serverNow } from "./lib/clock";
import { formatDuration, formatTime, relativeTime } from "./lib/format";

const SEVERITY_ICON: Record<Severity, LucideIcon> = {
  critical: AlertOctagon,
  high: AlertTriangle,
  medium: CircleAlert,
  low: Info,
};

export function SeverityTag({ severity, compact }: { severity: Severity; compact?: boolean }): ReactNode {
  const { t } = useTranslation();
  const Icon = SEVERITY_ICON[severity];
  const text = t(`severity.${severity}`);
  return (
    <span className={`tag sev-${severity}`} {...(compact ? { title: text, "aria-label": text } : {})}>
      <Icon size={13} aria-hidden />
      {compact ? null : text}
    </span>
  );
}

const STATE_ICON: Record<OrderState, LucideIcon> = {
  open: CircleDashed,
  assigned: CircleUser,
  in_progress: CirclePlay,
  done: CircleCheck,
  verified: ShieldCheck,
  cancelled: CircleX,
};

export function OrderStateTag({ state }: { state: OrderState }): ReactNode {
  const { t } = useTranslation();
  const Icon = STATE_ICON[state];
  return (
    <span className={`tag state-${state}`}>
      <Icon size={13} aria-hidden />
      {t(`order.state.${state}`)}
    </span>
  );
}

export function PriorityMark({ priority }: { priority: Severity }): ReactNode {
  const { t } = useTranslation();
  return (
    <span className={`priority sev-text-${priority}`}>
      <CircleDot size={11} aria-hidden />
      {t(`priority.${priority}`)}
    </span>
  );
}

/** The server's time. Re-renders every `ms` so that "3 min ago" stays true. */
export function useNow(ms = 15_000): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return now;
}

export function Ago({ at }: { at: string | null | undefined }): ReactNode {
  const { i18n } = useTranslation();
  const now = useNow();
  if (!at) return null;
  return (
    <time dateTime={at} title={formatTime(at, i18n.language)} className="num">
      {relativeTime(Date.parse(at), now, i18n.language)}
    </time>
  );
}

/** "3 min ago", "in 8 days", in the language of the page: for texts that put it into a sentence. */
export function useAgo(): (at: string) => string {
  const { i18n } = useTranslation();
  const now = useNow();
  return (at) => relativeTime(Date.parse(at), now, i18n.language);
}

export function Lasting({ from, to }: { from: string; to: string | null }): ReactNode {
  const { i18n } = useTranslation();
  const now = useNow();
  return <span className="num">{formatDuration((to ? Date.parse(to) : now) - Date.parse(from), i18n.language)}</span>;
}

export function Empty({ icon: Icon, title, hint, action }: {
  icon: LucideIcon; title: string; hint?: ReactNode; action?: ReactNode;
}): ReactNode {
  return (
    <div className="empty">
      <Icon size={30} strokeWidth={1.4} aria-hidden />
      <h3>{title}</h3>
      {hint ? <p>{hint}</p> : null}
      {action}
    </div>
  );
}

/** What went wrong, where, and the way out. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }): ReactNode {
  const { t } = useTranslation();
  const text = useErrorText();
  const code = error instanceof ApiError ? error.code : null;
  return (
    <div className="empty" role="alert">
      <CircleAlert size={28} strokeWidth={1.5} aria-hidden className="sev-text-high" />
      <h3>{t("error.title")}</h3>
      <p>{text(error)}</p>
      {code ? <code className="code">{code}</code> : null}
      {retry ? <Button onClick={retry}>{t("action.retry")}</Button> : null}
    </div>
  );
}

export function useErrorText(): (error: unknown) => string {
  const { t } = useTranslation();
  return (error) => {
    if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
    if (error.code === "offline") return t("error.offline");
    const fields = error.fields.map((one) => [one.field, one.message].filter(Boolean).join(": "));
    return [error.message, ...fields].join(" · ");
  };
}

export function Lines({ count = 6 }: { count?: number }): ReactNode {
  return (
    <div className="lines" aria-hidden>
      {Array.from({ length: count }, (_, i) => (
        <Skeleton.Input key={i} active size="small" block style={{ width: `${[92, 70, 84, 60, 76][i % 5]}%` }} />
      ))}
    </div>
  );
}

export function IconButton({ icon: Icon, label, onClick, active, disabled, size = 17, shortcut, badge }: {
  icon: LucideIcon; label: string; onClick?: () => void; active?: boolean; disabled?: boolean; size?: number;
  shortcut?: string; badge?: ReactNode;
}): ReactNode {
  return (
    <Tooltip title={shortcut ? `${label} (${shortcut})` : label} mouseEnterDelay={0.4}>
      <button type="button" className={`icon-button${active ? " is-active" : ""}`} aria-label={label}
        {...(active === undefined ? {} : { "aria-pressed": active })} disabled={disabled} onClick={onClick}>
        <Icon size={size} strokeWidth={1.75} aria-hidden />
        {badge}
      </button>
    </Tooltip>
  );
}

/** An icon that leads somewhere: one stop for the keyboard, and it opens in a new tab as links do. */
export function IconLink({ icon: Icon, label, to, size = 17 }: { icon: LucideIcon; label: string; to: string; size?: number }): ReactNode {
  return (
    <Tooltip title={label} mouseEnterDelay={0.4}>
      <Link to={to} className="icon-button" aria-label={label}><Icon size={size} strokeWidth={1.75} aria-hidden /></Link>
    </Tooltip>
  );
}

/** A link that looks like a button. */
export function LinkButton({ to, ...button }: { to: string } & Pick<ButtonProps, "icon" | "type" | "size" | "block" | "children" | "className">): ReactNode {
  const click = useLinkClickHandler<HTMLElement>(to);
  return <Button {...button} href={useHref(to)} onClick={(event) => click(event)} />;
}

export function PageHead({ title, children, sub }: { title: string; sub?: ReactNode; children?: ReactNode }): ReactNode {
  return (
    <header className="page-head">
      <div>
        <h1>{title}</h1>
        {sub ? <p>{sub}</p> : null}
      </div>
      <div className="page-actions">{children}</div>
    </header>
  );
}
