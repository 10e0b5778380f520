/** The shapes the app reads, as the server sends them (docs/openapi.json). */

export type Id = string;
export type Severity = "low" | "medium" | "high" | "critical";
export type OrderState = "open" | "assigned" | "in_progress" | "done" | "verified" | "cancelled";
export type PointKind = "number" | "bool" | "enum" | "text";
export type QualityName = "good" | "uncertain" | "bad" | "stale";
export type Vec3 = [number, number, number];

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Session {
  name: string;
  display_name: string | null;
  roles: string[];
  permissions: string[];
  language: string | null;
  csrf_token: string | null;
}

export interface Building {
  id: Id;
  site_id: Id;
  name: string;
}

export interface TreeSpace {
  id: Id;
  global_id: string;
  name: string | null;
  long_name: string | null;
  area: number | null;
  elements: number;
}

export interface TreeStorey {
  /** Null: elements that no storey has. */
  id: Id | null;
  name: string | null;
  elevation: number | null;
  elements: number;
  classes: { ifc_class: string; count: number }[];
  spaces: TreeSpace[];
}

export interface Tree {
  site: string;
  building: string;
  elements: number;
  storeys: TreeStorey[];
}

export interface System {
  id: Id;
  global_id: string;
  ifc_class: string;
  predefined_type: string | null;
  name: string | null;
  long_name: string | null;
  elements: number;
}

export interface ElementRow {
  id: Id;
  global_id: string;
  model_id: Id;
  ifc_class: string;
  name: string | null;
  long_name: string | null;
  storey_id: Id | null;
  space_id: Id | null;
  geometry: string;
}

export interface PropertyValue {
  value: unknown;
  unit?: string | null;
  inherited?: boolean;
}
export type PropertySets = Record<string, Record<string, PropertyValue>>;

/** Where an alarm or an order is; every level may be unknown. */
export interface Place {
  building_id: Id;
  storey_id: Id | null;
  storey: string | null;
  space_id: Id | null;
  space: string | null;
  element_id: Id | null;
  global_id: string | null;
  element: string | null;
  ifc_class: string | null;
  asset_id: Id | null;
  /** m, building frame, z up. */
  position: Vec3 | null;
  viewpoint: Viewpoint | null;
}

export interface Viewpoint {
  eye: Vec3;
  target: Vec3;
}

export interface Reference {
  id: Id;
  global_id: string;
  ifc_class: string;
  name: string | null;
}

export interface OpenOrder {
  id: Id;
  number: number;
  title: string;
  state: OrderState;
  priority: Severity;
  due_at: string | null;
}

export interface ElementDetail {
  id: Id;
  global_id: string;
  model_id: Id;
  model: string;
  building_id: Id;
  ifc_class: string;
  predefined_type: string | null;
  name: string | null;
  long_name: string | null;
  description: string | null;
  object_type: string | null;
  tag: string | null;
  attributes: Record<string, unknown>;
  psets: PropertySets;
  quantities: PropertySets;
  own_properties: Record<string, unknown>;
  materials: unknown[];
  classifications: unknown[];
  documents: unknown[];
  type: Reference | null;
  parent: Reference | null;
  storey_id: Id | null;
  storey_name: string | null;
  storey_derived: boolean;
  space: Reference | null;
  space_derived: boolean;
  geometry: string;
  geometry_note: string | null;
  shown: boolean;
  systems: Reference[];
  children: Reference[];
  points: Point[];
  asset: { id: Id; code: string; name: string; manufacturer: string | null; product: string | null; serial: string | null; installed_on: string | null } | null;
  orders: OpenOrder[];
}

export interface Point {
  id: Id;
  handle: number;
  key: string;
  name: string;
  kind: PointKind;
  unit: string | null;
  quantity: string | null;
  brick_class: string | null;
  labels: Record<string, string> | null;
  building_id: Id;
  element: { id: Id; global_id: string; name: string | null; ifc_class: string } | null;
  storey_id: Id | null;
  space_id: Id | null;
  unit_symbol: string | null;
  writable: boolean;
  min_value: number | null;
  max_value: number | null;
  latest: { ts: string; value: number | boolean | string | null; quality: QualityName } | null;
}

export type AlarmState = "unacked" | "acked" | "rtn_unacked" | "latched_unacked" | "latched_acked" | "shelved" | "closed";

export interface Alarm extends Place {
  id: Id;
  state: AlarmState;
  active: boolean;
  acked: boolean;
  latched: boolean;
  shelved_until: string | null;
  severity: Severity;
  /** With `params` its text in any language; `message` is that text in English. */
  code: string;
  params: Record<string, unknown>;
  message: string;
  rule_id: Id;
  rule: string;
  /** Key of its point. */
  point: string;
  point_id: Id;
  unit: string | null;
  value: number;
  limit: number;
  count: number;
  raised_at: string;
  rose_at: string;
  returned_at: string | null;
  acked_at: string | null;
  acked_by: string | null;
  closed_at: string | null;
  work_order_id: Id | null;
}

export interface Happening {
  at: string;
  kind: string;
  actor: string;
  comment: string | null;
}

export interface AlarmDetail extends Alarm {
  history: Happening[];
}

export interface WorkOrder extends Place {
  id: Id;
  number: number;
  title: string;
  description: string | null;
  state: OrderState;
  priority: Severity;
  origin: "alarm" | "plan" | "manual";
  alarm_id: Id | null;
  plan_id: Id | null;
  /** The asset's code. */
  asset: string | null;
  assignee: string | null;
  crew: string | null;
  checklist: { text: string; done: boolean }[];
  due_at: string | null;
  result: string | null;
  created_by: string;
  created_at: string;
  started_at: string | null;
  done_at: string | null;
  closed_at: string | null;
}

export interface WorkOrderDetail extends WorkOrder {
  /** What the caller may do with it now. */
  acts: string[];
  history: Happening[];
}

export interface Plan {
  id: Id;
  name: string;
  description: string | null;
  rrule: string | null;
  starts_at: string;
  lead: string | number;
  priority: Severity;
  target_kind: "element" | "type" | "class" | "system";
  element_id: Id | null;
  type_id: Id | null;
  group_id: Id | null;
  ifc_class: string | null;
  crew: string | null;
  /** What its target is called. */
  target_name?: string | null;
  checklist: string[];
  enabled: boolean;
  next_due: string | null;
}

export interface Model {
  id: Id;
  building_id: Id;
  name: string;
  discipline: string;
  current_version: number | null;
  file_name: string | null;
  bytes: number | null;
  schema: string | null;
  application: string | null;
  uploaded_at: string | null;
  uploaded_by: string | null;
}

export interface Report {
  schema: string;
  application: string | null;
  storeys: number;
  spaces: number;
  systems: number;
  elements: number;
  by_class: Record<string, number>;
  with_geometry: number;
  degraded: { global_id: string; ifc_class: string; rung: string; reason: string }[];
  without_geometry: { global_id: string; ifc_class: string; reason: string }[];
  tiles: number;
  tile_bytes: number;
  added: number;
  changed: number;
  removed: number;
  unchanged: number;
  seconds: Record<string, number>;
  warnings: { code: string; message: string }[];
}

export interface ModelVersion {
  model_id: Id;
  n: number;
  file_name: string;
  bytes: number;
  schema: string;
  application: string | null;
  created_by: string | null;
  created_at: string;
  report: Report;
}

export interface Job {
  id: Id;
  kind: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  stage: string | null;
  progress: number;
  result: Record<string, unknown> | null;
  error: { code: string; message: string; where: string | null } | null;
  file_name: string | null;
  model: string | null;
}

export interface Notification {
  id: number;
  at: string;
  code: string;
  params: Record<string, unknown>;
  message: string;
  work_order_id: Id | null;
  alarm_id: Id | null;
  building_id: Id | null;
  read_at: string | null;
}

export interface Overview {
  building: string;
  spaces: number;
  elements: number;
  area: number | null;
  alarms: { severity: Severity; count: number; unacked: number }[];
  orders_open: number;
  orders_overdue: number;
  orders_verified_30_days: number;
  points: number;
  points_online: number;
  comfort: { rooms: number; comfortable: number; mean: number | null; low: number; high: number };
  power: number | null;
}

export interface Command {
  id: Id;
  value: number | boolean | string;
  priority: number;
  state: "requested" | "sent" | "verified" | "failed" | "expired";
  message: string | null;
}

export interface Account {
  id: Id;
  name: string;
  display_name: string | null;
  roles: string[];
  disabled: boolean;
}

export interface ApiKey {
  id: Id;
  name: string;
  role: string;
  created_at: string;
  used_at: string | null;
  expires_at: string | null;
  revoked_at: string | null;
}
