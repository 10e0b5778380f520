/**
 * The shapes the app reads: the server's own (schema.gen.ts, made from docs/openapi.json by `npm run types`), made
 * narrower where OpenAPI says less than the server does, e.g. a plain string that is one of a few words.
 */
import type { components } from "./schema.gen";

type Schemas = components["schemas"];
type Refine<T, R extends { [K in keyof R]: K extends keyof T ? unknown : never }> = Omit<T, keyof R> & R;

export type Id = string;
export type Severity = "low" | "medium" | "high" | "critical";
export type OrderState = "open" | "assigned" | "in_progress" | "done" | "verified" | "cancelled";
export type AlarmState = "unacked" | "acked" | "rtn_unacked" | "latched_unacked" | "latched_acked" | "shelved" | "closed";
export type CommandState = "requested" | "sent" | "verified" | "failed" | "expired";
export type Vec3 = [number, number, number];

export interface Page<T> {
  items: T[];
  next: string | null;
}

export type Session = Schemas["Me"];
export type Building = Schemas["Building"];
export type Tree = Schemas["Tree"];
export type System = Schemas["Group"];
export type ElementRow = Schemas["ElementRow"];
export type Reference = Schemas["ElementLink"];
export type Room = Schemas["Room"];
export type Point = Schemas["Point"];
export type DueWork = Schemas["DueWork"];
export type Notification = Schemas["Notification"];
export type Model = Schemas["Model"];

/** Camera position and what it looks at: m, building frame, z up. */
export interface Viewpoint {
  eye: Vec3;
  target: Vec3;
}

export interface PropertyValue {
  value?: unknown;
  unit?: string | null;
  inherited?: boolean;
}
export type PropertySets = Record<string, Record<string, PropertyValue>>;

interface Placed {
  position: Vec3 | null;
  viewpoint: Viewpoint | null;
}

export type OpenOrder = Refine<Schemas["OpenOrder"], { state: OrderState; priority: Severity }>;
export type ElementDetail = Refine<Schemas["ElementView"], { psets: PropertySets; quantities: PropertySets; orders: OpenOrder[] }>;
export type Alarm = Refine<Schemas["Alarm"], Placed & { severity: Severity; state: AlarmState }>;
export type AlarmDetail = Alarm & Pick<Schemas["AlarmDetail"], "history">;
export type WorkOrder = Refine<Schemas["WorkOrder"], Placed & { state: OrderState; priority: Severity; origin: "alarm" | "plan" | "manual" }>;
export type WorkOrderDetail = WorkOrder & Pick<Schemas["WorkOrderDetail"], "acts" | "history">;
/** Where an alarm or an order is; every level may be unknown. */
export type Place = Pick<Alarm, "building_id" | "storey_id" | "storey" | "space_id" | "space" | "element_id" | "element" | "global_id" | "position" | "viewpoint">;
export type Plan = Refine<Schemas["Plan"], { priority: Severity; target_kind: "element" | "type" | "class" | "system" }>;
export type Command = Refine<Schemas["Command"], { state: CommandState }>;
export type Job = Refine<Schemas["JobView"], {
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  error: { code: string; message: string; where: string | null } | null;
}>;
export type Overview = Refine<Schemas["Overview"], { alarms: (Omit<Schemas["SeverityCount"], "severity"> & { severity: Severity })[] }>;
export type ModelVersion = Refine<Schemas["Version"], { report: Report }>;

/** The import report of the contract. */
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
  matched?: { certain: number; likely: number; lost: number };
  removed: number;
  unchanged: number;
  seconds: Record<string, number>;
  /** What the check of the file found; reports of old versions have the first two only. */
  warnings: {
    code: string; message: string; severity?: "info" | "warning" | "error"; count?: number; where?: string[];
    explanation?: { en: string; zh: string }; fix?: { en: string; zh: string };
  }[];
}
