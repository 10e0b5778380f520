/** Alarms and work orders over a chart: where they began, how long they lasted, and the way to them. */
import { Tooltip } from "antd";
import type { TFunction } from "i18next";
import { Bell, ClipboardList, Cpu, PencilLine, type LucideIcon } from "lucide-react";
import { type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Severity } from "../../../api/types";
import { useBuilding } from "../../context";
import { shortTime } from "../../lib/format";
import { useStore } from "../../lib/store";
import type { FullPoint } from "../types";
import type { Marked } from "./events";
import { rightOf, type Sides } from "./plot";
import type { Shown } from "./shown";

export interface Mark {
  id: string;
  kind: "alarm" | "order" | "device" | "correction";
  /** ms; `to` null: a moment. */
  from: number;
  to: number | null;
  title: string;
  /** null: nothing that presses. */
  severity: Severity | null;
  /** Address below the building's. */
  link: string;
}

/** The alarms that these points raised, the orders on their elements, their devices and what was put right. */
export function marksOf(points: readonly FullPoint[], marked: Marked, now: number, t: TFunction): Mark[] {
  const own = new Map(points.map((point) => [point.id, point]));
  const elements = new Set(points.flatMap((point) => (point.element ? [point.element.id] : [])));
  const ofPoint = (id: string): string => `telemetry/points?point=${encodeURIComponent(own.get(id)?.key ?? id)}`;
  const title = (id: string, text: string): string => (points.length > 1 ? `${own.get(id)?.name ?? ""}: ${text}` : text);
  return [
    ...marked.alarms.filter((one) => own.has(one.point_id)).map((one): Mark => ({
      id: one.id, kind: "alarm", from: Date.parse(one.raised_at), to: Date.parse(one.returned_at ?? one.closed_at ?? new Date(now).toISOString()), title: one.message, severity: one.severity, link: `alarms?alarm=${one.id}`,
    })),
    ...marked.orders.filter((one) => one.element_id && elements.has(one.element_id)).map((one): Mark => ({
      id: one.id, kind: "order", from: Date.parse(one.created_at), to: null, title: `#${one.number} ${one.title}`, severity: one.priority, link: `orders/${one.id}`,
    })),
    ...marked.devices.filter(([point]) => own.has(point)).map(([point, one]): Mark => ({
      id: one.id, kind: "device", from: Date.parse(one.from), to: null, title: title(point, t("telemetry.trends.device", { device: one.device })), severity: null, link: ofPoint(point),
    })),
    ...marked.corrections.filter(([point]) => own.has(point)).map(([point, one]): Mark => ({
      id: `correction ${one.id}`, kind: "correction", from: Date.parse(one.ts), to: null, title: title(point, t("telemetry.trends.corrected", { reason: one.reason })), severity: null, link: ofPoint(point),
    })),
  ].sort((a, b) => a.from - b.from);
}

const ICONS: Record<Mark["kind"], LucideIcon> = { alarm: Bell, order: ClipboardList, device: Cpu, correction: PencilLine };
const APART = 22; // px; what stands closer shares a flag

export function Marks({ marks, shown, width, sides }: { marks: readonly Mark[]; shown: Shown; width: number; sides: Sides }): ReactNode {
  const span = useStore(shown.span);
  const left = sides.left;
  const inner = Math.max(1, width - left - rightOf(sides));
  const px = (at: number): number => ((at - span.from) / (span.to - span.from)) * inner;
  const inView = marks.filter((one) => one.from <= span.to && (one.to ?? one.from) >= span.from);
  const groups = grouped(inView.map((one) => [one, Math.max(0, px(one.from))] as const));
  return (
    <div className="trend-marks" style={{ left, width: inner }}>
      {inView.filter((one) => one.to !== null).slice(0, 200).map((one) => (
        <span key={one.id} className={`trend-period sev-${one.severity ?? "low"}`} aria-hidden
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

const RANK: (Severity | null)[] = ["critical", "high", "medium", "low", null];

function Flag({ group, at }: { group: Mark[]; at: number }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const first = [...group].sort((a, b) => RANK.indexOf(a.severity) - RANK.indexOf(b.severity))[0];
  if (!first) return null;
  const Icon = ICONS[first.kind];
  const lines = group.slice(0, 6).map((one) => `${shortTime(one.from, i18n.language)}  ${one.title}`);
  const text = [...lines, ...(group.length > 6 ? [t("telemetry.trends.moreMarks", { count: group.length - 6 })] : [])];
  return (
    <Tooltip title={<span className="trend-flag-text">{text.map((line, i) => <span key={i}>{line}</span>)}</span>}>
      <Link to={`/b/${building.id}/${first.link}`} className={`trend-flag ${first.severity ? `sev-${first.severity}` : "is-note"}`} style={{ left: at }} aria-label={text.join("; ")}>
        <Icon size={11} aria-hidden />{group.length > 1 ? <b>{group.length}</b> : null}
      </Link>
    </Tooltip>
  );
}
