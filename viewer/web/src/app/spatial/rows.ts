/** A flow's answer as one flat list with headings, for a virtual list. Pure. */
import type { FlowAnswer } from "./queries";
import { textIn } from "./say";
import type { Brief } from "./types";

export type Row =
  | { kind: "head"; key: string; what: "rooms" | "equipment" | "points" | "shut" | "functions" | "alarms"; count: number; note?: "partly" }
  | { kind: "element"; key: string; element: Brief; group: "rooms" | "equipment" | "shut"; distance?: number; derived?: boolean; reason?: string }
  | { kind: "text"; key: string; text: string; count?: number; grave?: boolean; title?: string };

/** Rooms first: that is what people ask for; then what to shut, the equipment by distance, the points. */
export function flowRows(answer: FlowAnswer, language: string): Row[] {
  const rows: Row[] = [];
  const { affected } = answer;
  const head = (what: "rooms" | "equipment" | "points" | "shut" | "functions" | "alarms", count: number, note?: "partly"): void => {
    rows.push({ kind: "head", key: `head:${what}`, what, count, ...(note ? { note } : {}) });
  };
  if (affected) {
    if (affected.rooms.length > 0) head("rooms", affected.rooms.length);
    for (const { room, reason } of affected.rooms) rows.push({ kind: "element", key: `room:${room.id}`, element: room, group: "rooms", reason });
    const { functions } = affected;
    if (functions.length > 0) head("functions", functions.length);
    for (const one of functions)
      rows.push({ kind: "text", key: `function:${one.code}`, text: textIn(one.name, language), count: one.count, grave: one.life_safety, title: one.examples.join(", ") });
    const { elements, complete } = affected.isolation;
    if (elements.length > 0) head("shut", elements.length, complete ? undefined : "partly");
    for (const element of elements) rows.push({ kind: "element", key: `shut:${element.id}`, element, group: "shut" });
  }
  if (affected && affected.alarms.length > 0) {
    head("alarms", affected.alarms.length);
    for (const alarm of affected.alarms) rows.push({ kind: "text", key: `alarm:${alarm.rule}`, text: alarm.name });
  }
  if (answer.items.length > 0) head("equipment", answer.items.length);
  for (const { element, distance, derived } of answer.items)
    rows.push({ kind: "element", key: `element:${element.id}`, element, group: "equipment", distance, derived: derived ?? false });
  if (affected && affected.points.length > 0) {
    head("points", affected.points.length);
    for (const point of affected.points) rows.push({ kind: "text", key: `point:${point.id}`, text: point.name });
  }
  return rows;
}
