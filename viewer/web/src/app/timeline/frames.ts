/** A building as it was: the server's frames, and what was wrong at a moment. Pure. */
import type { components } from "../../api/schema.gen";
import type { HandleInfo, LiveValue } from "../live";

export type PastAlarm = components["schemas"]["PastAlarm"];
export type PastOrder = components["schemas"]["PastOrder"];

export interface Frames {
  /** ms since the epoch of the first frame, and between frames. */
  from: number;
  step: number;
  count: number;
  handles: readonly number[];
  /** `count` × `handles.length`; NaN: no value. */
  values: Float32Array;
}

/** Reads `GET /buildings/{id}/frames`; null for anything that is none. */
export function decodeFrames(buffer: ArrayBuffer): Frames | null {
  if (buffer.byteLength < 8) return null;
  const size = new DataView(buffer).getUint32(0, true);
  if (4 + size > buffer.byteLength || size % 4 !== 0) return null;
  try {
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size))) as { from: string; step: number; frames: number; handles: number[] };
    const values = new Float32Array(buffer.slice(4 + size));
    const from = Date.parse(head.from);
    if (Number.isNaN(from) || !(head.step > 0) || values.length !== head.frames * head.handles.length) return null;
    return { from, step: head.step * 1000, count: head.frames, handles: head.handles, values };
  } catch {
    return null;
  }
}

/** The frame that shows a moment: the last one that is not after it. */
export const frameAt = ({ from, step, count }: Frames, moment: number): number => Math.min(count - 1, Math.max(0, Math.floor((moment - from) / step + 1e-6)));

/** What every point said in a frame. */
export function valuesOf(frames: Frames, i: number, handles: ReadonlyMap<number, HandleInfo>): Map<number, LiveValue> {
  const values = new Map<number, LiveValue>();
  const ts = frames.from + i * frames.step;
  frames.handles.forEach((handle, j) => {
    const number = frames.values[i * frames.handles.length + j] as number;
    if (!Number.isNaN(number)) values.set(handle, { value: handles.get(handle)?.kind === "bool" ? number !== 0 : number, ts, quality: 0 });
  });
  return values;
}

/** The number that a point said in a frame; null: none. */
export function numberIn(frames: Frames, i: number): (handle: number) => number | null {
  const columns = new Map(frames.handles.map((handle, j) => [handle, j] as const));
  return (handle) => {
    const j = columns.get(handle);
    const value = j === undefined ? Number.NaN : (frames.values[i * frames.handles.length + j] as number);
    return Number.isNaN(value) ? null : value;
  };
}

const at = (text: string | null | undefined): number => (text ? Date.parse(text) : Infinity);

/** Alarms whose condition held at a moment, and whether somebody had acknowledged them. */
export function alarmsAt(alarms: readonly PastAlarm[], moment: number): { alarm: PastAlarm; acked: boolean }[] {
  return alarms
    .filter((alarm) => alarm.spans.some(([since, until]) => at(since) <= moment && moment < at(until)))
    .map((alarm) => ({ alarm, acked: at(alarm.acked_at) <= moment }));
}

const RISING: Record<string, number> = { low: 1, medium: 2, high: 3, critical: 4 };

/** The worst alarm of each element, by GlobalId. */
export function worstAlarms<S extends string>(alarms: Iterable<{ globalId: string | null; severity: S }>): Map<string, S> {
  const worst = new Map<string, S>();
  for (const { globalId, severity } of alarms) {
    const known = globalId === null ? severity : worst.get(globalId);
    if (globalId !== null && (known === undefined || (RISING[severity] ?? 0) > (RISING[known] ?? 0))) worst.set(globalId, severity);
  }
  return worst;
}

/** Orders that were open at a moment. */
export const ordersAt = (orders: readonly PastOrder[], moment: number): PastOrder[] =>
  orders.filter((order) => at(order.created_at) <= moment && moment < Math.min(at(order.closed_at), at(order.done_at)));

/** One tick of the strip above the slider; those that would fall on one pixel column are one, the worst of them. */
export interface Mark {
  at: number;
  /** Of an alarm; or `order`. */
  severity: string;
  label: string;
  element: string | null;
}

const RANK: Record<string, number> = { order: 0, low: 1, medium: 2, high: 3, critical: 4 };

export function marksOf(alarms: readonly PastAlarm[], orders: readonly PastOrder[], from: number, to: number, columns: number): Mark[] {
  const all: Mark[] = [
    ...alarms.flatMap((alarm) => alarm.spans.map(([since]) => ({ at: at(since), severity: alarm.severity, label: alarm.message, element: alarm.element }))),
    ...orders.map((order) => ({ at: at(order.created_at), severity: "order", label: `#${order.number} ${order.title}`, element: order.element })),
  ];
  const worst = new Map<number, Mark>();
  for (const mark of all) {
    if (mark.at < from || mark.at > to) continue;
    const column = Math.round(((mark.at - from) / (to - from)) * columns);
    const known = worst.get(column);
    if (!known || (RANK[mark.severity] ?? 0) > (RANK[known.severity] ?? 0)) worst.set(column, mark);
  }
  return [...worst.values()].sort((a, b) => a.at - b.at);
}
