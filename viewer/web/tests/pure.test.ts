import { expect, test } from "vitest";
import type { Point, Tree } from "../src/api/types";
import { formatBytes, formatDuration, formatNumber, plainClass, relativeTime, unitText } from "../src/app/lib/format";
import { placeText } from "../src/app/lib/place";
import { DEFAULT_RECURRENCE, fromRule, nextDates, toRule } from "../src/app/lib/recurrence";
import { colourings, colourOf, niceSpan, quantityName, startLimits, targetValues } from "../src/app/scene/colour";
import { steppedBack, withContext } from "../src/app/scene/look";
import { spaceLabel, treeRows } from "../src/app/scene/tree-rows";
import { PALETTES } from "../src/app/theme";

const point = (handle: number, change: Partial<Point>): Point => ({
  id: String(handle), handle, key: `p${handle}`, name: "", kind: "number", unit: "DEG_C", quantity: "Temperature", brick_class: null, labels: null, building_id: "b",
  element: { id: "e", global_id: "g", name: null, ifc_class: "IfcSensor" }, storey_id: null, space_id: null, unit_symbol: null, writable: false, min_value: null,
  max_value: null, latest: null, expected_interval: 300, properties: {}, retired_at: null, sampling: "hold",
  reading_unit: null, deadband: null, stale_after: null, time_zone: null, tags: [], policy: null, created_at: "2026-01-01T00:00:00Z", stale: false, ...change,
});

test("a rule of the builder survives the way to RFC 5545 and back", () => {
  for (const recurrence of [
    DEFAULT_RECURRENCE, { ...DEFAULT_RECURRENCE, every: "week" as const, interval: 2, weekdays: [1, 4] }, { ...DEFAULT_RECURRENCE, monthDay: -1, count: 12 },
  ]) expect(fromRule(toRule(recurrence))).toEqual({ ...recurrence, weekdays: recurrence.every === "week" ? recurrence.weekdays : [0] });
});

test("a rule that the builder cannot show is kept as it is", () => {
  expect(fromRule("FREQ=MONTHLY;BYDAY=1MO")).toBeNull();
  expect(fromRule("FREQ=HOURLY")).toBeNull();
  expect(fromRule("nonsense")).toBeNull();
});

test("the next dates keep the time of day", () => {
  const dates = nextDates("FREQ=MONTHLY;BYMONTHDAY=1", new Date(2026, 2, 15, 9, 30), 3);
  expect(dates.map((date) => [date.getMonth(), date.getDate(), date.getHours(), date.getMinutes()])).toEqual([[3, 1, 9, 30], [4, 1, 9, 30], [5, 1, 9, 30]]);
  expect(nextDates("FREQ=NEVER", new Date(), 3)).toEqual([]);
});

test("a value beyond the limits has the colour of the limit", () => {
  expect(colourOf(-50, 0, 10, "sequential")).toEqual([68, 1, 84]);
  expect(colourOf(99, 0, 10, "sequential")).toEqual([253, 231, 37]);
  expect(colourOf(5, 0, 10, "diverging")).toEqual([255, 255, 191]);
  expect(colourOf(5, 5, 5, "diverging")).toEqual([255, 255, 191]);
});

test("points of one quantity and unit make one colouring, rooms before equipment", () => {
  const points = [point(1, {}), point(2, {}), point(3, { quantity: "Power", unit: "KiloW" }), point(4, { kind: "text" }), point(5, { element: null })];
  const found = colourings(points, (one) => (one.element ? { globalId: `g${one.handle}`, room: one.handle < 3 } : null));
  expect(found.map((one) => [one.target, one.name, one.points.length])).toEqual([["room", "temperature", 2], ["equipment", "power", 1]]);
});

test("a Brick class names the quantity better than the quantity kind", () => {
  expect(quantityName({ brick_class: "CO2_Level_Sensor", quantity: "MoleFraction", unit: "PPM" })).toBe("co2");
  expect(quantityName({ brick_class: null, quantity: null, unit: "DEG_C" })).toBe("temperature");
  expect(quantityName({ brick_class: null, quantity: "Thing", unit: "X" })).toBeNull();
});

test("a target with several points shows their mean, one without a value nothing", () => {
  const [colouring] = colourings([point(1, {}), point(2, {}), point(3, {})], (one) => ({ globalId: one.handle === 3 ? "b" : "a", room: true }));
  if (!colouring) throw new Error("no colouring");
  expect([...targetValues(colouring, (handle) => (handle === 3 ? null : handle * 10))]).toEqual([["a", 15]]);
});

test("room limits are the usual ones, others those of the values, rounded outwards", () => {
  const [room] = colourings([point(1, {})], () => ({ globalId: "a", room: true }));
  const [pump] = colourings([point(1, { unit: "KiloW", quantity: "Power" })], () => ({ globalId: "a", room: false }));
  if (!room || !pump) throw new Error("no colouring");
  expect(startLimits(room, [90])).toEqual([16, 30]);
  expect(startLimits(pump, [1.2, 3.4, 7.7])).toEqual([1, 8]);
  expect(niceSpan(5, 5)[1]).toBeGreaterThan(5);
});

const tree: Tree = {
  site: "", site_id: "", building: "", building_id: "", elements: 5,
  storeys: [
    { id: "s1", name: "1F", elevation: 0, elements: 3, classes: [{ ifc_class: "IfcWall", count: 2 }], spaces: [{ id: "r1", global_id: "R1", name: "101", long_name: "Hall", area: 9, elements: 1 }] },
    { id: "s2", name: "2F", elevation: 3, elements: 2, classes: [], spaces: [] },
  ],
};
const texts = { className: (name: string) => name, noStorey: "-", unnamed: "?" };

test("the tree shows the highest storey first and asks only for what is open", () => {
  const closed = treeRows(tree, new Set(), new Map(), texts);
  expect(closed.rows.map((row) => row.label)).toEqual(["2F", "1F"]);
  expect(closed.wanted).toEqual([]);
  const open = treeRows(tree, new Set(["s:s1", "s:s1/r:r1"]), new Map(), texts);
  expect(open.rows.map((row) => `${row.level}${row.kind}:${row.label}`)).toEqual(["0storey:2F", "0storey:1F", "1space:101 Hall", "2wait:", "1class:IfcWall"]);
  expect(open.wanted).toEqual([{ key: "s:s1/r:r1", space: "r1" }]);
});

test("a small thing is shown with the room around it, a large one as it is", () => {
  expect(withContext({ min: [0, 0, 2], max: [0.2, 10, 2.1] })).toEqual({ min: [-2.9, 0, 2], max: [3.1, 10, 2.1] });
});

test("the camera steps back along the viewpoint's direction and looks down", () => {
  const { eye, target } = steppedBack({ eye: [1, 0, 0.1], target: [0, 0, 0] });
  expect(Math.hypot(...eye)).toBeCloseTo(8);
  expect(eye[1]).toBe(0);
  expect(eye[2]).toBeCloseTo(4);
  expect(target).toEqual([0, 0, 0]);
});

test("a room's number and name that overlap are written once", () => {
  expect(spaceLabel({ name: "201 Kitchen", long_name: "Kitchen, south", global_id: "g" })).toBe("201 Kitchen, south");
  expect(spaceLabel({ name: "201", long_name: "Hall", global_id: "g" })).toBe("201 Hall");
  expect(spaceLabel({ name: null, long_name: null, global_id: "g" })).toBe("g");
});

test("numbers, times and units read as people write them", () => {
  expect(formatNumber(21.456, "en")).toBe("21.46");
  expect(formatNumber(123_456.7, "en")).toBe("123,457");
  expect(formatNumber(Number.NaN, "en")).toBe("–");
  expect(formatBytes(1_234_567, "en")).toBe("1.2 MB");
  expect(formatDuration(3 * 3_600_000 + 5 * 60_000, "en")).toBe("3 h 5 min");
  expect(formatDuration(26 * 3_600_000, "zh-CN")).toBe("1 天 2 小时");
  expect(formatDuration(20_000, "en")).toBe("under 1 min");
  expect(relativeTime(0, 3 * 60_000, "en")).toBe("3 min. ago");
  expect(unitText("DEG_C")).toBe("°C");
  expect(plainClass("IfcFlowTerminal")).toBe("Flow terminal");
  expect(placeText({ storey: "3F", space: "Pump room", element: "Pump room" })).toBe("3F › Pump room");
});

function luminance(hex: string): number {
  const channel = (i: number): number => {
    const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

const contrast = (a: string, b: string): number => {
  const [low, high] = [luminance(a), luminance(b)].toSorted((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
};

test("every text colour of both themes reaches WCAG AA on what it stands on", () => {
  for (const p of Object.values(PALETTES)) {
    for (const text of [p.text, p.text2, p.text3, p.accent, p.critical, p.high, p.medium, p.low, p.ok]) {
      for (const ground of [p.surface, p.bg, p.sunken]) expect(contrast(text, ground), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
    for (const [text, ground] of [
      [p.critical, p.criticalSoft], [p.high, p.highSoft], [p.medium, p.mediumSoft], [p.low, p.lowSoft], [p.ok, p.okSoft], [p.accent, p.accentSoft], [p.onAccent, p.accent],
    ] as const) expect(contrast(text, ground), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
  }
});
