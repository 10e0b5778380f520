/** What the spatial routes answer, as the server says it. What it may not send yet is optional. */
import type { components } from "../../api/schema.gen";
import type { Id, Vec3 } from "../../api/types";

type Schemas = components["schemas"];
export type Brief = Schemas["ElementBrief"];
export type RoomDetail = Schemas["Room"];
export type Neighbour = Schemas["Neighbour"];
export type RoomDoor = Schemas["Leading"];
export type Stated = Schemas["StatedValue"];
export type SystemRow = Schemas["SystemBrief"];
export type SystemDetail = Schemas["System"];
export type AffectedView = Schemas["Affected"];
export type TouchedFunction = Schemas["TouchedFunction"];

/** One element up- or downstream; `via`: those before it on the ways from the start, the nearest way's first. */
export type Reached = Pick<Schemas["ReachedElement"], "element" | "distance" | "via"> & { derived?: boolean };

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

/** A short way round: `stops` in the order to visit them, a leg to each, one more where it ends elsewhere. */
export interface RoundAnswer {
  stops: Id[];
  /** Those that no way leads to. */
  left_out: { id: Id; code: string; reason: string }[];
  legs: { start: Brief | null; end: Brief | null; route: RouteAnswer }[];
  length: number;
  seconds: number;
  /** Seconds less than in the order that was given. */
  saved: number;
}

export type CrewMember = Schemas["CrewMember"];
