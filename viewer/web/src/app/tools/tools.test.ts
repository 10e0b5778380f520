import { expect, test } from "vitest";
import { clicked, escaped, finished, formatReading, NO_TOOLS, readingOf, type Tools } from "./state";
import { decodeView, encodeView, type SharedView } from "./view-link";

const measuring = (what: "distance" | "area" | "angle"): Tools => ({ ...NO_TOOLS, tool: { kind: "measure", what } });

test("two clicks are a distance, and the tool stays for the next one", () => {
  const one = clicked(measuring("distance"), [0, 0, 0]);
  const two = clicked(one, [3, 4, 12]);
  expect(one.measures).toEqual([]);
  expect(two.tool).not.toBeNull();
  expect(readingOf(two.measures[0]!)).toEqual({ value: 13, unit: "m", level: 5, height: 12 });
});

test("an area is closed by its first point, and a double click leaves no point twice", () => {
  const ring = [[0, 0, 0], [2, 0, 0], [2, 3, 0]] as const;
  const open = ring.reduce((tools, p) => clicked(tools, p), measuring("area"));
  expect(readingOf(clicked(open, [0.01, 0, 0]).measures[0]!)?.value).toBe(3);
  expect(finished(clicked(open, [2, 3, 0])).measures[0]?.points).toHaveLength(3);
  expect(finished(clicked(measuring("area"), [0, 0, 0])).measures).toEqual([]);
});

test("an area that crosses itself or is not flat says so", () => {
  expect(readingOf({ what: "area", points: [[0, 0, 0], [2, 2, 0], [2, 0, 0], [0, 3, 0]] })?.note).toBe("crosses");
  expect(readingOf({ what: "area", points: [[0, 0, 0], [2, 0, 0], [2, 2, 0.3], [0, 2, 0]] })?.note).toBe("notFlat");
});

test("escape ends what is in progress, then the tool, then nothing", () => {
  const started = clicked(measuring("angle"), [0, 0, 0]);
  const once = escaped(started)!;
  expect(once.points).toEqual([]);
  const twice = escaped(once)!;
  expect(twice.tool).toBeNull();
  expect(escaped(twice)).toBeNull();
});

test("lengths to the millimetre in the reader's language", () => {
  expect(formatReading({ value: 1234.5678, unit: "m" }, "en")).toBe("1,234.568 m");
  expect(formatReading({ value: 45, unit: "°" }, "zh-CN")).toBe("45.0°");
});

const SHARED: SharedView = {
  view: { eye: [1, 2, 3], target: [500_000.123, 3_400_000.456, -1], projection: "orthographic" }, storey: "2O2Fr$t4X7Zf8NOew3FNr2", storeyMode: "ghost",
  selected: "3cUkl32yn9qRSPvBJVyWw5", colouring: "温度", hiddenLayers: ["furniture"], section: { kind: "box", box: { min: [0, 0, 0], max: [1, 2, 3] } }, apart: 4,
};

test("a view survives its way through an address", () => {
  const text = encodeView(SHARED);
  expect(text).toMatch(/^[\w-]+$/);
  expect(decodeView(text)).toEqual(SHARED);
  const plane = { ...SHARED, section: { kind: "plane", location: [1, 2, 3], direction: [0, 0, 1] } } as const;
  expect(decodeView(encodeView(plane))).toEqual(plane);
});

test("an address that was cut or typed is no view, and what is odd in one is left out", () => {
  for (const text of ["", "x", encodeView(SHARED).slice(0, 20), btoa("{}"), btoa('{"e":[1,2],"t":[0,0,0]}'), btoa('{"e":[1,2,null],"t":[0,0,0]}')]) expect(decodeView(text)).toBeNull();
  expect(decodeView(btoa('{"e":[1,2,3],"t":[0,0,0],"x":{"b":[[1,1,1],[0,0,0]]},"a":-3,"m":"odd"}'))).toMatchObject({ section: null, apart: 0, storeyMode: "cut" });
});
