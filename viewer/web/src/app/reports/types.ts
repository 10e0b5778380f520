/** What a report is, and the numbers that a run of it keeps (api/report_sections.py). */
import type { components } from "../../api/schema.gen";
import type { Overview, Severity } from "../../api/types";

type Schemas = components["schemas"];
export type Kind = "overview" | "use" | "chart" | "points" | "alarms" | "orders" | "text";
export type PeriodKind = Schemas["ReportDefinition"]["period"];
export type Definition = Schemas["ReportDefinition"];
export type Chosen = Definition["sections"][number];
export type Report = Omit<Schemas["Report"], "sections" | "period"> & { sections: Chosen[]; period: PeriodKind };
export type Run = Schemas["ReportRun"];
export type ToldRun = Omit<Schemas["ToldReportRun"], "snapshot"> & { snapshot: Snapshot | null };

export const KINDS: readonly Kind[] = ["overview", "use", "chart", "points", "alarms", "orders", "text"];
export const PERIODS: readonly PeriodKind[] = ["day", "week", "month", "quarter", "year", "range"];

interface Head {
  title?: string | null;
}

export interface Used {
  amount: number | null;
  complete: boolean;
  since: string | null;
}

export interface UseNumbers {
  medium: "electricity" | "heat" | "water" | "gas";
  unit: string;
  meters: number;
  used: Used;
  before: number | null;
  year_before: number | null;
  quota: number | null;
  state: "within" | "near" | "over" | null;
  parts: (Used & { start: string })[];
  storeys: { name: string; amount: number }[];
}

export interface ChartNumbers {
  ts: string[];
  series: { point: string; name: string; unit: string | null; values: Record<"mean" | "min" | "max", (number | null)[]> }[];
  gone: string[];
}

export interface PointNumbers {
  point: string;
  name: string;
  kind: "number" | "bool";
  unit: string | null;
  place: string | null;
  mean: number | null;
  min: number | null;
  max: number | null;
  count: number;
  low: number | null;
  high: number | null;
  limits: "report" | "rules" | null;
  within: number | null;
  covered: number;
  gaps: number;
  longest_gap: number;
  longest_gap_from: string | null;
  raw_from: string | null;
}

export interface LongAlarm {
  id: string;
  message: string;
  code: string;
  severity: Severity;
  element: string | null;
  storey: string | null;
  raised_at: string;
  seconds: number;
  open: boolean;
}

export interface AlarmNumbers {
  ack_within?: number;
  raised: number;
  timely: number;
  late: number;
  open: number;
  seconds_to_acknowledge: number | null;
  severities: { severity: Severity; raised: number; timely: number; late: number; open: number }[];
  classes: { name: string; count: number }[];
  rules: { name: string; count: number }[];
  longest: LongAlarm[];
  standing: LongAlarm[];
}

export interface OrderCount {
  name: string;
  created: number;
  done: number;
  timely: number;
  timed: number;
  open: number;
  overdue: number;
}

export interface OrderNumbers {
  created: number;
  done: number;
  timely: number;
  timed: number;
  verified: number;
  cancelled: number;
  open: number;
  overdue: number;
  seconds_to_done: number | null;
  ratings: number;
  stars: number | null;
  priorities: OrderCount[];
  origins: OrderCount[];
  oldest: { id: string; number: number; title: string; priority: Severity; created_at: string; due_at: string | null; overdue: boolean }[];
}

export type Told = Head & (
  | { kind: Kind; withheld: true }
  | { kind: "text"; text: string; withheld?: false }
  | { kind: "overview"; figures: Omit<Overview, "spots" | "works" | "building_id">; withheld?: false }
  | { kind: "use"; media: UseNumbers[]; withheld?: false }
  | ({ kind: "chart"; withheld?: false } & ChartNumbers)
  | { kind: "points"; points: PointNumbers[]; gone: string[]; withheld?: false }
  | ({ kind: "alarms"; withheld?: false } & AlarmNumbers)
  | ({ kind: "orders"; withheld?: false } & OrderNumbers)
);

export interface Snapshot {
  report: string;
  building: string;
  time_zone: string;
  asked_by: string;
  made_at: string;
  first_day: string;
  last_day: string;
  start: string;
  end: string;
  so_far: boolean;
  sections: Told[];
}
