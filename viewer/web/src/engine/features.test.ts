import { expect, test } from "vitest";
import { ALARM_MASK, ALARM_SHIFT, COLORED, FeatureTable, GHOST, HIDDEN, ROW, SELECTED } from "./features";
import type { Rgb } from "./types";

const boxes = (n: number): Float64Array => Float64Array.from({ length: n * 6 }, (_, i) => (i % 6 < 3 ? 0 : 1) + Math.floor(i / 6));
const texel = (table: FeatureTable, feature: number): number[] => [...table.data.subarray(feature * 4, feature * 4 + 4)];
const flags = (table: FeatureTable, feature: number): number => table.data[feature * 4 + 3] as number;

test("an element in two tiles changes in both", () => {
  const table = new FeatureTable();
  table.addTile(["a", "b"], boxes(2));
  table.addTile(["b", "c"], boxes(2));
  expect(table.elementCount).toBe(3);
  table.setColors(new Map([["b", [1, 2, 3]]]));
  expect(texel(table, 1)).toEqual([1, 2, 3, COLORED]);
  expect(texel(table, 2)).toEqual([1, 2, 3, COLORED]);
  expect(flags(table, 0)).toBe(0);
  expect([...(table.boxOf("b") ?? [])]).toEqual([0, 0, 0, 2, 2, 2]);
});

test("what is set before a tile arrives takes effect when it does", () => {
  const table = new FeatureTable();
  table.setFlag(["late"], HIDDEN, true);
  table.setAlarms(new Map([["late", "critical"]]));
  expect(table.elementCount).toBe(0);
  expect(table.has("late")).toBe(false);
  table.addTile(["late"], boxes(1));
  expect(flags(table, 0)).toBe(HIDDEN | (4 << ALARM_SHIFT));
});

test("setting colours, alarms and selection replaces what was set before", () => {
  const table = new FeatureTable();
  table.addTile(["a", "b"], boxes(2));
  table.setColors(new Map([["a", [9, 9, 9] as Rgb]]));
  table.setColors(new Map([["b", [8, 8, 8] as Rgb]]));
  table.addColors(new Map([["b", [7, 8, 8] as Rgb]]));
  expect([flags(table, 0), texel(table, 1)]).toEqual([0, [7, 8, 8, COLORED]]);
  table.setColors(new Map([["b", [8, 8, 8] as Rgb]]));
  table.setAlarms(new Map([["a", "low"]]));
  table.setAlarms(null);
  table.onlyFlag(["a"], SELECTED);
  table.onlyFlag(["b"], SELECTED);
  expect(flags(table, 0)).toBe(0);
  expect(flags(table, 1)).toBe(COLORED | SELECTED);
  expect(table.alarmed).toBe(false);
});

test("isolating ghosts or hides everything else and gives it back unchanged", () => {
  const table = new FeatureTable();
  table.addTile(["a", "b", ""], boxes(3));
  table.setFlag(["b"], SELECTED, true);
  table.isolate(["a"], "ghost");
  expect([flags(table, 0), flags(table, 1), flags(table, 2)]).toEqual([0, SELECTED | GHOST, GHOST]);
  table.isolate(["a", "b"], "hide");
  expect([flags(table, 0), flags(table, 1), flags(table, 2)]).toEqual([0, SELECTED, HIDDEN]);
  expect(table.isVisible("b")).toBe(true);
  table.isolate(null);
  expect([flags(table, 0), flags(table, 1), flags(table, 2)]).toEqual([0, SELECTED, 0]);
});

test("a tile's mode holds for all of its features and is counted", () => {
  const table = new FeatureTable();
  const { tile } = table.addTile(["a", "b"], boxes(2));
  table.setFlag(["a"], HIDDEN, true);
  table.setTileMode(tile, GHOST);
  table.refresh();
  expect(table.counts(tile)).toEqual({ visible: 0, ghost: 1, overlay: 0 });
  expect(table.isVisible("b")).toBe(false);
  expect(table.isShown("b")).toBe(true);
  expect(table.isShown("a")).toBe(false);
});

test("only the rows that changed are uploaded", () => {
  const table = new FeatureTable();
  const ids = Array.from({ length: ROW * 4 }, (_, i) => `e${i}`);
  table.addTile(ids, boxes(ids.length));
  table.takeDirty();
  expect(table.takeDirty()).toBeNull();
  table.setFlag([`e${ROW * 2 + 5}`], SELECTED, true);
  expect(table.takeDirty()).toEqual({ from: 2, to: 3 });
  table.setFlag([`e${ROW * 2 + 5}`], SELECTED, true); // says nothing new
  expect(table.takeDirty()).toBeNull();
});

test("thirty thousand elements are recoloured at once", () => {
  const table = new FeatureTable();
  const ids = Array.from({ length: 30_000 }, (_, i) => `e${i}`);
  for (let at = 0; at < ids.length; at += 1000) table.addTile(ids.slice(at, at + 1000), boxes(1000));
  table.setColors(new Map(ids.map((id, i) => [id, [i & 255, 1, 2] as Rgb])));
  expect(texel(table, 29_999)).toEqual([29_999 & 255, 1, 2, COLORED]);
  expect(texel(table, 12_345)).toEqual([12_345 & 255, 1, 2, COLORED]);
});

test("a new version of the model keeps the states of its elements", () => {
  const table = new FeatureTable();
  table.addTile(["a", "gone"], boxes(2));
  table.setAlarms(new Map([["a", "high"]]));
  table.clearTiles();
  expect(table.has("a")).toBe(false);
  table.addTile(["new", "a"], boxes(2));
  expect(table.elementCount).toBe(2);
  expect(flags(table, 0)).toBe(0);
  expect((flags(table, 1) & ALARM_MASK) >> ALARM_SHIFT).toBe(3);
  expect(table.featureAt(1)).toEqual({ globalId: "a", tile: 0 });
});

test("no value is written as black, and black as almost black", () => {
  const table = new FeatureTable();
  table.addTile(["a", "b"], boxes(2));
  table.setColors(new Map<string, Rgb | null>([["a", null], ["b", [0, 0, 0]]]));
  expect(texel(table, 0)).toEqual([0, 0, 0, COLORED]);
  expect(texel(table, 1)).toEqual([1, 1, 1, COLORED]);
});

test("another moment has its own colours and alarms, and hides what this one hides", () => {
  const table = new FeatureTable();
  table.addTile(["a", "b"], boxes(2));
  table.addTile(["b"], boxes(1));
  table.setColors(new Map([["a", [9, 9, 9] as Rgb]]));
  table.setAlarms(new Map([["a", "critical"]]));
  table.setFlag(["b"], HIDDEN, true);
  const then = table.variant(new Map([["b", [1, 2, 3] as Rgb], ["nowhere", null]]), new Map([["b", "low"]]));
  const at = (feature: number): number[] => [...then.subarray(feature * 4, feature * 4 + 4)];
  expect(at(0)[3]).toBe(0);
  for (const feature of [1, 2]) expect(at(feature)).toEqual([1, 2, 3, HIDDEN | COLORED | (1 << ALARM_SHIFT)]);
  expect(texel(table, 0)).toEqual([9, 9, 9, COLORED | (4 << ALARM_SHIFT)]);
});

test("elements are found in whatever order they are named", () => {
  const table = new FeatureTable();
  const ids = ["a", "b", "c", "d"];
  table.addTile(ids, boxes(4));
  for (const order of [ids, [...ids].reverse(), ["b", "c", "a", "d"], ["d", "d", "a", "b"]]) {
    table.setColors(new Map(order.map((id, i) => [id, [ids.indexOf(id) + 1, i, 9] as Rgb])));
    for (const id of order) expect(texel(table, ids.indexOf(id))).toEqual([ids.indexOf(id) + 1, order.lastIndexOf(id), 9, COLORED]);
  }
});
