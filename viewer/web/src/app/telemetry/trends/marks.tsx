/** Alarms and work orders over a chart: where they began, how long they lasted, and the way to them. */
import { Tooltip } from "antd";
import { Bell, ClipboardList } from "lucide-react";
import { type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Alarm, Severity, WorkOrder } from "../../../api/types";
import { useBuilding } from "../../context";
import { shortTime } from "../../lib/format";
import { useStore } from "../../lib/store";
import type { FullPoint } from "../types";
import { AXIS } from "./plot";
import type { Shown } from "./shown";

export interface Mark {
  id: string;
  kind: "alarm" | "order";
  /** ms; `to` null: a moment. */
  from: number;
  to: number | null;
  title: string;
  severity: Severity;
}

/** The alarms that these points raised, and the orders on the elements that they belong to. */
export function marksOf(points: readonly FullPoint[], alarms: readonly Alarm[], orders: readonly WorkOrder[], now: number): Mark[] {
  const ids = new Set(points.map((point) => point.id));
  const elements = new Set(points.flatMap((point) => (point.element ? [point.element.id] : [])));
  return [
    ...alarms.filter((one) => ids.has(one.point_id)).map((one): Mark => ({
      id: one.id, kind: "alarm", from: Date.parse(one.raised_at), to: Date.parse(one.returned_at ?? one.closed_at ?? new Date(now).toISOString()), title: one.message, severity: one.severity,
    })),
    ...orders.filter((one) => one.element_id && elements.has(one.element_id)).map((one): Mark => ({
      id: one.id, kind: "order", from: Date.parse(one.created_at), to: null, title: `#${one.number} ${one.title}`, severity: one.priority,
    })),
  ].sort((a, b) => a.from - b.from);
}

const APART = 22; // px; what stands closer shares a flag

export function Marks({ marks, shown, width, sides }: { marks: readonly Mark[]; shown: Shown; width: number; sides: { left: number; right: number } }): ReactNode {
  const span = useStore(shown.span);
  const left = sides.left * AXIS;
  const inner = Math.max(1, width - left - (sides.right > 0 ? sides.right * AXIS : 10));
  const px = (at: number): number => ((at - span.from) / (span.to - span.from)) * inner;
  const inView = marks.filter((one) => one.from <= span.to && (one.to ?? one.from) >= span.from);
  const groups = grouped(inView.map((one) => [one, Math.max(0, px(one.from))] as const));
  return (
    <div className="trend-marks" style={{ left, width: inner }}>
      {inView.filter((one) => one.to !== null).slice(0, 200).map((one) => (
        <span key={one.id} className={`trend-period sev-${one.severity}`} aria-hidden
          style={{ left: Math.max(0, px(one.from)), width: Math.max(1, Math.min(inner, px(one.to ?? one.from)) - Math.max(0, px(one.from))) }} />
      ))}
      {groups.map(([group, at]) => <Flag key={group[0]?.id} group={group} at={at} />)}
    </div>
  );
}

function grouped(marks: readonly (readonly [Mark, number])[]): [Mark[], number][] {
  const groups: [Mark[], number][] = [];
  for (const [mark, at] of marks) {
    const last = groups.at(-1);
    if (last && at - last[1] < APART) last[0].push(mark);
    else groups.push([[mark], at]);
  }
  return groups;
}

const RANK: Severity[] = ["critical", "high", "medium", "low"];

function Flag({ group, at }: { group: Mark[]; at: number }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const first = [...group].sort((a, b) => RANK.indexOf(a.severity) - RANK.indexOf(b.severity))[0];
  if (!first) return null;
  const Icon = first.kind === "alarm" ? Bell : ClipboardList;
  const lines = group.slice(0, 6).map((one) => `${shortTime(one.from, i18n.language)}  ${one.title}`);
  const text = [...lines, ...(group.length > 6 ? [t("telemetry.trends.moreMarks", { count: group.length - 6 })] : [])];
  const to = first.kind === "alarm" ? `/b/${building.id}/alarms?alarm=${first.id}` : `/b/${building.id}/orders/${first.id}`;
  return (
    <Tooltip title={<span className="trend-flag-text">{text.map((line, i) => <span key={i}>{line}</span>)}</span>}>
      <Link to={to} className={`trend-flag sev-${first.severity}`} style={{ left: at }} aria-label={text.join("; ")}>
        <Icon size={11} aria-hidden />{group.length > 1 ? <b>{group.length}</b> : null}
      </Link>
    </Tooltip>
  );
}
