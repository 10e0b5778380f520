/** What the routes of telemetry answer, as the pages read it. */
import type { Point } from "../../api/types";
import type { components } from "../../api/schema.gen";

type Schemas = components["schemas"];

export type Kind = "number" | "bool" | "enum" | "text";
export type Unit = Schemas["Unit"];
export type Distribution = Schemas["Distribution"];

/** A point as the pages need it. */
export type FullPoint = Omit<Point, "kind"> & { kind: Kind };

/** A unit as people write it: the server's sign, "" where there is none. */
export const symbolOf = (point: { unit: string | null; unit_symbol?: string | null }): string => point.unit_symbol ?? point.unit ?? "";
