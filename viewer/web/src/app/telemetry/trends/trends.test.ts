import { expect, test } from "vitest";
import { shortName } from "../../lib/names";
import { parseLabels } from "../points/point-form";
import { fetchSpan, midnight, moved, parseRange, rangeText, resolutionOf, zoomed, type Span } from "./ranges";
import { fromBuckets, fromRaw, indexAt, joined, summaryOf, withTail } from "./series";
import { chartFor, EMPTY, parseView, viewText, withChartMoved, withoutPoint, withPoint } from "./view";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 2, 30);
const A = "0b6b8a00-0000-4000-8000-000000000001";
const B = "0b6b8a00-0000-4000-8000-000000000002";

test("an address carries the whole view and brings it back", () => {
  const view = { ...EMPTY, charts: [[A, B], [B]], range: { from: NOW - DAY, to: NOW }, compare: "year" as const, bands: false, table: true };
  expect(parseView(new URLSearchParams(viewText(view)))).toEqual(view);
  expect(parseView(new URLSearchParams("c=nonsense&r=99999999T0000-1&with=moon&bands=x"))).toEqual(EMPTY);
});

test("spans in an address are exact to the second and refused when they are none", () => {
  const span = { from: Date.UTC(2024, 1, 29, 23, 59, 7), to: Date.UTC(2024, 2, 2) };
  expect(parseRange(rangeText(span))).toEqual(span);
  expect(parseRange(rangeText({ from: NOW, to: NOW - 1 }))).toBeNull();
  expect(parseRange("7d")).toBe("7d");
});

test("a day begins at midnight of the site, also on days on which its clocks change", () => {
  expect(midnight("Asia/Shanghai", Date.UTC(2026, 5, 1, 17))).toBe(Date.UTC(2026, 5, 1, 16));
  expect(midnight("Europe/Berlin", Date.UTC(2026, 2, 29, 12))).toBe(Date.UTC(2026, 2, 28, 23));
  expect(midnight("Europe/Berlin", Date.UTC(2026, 9, 25, 12))).toBe(Date.UTC(2026, 9, 24, 22));
});

test("zooming keeps the moment under the pointer where it is", () => {
  const span = { from: NOW - 10 * DAY, to: NOW };
  const around = NOW - 3 * DAY;
  const near = zoomed(span, 0.5, around, NOW);
  const share = (one: Span): number => (around - one.from) / (one.to - one.from);
  expect(share(near)).toBeCloseTo(share(span), 9);
  expect(near.to - near.from).toBe(5 * DAY);
  expect(zoomed(span, 1e-9, around, NOW)).toSatisfy((one: Span) => one.to - one.from === 60_000);
});

test("moving never looks further ahead than two days", () => {
  const span = { from: NOW - DAY, to: NOW };
  expect(moved(span, 100, NOW).to).toBe(NOW + 2 * DAY);
  expect(moved(span, -1, NOW)).toEqual({ from: NOW - 2 * DAY, to: NOW - DAY });
});

test("the resolution follows the width, and never asks for less than a reading", () => {
  expect(resolutionOf({ from: NOW - 365 * DAY, to: NOW }, 1000, 60).bucket).toBe("1d");
  expect(resolutionOf({ from: NOW - 365 * DAY, to: NOW }, 1600, 60).bucket).toBe("12h");
  expect(resolutionOf({ from: NOW - DAY, to: NOW }, 1000, 300).bucket).toBeNull();
  expect(resolutionOf({ from: NOW - DAY, to: NOW }, 300, 60).bucket).toBe("15m");
});

test("what is read covers what is shown, on steps that do not change with every pixel", () => {
  const span = { from: NOW - 7 * DAY - 1234, to: NOW - 1234 };
  const wide = fetchSpan(span, 900, NOW);
  expect(wide.from).toBeLessThanOrEqual(span.from);
  expect(wide.to).toBeGreaterThanOrEqual(span.to);
  expect(fetchSpan({ from: span.from + 60_000, to: span.to + 60_000 }, 900, NOW)).toEqual(wide);
});

const at = (seconds: number): string => new Date(seconds * 1000).toISOString();

test("a silence breaks the line, another point's times do not", () => {
  const one = fromRaw([0, 60, 120, 600].map((ts) => ({ ts: at(ts), value: ts, quality: "good" })), 60);
  const other = fromRaw([30, 90].map((ts) => ({ ts: at(ts), value: 1, quality: "good" })), 60);
  const all = joined([one, other]);
  expect(all.ts).toEqual([0, 30, 60, 90, 120, 195, 600]);
  expect(all.columns[0]?.mean).toEqual([0, undefined, 60, undefined, 120, null, 600]);
  expect(all.columns[1]?.mean).toEqual([undefined, 1, undefined, 1, undefined, undefined, undefined]);
});

test("a line is broken over the whole of its silence, also where others fell silent a moment later", () => {
  const said = (...times: number[]) => fromRaw(times.map((s) => ({ ts: at(s), value: s, quality: "good" })), 60);
  const { ts, columns } = joined([said(0, 60, 1000), said(0, 70, 1010)]);
  expect(ts).toEqual([0, 60, 70, 135, 145, 1000, 1010]);
  expect(columns[0]?.mean).toEqual([0, 60, null, null, null, 1000, undefined]);
  expect(columns[1]?.mean).toEqual([0, undefined, 70, null, null, null, 1010]);
});

test("a bad reading has no value, an uncertain one has and is marked", () => {
  const samples = fromRaw([{ ts: at(0), value: 5, quality: "bad" }, { ts: at(60), value: 6, quality: "uncertain" }, { ts: at(120), value: true, quality: "good" }], 60);
  expect(samples.mean).toEqual([null, 6, 1]);
  expect(samples.doubt).toEqual([2, 1, 0]);
  expect(fromBuckets([{ ts: at(0), mean: 1, min: 0, max: 2, good: 0.75 }], 60, 60).doubt).toEqual([0.25]);
});

test("what came live is put behind what was read, once", () => {
  const samples = fromRaw([{ ts: at(0), value: 1, quality: "good" }], 60);
  const tail = [{ ts: 0, value: 9, doubt: 0 }, { ts: 60, value: 2, doubt: 0 }];
  expect(withTail(samples, tail).mean).toEqual([1, 2]);
  expect(withTail(samples, [])).toBe(samples);
});

test("the value under the cursor is the nearest one, the one before where values hold, none in a gap", () => {
  const samples = fromRaw([0, 60, 600].map((ts) => ({ ts: at(ts), value: ts, quality: "good" })), 60);
  expect(indexAt(samples, 50, false)).toBe(1);
  expect(indexAt(samples, 50, true)).toBe(0);
  expect(indexAt(samples, 330, false)).toBe(-1);
  expect(indexAt(samples, -1, true)).toBe(-1);
});

test("a summary is of what is shown", () => {
  const samples = fromBuckets([0, 60, 120].map((ts) => ({ ts: at(ts), mean: ts, min: ts - 1, max: ts + 1, good: 1 })), 60, 60);
  expect(summaryOf(samples, 30, 150)).toEqual({ count: 2, min: 59, max: 121, mean: 90, last: 120 });
  expect(summaryOf(samples, 500, 600).mean).toBeNull();
});

test("points go to the chart of their unit, once, and an empty chart goes away", () => {
  const units: Record<string, string> = { [A]: "DEG_C", [B]: "KiloW" };
  let view = withPoint(EMPTY, A, null);
  expect(chartFor(view, "DEG_C", (id) => units[id])).toBe(0);
  expect(chartFor(view, "KiloW", (id) => units[id])).toBeNull();
  view = withPoint(withPoint(withPoint(view, B, null), A, 0), A, 1);
  expect(view.charts).toEqual([[A], [B, A]]);
  expect(withChartMoved(view, 0, 1).charts).toEqual([[B, A], [A]]);
  expect(withChartMoved(view, 0, -1)).toBe(view);
  expect(withoutPoint(view, A, 0).charts).toEqual([[B, A]]);
});

test("labels of states are read a line at a time", () => {
  expect(parseLabels(" 0 = off \n\n1= on = really")).toEqual({ "0": "off", "1": "on = really" });
  expect(parseLabels(" \n")).toBeNull();
});

test("a point is told apart by what its name says beyond its element's", () => {
  expect(shortName("Fan 1 · power", "Fan 1")).toBe("power");
  expect(shortName("Fan 1", "Fan 1")).toBe("Fan 1");
  expect(shortName("Outside", "Fan 1")).toBe("Outside");
  expect(shortName("Outside", null)).toBe("Outside");
});
