// @vitest-environment jsdom
import { beforeEach, expect, test, vi } from "vitest";
import { backoff, decodeFrame, LiveClient, type LiveEvent } from "../src/app/live";

function frame(entries: [number, number, number][], version = 1): ArrayBuffer {
  const n = entries.length;
  const buffer = new ArrayBuffer(16 + 9 * n);
  const view = new DataView(buffer);
  view.setUint8(0, version);
  view.setUint8(1, 1);
  view.setUint32(4, n, true);
  view.setBigInt64(8, 1_700_000_000_123n, true);
  entries.forEach(([handle, value, quality], i) => {
    view.setUint32(16 + 4 * i, handle, true);
    view.setFloat32(16 + 4 * n + 4 * i, value, true);
    view.setUint8(16 + 8 * n + i, quality);
  });
  return buffer;
}

const info = (handle: number, kind = "number") =>
  ({ handle, point: `p${handle}`, element: null, unit: null, name: "", kind, quantity: null, storey: null });

let client: LiveClient;
let runFrame: () => void;

beforeEach(() => {
  const waiting: FrameRequestCallback[] = [];
  vi.stubGlobal("requestAnimationFrame", (callback: FrameRequestCallback) => waiting.push(callback));
  runFrame = () => waiting.splice(0).forEach((callback) => callback(0));
  client = new LiveClient("b", "ws://nowhere");
});

test("a binary frame becomes handles, values and qualities", () => {
  const decoded = decodeFrame(frame([[7, 21.5, 0], [70_000, -3, 3]]));
  expect(decoded?.serverTime).toBe(1_700_000_000_123);
  expect([...(decoded?.handles ?? [])]).toEqual([7, 70_000]);
  expect([...(decoded?.values ?? [])]).toEqual([21.5, -3]);
  expect([...(decoded?.qualities ?? [])]).toEqual([0, 3]);
});

test("a frame of another version or of a wrong length is left alone", () => {
  expect(decodeFrame(frame([[1, 1, 0]], 2))).toBeNull();
  expect(decodeFrame(frame([[1, 1, 0]]).slice(0, 20))).toBeNull();
  expect(decodeFrame(new ArrayBuffer(3))).toBeNull();
});

test("many values in one animation frame tell each listener once", () => {
  const heard = vi.fn();
  client.onValue(7, heard);
  client.receive(JSON.stringify({ op: "snapshot", id: 1, handles: [info(7)], values: [[20, "2026-01-01T00:00:00Z", "good"]], seq: 5 }));
  client.receive(frame([[7, 21, 0]]));
  client.receive(frame([[7, 22, 1]]));
  expect(heard).not.toHaveBeenCalled();
  runFrame();
  expect(heard).toHaveBeenCalledTimes(1);
  expect(client.values.get(7)).toMatchObject({ value: 22, quality: 1 });
  expect(client.status).toBe("live");
});

test("a tick of very many values is told in several animation frames, each change once, and the values are there at once", () => {
  const handles = Array.from({ length: 10_000 }, (_, i) => i);
  client.receive(JSON.stringify({ op: "snapshot", id: 1, handles: handles.map((handle) => info(handle)), seq: 5 }));
  for (let i = 0; i < 4; i++) runFrame();
  const told: number[][] = [];
  client.onAnyValue((changed) => told.push([...changed]));
  client.receive(frame(handles.map((handle) => [handle, 21, 0])));
  expect(client.values.get(9999)).toMatchObject({ value: 21 });
  for (let i = 0; i < 4; i++) runFrame();
  expect(told.map(({ length }) => length)).toEqual([4000, 4000, 2000]);
  expect(new Set(told.flat()).size).toBe(10_000);
});

test("who begins to listen after reading sees by the object that a value came in between", () => {
  client.receive(JSON.stringify({ op: "snapshot", id: 1, handles: [info(7)], values: [[20, "2026-01-01T00:00:00Z", "good"]], seq: 5 }));
  const read = client.values.get(7);
  client.receive(frame([[7, 21, 0]]));
  client.onValue(7, () => undefined);
  expect(client.values.get(7)).not.toBe(read);
  const next = client.values.get(7);
  client.receive(frame([[7, 22, 0]]));
  expect(client.values.get(7)).not.toBe(next);
  expect(client.values.get(7)).toMatchObject({ value: 22 });
});

test("a bool stays a bool in a binary frame", () => {
  client.receive(JSON.stringify({ op: "snapshot", id: 1, handles: [info(3, "bool")], values: [[false, "2026-01-01T00:00:00Z", "good"]], seq: 1 }));
  client.receive(frame([[3, 1, 0]]));
  expect(client.values.get(3)?.value).toBe(true);
});

test("texts come as JSON, and a point that goes takes its value with it", () => {
  client.receive(JSON.stringify({ op: "handles", handles: [info(9, "text")], removed: [] }));
  client.receive(JSON.stringify({ op: "values", values: [{ handle: 9, value: "idle", ts: "2026-01-01T00:00:00Z", quality: "stale" }] }));
  expect(client.values.get(9)).toMatchObject({ value: "idle", quality: 3 });
  expect(client.handleOf("p9")).toBe(9);
  client.receive(JSON.stringify({ op: "handles", handles: [], removed: [9] }));
  expect(client.values.has(9)).toBe(false);
  expect(client.handleOf("p9")).toBeUndefined();
});

test("an event that was replayed is heard once", () => {
  const heard: number[] = [];
  client.onEvent((event: LiveEvent) => heard.push(event.seq));
  for (const seq of [3, 4, 4, 3, 9]) client.receive(JSON.stringify({ op: "event", seq, topic: "alarm", data: {} }));
  expect(heard).toEqual([3, 4, 9]);
});

test("resync tells that what is cached may be old", () => {
  const heard = vi.fn();
  client.onResync(heard);
  client.receive(JSON.stringify({ op: "resync" }));
  expect(heard).toHaveBeenCalledOnce();
});

test("reconnecting slows down and is spread over clients", () => {
  expect(backoff(0, 0)).toBe(350);
  expect(backoff(3, 0.5)).toBe(4000);
  expect(backoff(30, 1)).toBeCloseTo(19_500);
});
