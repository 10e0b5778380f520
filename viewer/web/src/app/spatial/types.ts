/**
 * What the spatial routes answer. Fields that a server may not send yet are optional: the page shows what is there.
 */
import type { components } from "../../api/schema.gen";
import type { Id, Vec3 } from "../../api/types";

type Schemas = components["schemas"];
export type Brief = Schemas["ElementBrief"];

export interface Stated {
  value: number;
  unit?: string | null;
  source?: string | null;
}

export interface Neighbour extends Omit<Schemas["Located"], "leads_to"> {
  kind?: "wall" | "open" | "door";
  /** m of wall that both rooms share. */
  shared_length?: number | null;
}

export interface RoomDoor extends Omit<Schemas["Located"], "leads_to"> {
  /** Ids of the rooms on the other side, or "outside". */
  leads_to?: readonly Id[] | "outside" | null;
}

export interface RoomDetail extends Omit<Schemas["Room"], "neighbours" | "doors"> {
  neighbours: Neighbour[];
  doors: RoomDoor[];
  area_stated?: Stated | null;
  height_stated?: Stated | null;
  /** Of the stated area: 0.02 is 2 % more than measured. */
  area_difference?: number | null;
  zones?: { id: Id; name: string | null }[];
  use?: string | null;
}

/** One element up- or downstream; `via`: the one (or those) before it on the way from the start. */
export interface Reached {
  element: Brief;
  distance: number;
  via: Id | readonly Id[];
  derived?: boolean;
}

export interface AffectedView extends Omit<Schemas["Affected"], "equipment" | "rooms"> {
  equipment: Reached[];
  rooms: { room: Brief; reason: string }[];
  /** What people can no longer do: uses of rooms, alarms that fall silent, fire and lift service. */
  functions?: readonly unknown[];
}

export interface TwoTexts {
  zh: string;
  en: string;
}

export interface RouteStep {
  kind: string;
  element?: Brief | null;
  room?: Brief | null;
  storey?: Id | null;
  text?: TwoTexts | string | null;
  points?: Vec3[] | null;
  from_index?: number;
  to_index?: number;
  length: number;
  seconds: number;
}

export interface RouteAnswer {
  polyline: Vec3[];
  length: number;
  seconds: number;
  storeys: { id: Id; name: string | null; elevation: number | null }[];
  doors: Brief[];
  steps: RouteStep[];
}

export interface SystemRow {
  id: Id;
  global_id?: string;
  name: string | null;
  long_name?: string | null;
  ifc_class?: string;
  predefined_type?: string | null;
  members?: number;
  elements?: number;
  breaks?: number;
  loops?: number;
  loose_ends?: number;
  derived?: boolean;
}

export interface SystemDetail {
  members?: (Brief | { element: Brief })[];
  elements?: Brief[];
  edges?: { from: Id; to: Id; derived?: boolean }[];
}
