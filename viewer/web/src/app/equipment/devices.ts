/** What doors, fans, pumps, lifts and valves are doing, from their points. Pure. */
import type { Point } from "../../api/types";

export type DeviceKind = "door" | "window" | "fan" | "pump" | "lift" | "valve";
export type DeviceState = "on" | "off" | "open" | "closed" | "fault" | "unknown";

/** Something that moves or lets pass, and the points that say how it is. */
export interface Device {
  globalId: string;
  name: string;
  kind: DeviceKind;
  storey: string | null;
  runs: readonly Said[];
  opens: readonly Said[];
  fails: readonly Said[];
  /** What it says beside its state, the most telling first: power, speed, position. */
  value: { handle: number; unit: string | null } | null;
}

interface Said {
  handle: number;
  /** True says the opposite: "closed", "ok". */
  inverted: boolean;
}

const KINDS: [RegExp, DeviceKind][] = [
  [/^IfcDoor/, "door"], [/^IfcWindow/, "window"], [/^Ifc(Fan|UnitaryEquipment)$/, "fan"], [/^IfcPump$/, "pump"],
  [/^IfcTransport(Element|ationDevice)$/, "lift"], [/^Ifc(Valve|Damper)$/, "valve"],
];
const RUNS = /On_Off_Status|On_Status|Run_Status|Enable_Status|Start_Stop_Status|Operating/;
const OPENS = /Contact_Sensor|Open_Close_Status|Open_Status|Position_Status/;
const FAILS = /Fault|Failure|Trouble/;
const VALUES = [/Power/, /Speed/, /Frequency/, /Position/, /Flow/, /Pressure/, /Current/];
const NOT = /^(closed?|shut|ok|normal|关|闭|已关|关闭|正常)/i;

const say = (point: Point): Said => ({ handle: point.handle, inverted: NOT.test(point.labels?.["true"] ?? point.labels?.["1"] ?? "") });

/** A door's contact is a sensor of its own, beside the door: it stands for it. */
function kindOf(ifcClass: string, points: readonly Point[]): DeviceKind | null {
  const own = KINDS.find(([pattern]) => pattern.test(ifcClass))?.[1];
  return own ?? (points.some((point) => point.brick_class === "Contact_Sensor") ? "door" : null);
}

/** The devices that have at least one point that says how they are. */
export function devicesOf(points: readonly Point[]): Device[] {
  const grouped = new Map<string, Point[]>();
  for (const point of points) {
    if (!point.element || point.writable || point.retired_at) continue;
    const known = grouped.get(point.element.global_id);
    if (known) known.push(point);
    else grouped.set(point.element.global_id, [point]);
  }
  return [...grouped].flatMap(([globalId, all]) => {
    const element = all[0]?.element;
    const kind = element ? kindOf(element.ifc_class, all) : null;
    if (!element || !kind) return [];
    const of = (pattern: RegExp): Said[] => all.filter((point) => point.kind === "bool" && pattern.test(point.brick_class ?? "")).map(say);
    const [runs, opens, fails] = [of(RUNS), of(OPENS), of(FAILS)];
    if (runs.length + opens.length + fails.length === 0) return [];
    const numbers = all.filter((point) => point.kind === "number");
    const told = VALUES.map((pattern) => numbers.find((point) => pattern.test(point.brick_class ?? point.quantity ?? ""))).find((point) => point !== undefined);
    return [{ globalId, name: element.name ?? element.ifc_class, kind, storey: all[0]?.storey_id ?? null, runs, opens, fails, value: told ? { handle: told.handle, unit: told.unit } : null }];
  });
}

/** How a device is: a fault goes before everything, and a point without a value says nothing. */
export function stateOf(device: Device, valueOf: (handle: number) => number | null): DeviceState {
  const said = (points: readonly Said[]): boolean | null => {
    const known = points.flatMap(({ handle, inverted }) => {
      const value = valueOf(handle);
      return value === null ? [] : [value > 0.5 !== inverted];
    });
    return known.length === 0 ? null : known.some(Boolean);
  };
  if (said(device.fails)) return "fault";
  const open = said(device.opens);
  if (open !== null) return open ? "open" : "closed";
  const running = said(device.runs);
  return running === null ? "unknown" : running ? "on" : "off";
}
