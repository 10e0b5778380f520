import { expect, test } from "vitest";
import type { Point } from "../../api/types";
import { devicesOf, stateOf } from "./devices";

let handle = 0;
const point = (globalId: string, ifcClass: string, brick: string, more: Partial<Point> = {}): Point => ({
  handle: ++handle, kind: "bool", brick_class: brick, quantity: null, unit: null, writable: false, retired_at: null, labels: null, storey_id: "s",
  element: { id: globalId, global_id: globalId, name: globalId, ifc_class: ifcClass }, ...more,
} as Point);
const saying = (values: Record<number, number>) => (one: number): number | null => values[one] ?? null;

test("a pump runs, stands still, and is at fault whatever else it says", () => {
  const [run, fault, power] = [point("p", "IfcPump", "On_Off_Status"), point("p", "IfcPump", "Fault_Status"), point("p", "IfcPump", "Active_Power_Sensor", { kind: "number", unit: "KiloW" })];
  const [pump] = devicesOf([run, fault, power]);
  expect(pump).toMatchObject({ kind: "pump", storey: "s", value: { handle: power.handle, unit: "KiloW" } });
  if (!pump) return;
  expect(stateOf(pump, saying({}))).toBe("unknown");
  expect(stateOf(pump, saying({ [run.handle]: 1 }))).toBe("on");
  expect(stateOf(pump, saying({ [run.handle]: 0, [fault.handle]: 0 }))).toBe("off");
  expect(stateOf(pump, saying({ [run.handle]: 1, [fault.handle]: 1 }))).toBe("fault");
});

test("a contact stands for its door, and its labels say which way it counts", () => {
  const plain = point("a", "IfcSensor", "Contact_Sensor");
  const closed = point("b", "IfcDoor", "Contact_Sensor", { labels: { true: "Closed", false: "Open" } });
  const doors = devicesOf([plain, closed]);
  expect(doors.map((one) => one.kind)).toEqual(["door", "door"]);
  expect(doors.map((one) => stateOf(one, saying({ [plain.handle]: 1, [closed.handle]: 1 })))).toEqual(["open", "closed"]);
});

test("what only measures is no device, and a command is no state", () => {
  expect(devicesOf([point("t", "IfcSensor", "Zone_Air_Temperature_Sensor", { kind: "number" }), point("f", "IfcFan", "On_Off_Command", { writable: true }), point("m", "IfcFlowMeter", "Energy_Sensor", { kind: "number" })])).toEqual([]);
});
