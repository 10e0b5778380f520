import { expect, test, vi } from "vitest";
import { LiveClient } from "../live";
import { alarmsAt, decodeFrames, frameAt, marksOf, ordersAt, valuesOf, type PastAlarm, type PastOrder } from "./frames";

function encoded(head: object, values: number[]): ArrayBuffer {
  let text = JSON.stringify(head);
  text += " ".repeat(-text.length & 3);
  const out = new Uint8Array(4 + text.length + values.length * 4);
  new DataView(out.buffer).setUint32(0, text.length, true);
  out.set(new TextEncoder().encode(text), 4);
  values.forEach((value, i) => new DataView(out.buffer).setFloat32(4 + text.length + i * 4, value, true));
  return out.buffer;
}

const START = Date.parse("2026-11-22T10:00:00Z");
const HEAD = { from: "2026-11-22T10:00:00Z", step: 60, frames: 3, handles: [7, 9] };
const FRAMES = decodeFrames(encoded(HEAD, [1, Number.NaN, 2, 0, 3, 1]))!;

test("frames hold what every point said at a moment", () => {
  const kinds = new Map([[9, { handle: 9, kind: "bool" }]]) as unknown as Parameters<typeof valuesOf>[2];
  expect([-5, 0, 59, 60, 119, 5000].map((s) => frameAt(FRAMES, START + s * 1000))).toEqual([0, 0, 0, 1, 1, 2]);
  expect([...valuesOf(FRAMES, 0, kinds).keys()]).toEqual([7]);
  expect([...valuesOf(FRAMES, 1, kinds).values()].map((one) => one.value)).toEqual([2, false]);
});

test("an answer that is cut off is no frames", () => {
  const whole = encoded(HEAD, [1, 2, 3, 4, 5, 6]);
  for (const bytes of [0, 4, 20, whole.byteLength - 4]) expect(decodeFrames(whole.slice(0, bytes))).toBeNull();
});

const alarm = (change: Partial<PastAlarm>): PastAlarm =>
  ({ id: "a", severity: "high", message: "Too hot", element: null, storey_id: null, spans: [], acked_at: null, closed_at: null, ...change });
const minute = (n: number): string => new Date(START + n * 60_000).toISOString();

test("an alarm that came twice held twice, and was acknowledged from then on", () => {
  const twice = alarm({ spans: [[minute(0), minute(2)], [minute(5), null]], acked_at: minute(6) });
  const held = (n: number): boolean[] => alarmsAt([twice], START + n * 60_000).map((one) => one.acked);
  expect([held(-1), held(0), held(2), held(5), held(6)]).toEqual([[], [false], [], [false], [true]]);
});

test("an order is open until it is done", () => {
  const order = { created_at: minute(1), done_at: minute(4), closed_at: minute(9) } as PastOrder;
  expect([0, 1, 3, 4].map((n) => ordersAt([order], START + n * 60_000).length)).toEqual([0, 1, 1, 0]);
});

test("of marks on one column the worst is drawn", () => {
  const alarms = [alarm({ severity: "low", spans: [[minute(1), null]] }), alarm({ severity: "critical", spans: [[minute(1), null], [minute(50), null]] })];
  const orders = [{ number: 3, title: "Pump", created_at: minute(30), element: null } as PastOrder, { number: 4, title: "Later", created_at: minute(99), element: null } as PastOrder];
  expect(marksOf(alarms, orders, START, START + 3_600_000, 100).map((one) => one.severity)).toEqual(["critical", "order", "critical"]);
});

test("the past is shown to everybody who shows values, and the present goes on underneath", () => {
  vi.stubGlobal("requestAnimationFrame", () => 1);
  const live = new LiveClient("b", "ws://nowhere");
  live.receive(JSON.stringify({ op: "snapshot", id: 1, seq: 1, handles: [{ handle: 7, point: "p", kind: "number" }], values: [[20, 1000, 0]] }));
  live.showPast(new Map([[7, { value: 5, ts: 1, quality: 0 }]]));
  expect(live.values.get(7)?.value).toBe(5);
  live.receive(JSON.stringify({ op: "values", values: [{ handle: 7, value: 21, ts: 2000, quality: 0 }] }));
  expect(live.values.get(7)?.value).toBe(5);
  live.showPast(null);
  expect(live.values.get(7)?.value).toBe(21);
});
