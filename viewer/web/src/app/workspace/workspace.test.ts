import { describe, expect, it } from "vitest";
import { carried, carries, carry, ELEMENTS } from "../lib/dragged";
import { paintOf, rgbOf } from "../scene/rules";
import { EMPTY as NO_CHARTS, MOST_CHARTS, MOST_SERIES, withPoints } from "../telemetry/trends/view";
import { chartsOf, withCharts } from "./charts";
import { ranked } from "./commands";
import { dropSide, frontOf, movedTo, panelsOf, RESET, type PanelName } from "./docks";
import { EMPTY, MOST, redone, seen, undone, type History } from "./history";
import { clampSize, merged } from "./layout";
import { clicked, consistent, MOST_SELECTED, queryOf, ranged, shared, toggled } from "./selection";
import { propertyKey, quoted, suggestions, type Words } from "./text";

const same = (a: number, b: number): boolean => a === b;
const after = (...states: number[]): History<number> => states.reduce<History<number>>((history, one) => seen(history, one, same), EMPTY);

describe("undo of what one sees", () => {
  it("goes back and forth, and forgets the future when something new is seen", () => {
    const history = after(1, 2, 3);
    expect(undone(undone(history)).now).toBe(1);
    expect(redone(undone(history))).toEqual(history);
    expect(seen(undone(history), 9, same)).toEqual({ past: [1, 2], now: 9, future: [] });
  });

  it("takes no step for what is the same, and has ends", () => {
    const history = after(1, 1, 2);
    expect(history.past).toEqual([1]);
    expect(undone(undone(undone(history))).now).toBe(1);
    expect(redone(history)).toBe(history);
    expect(after(...Array.from({ length: MOST + 50 }, (_, i) => i)).past).toHaveLength(MOST);
  });
});

it("gives an element the colour of the first rule that finds it", () => {
  const { colours, counts } = paintOf([{ query: "a", colour: "#ff0000", label: "a" }, { query: "b", colour: "#0000ff", label: "b" }], [["x", "y"], ["y", "z"]]);
  expect([...colours]).toEqual([["x", [255, 0, 0]], ["y", [255, 0, 0]], ["z", [0, 0, 255]]]);
  expect(counts).toEqual([2, 1]);
  expect(rgbOf("#0a0b0c")).toEqual([10, 11, 12]);
});

describe("suggestions while one types a query", () => {
  const words: Words = {
    keys: ["class", "has", "storey", "system"], has: ["alarm", "order"], classes: ["IfcWall", "IfcWallStandardCase"], storeys: ["Level 1", "Roof"],
    systems: ["Heating"], properties: ["Pset_WallCommon.FireRating", "My set.Fire class"],
  };
  it.each([
    ["c", ["class:"]],
    ["has:a", ["has:alarm"]],
    ["-has:alarm,o", ["-has:alarm,order"]],
    ['x storey:"lev', ['x storey:"Level 1"']],
    ["wall", ["class:IfcWall", "class:IfcWallStandardCase", "Pset_WallCommon.FireRating:"]],
    ["(fire", ["(Pset_WallCommon.FireRating:", '("My set"."Fire class":']],
    ["", []],
    ["class:IfcWall ", []],
  ])("%s", (text, expected) => expect(suggestions(text, words)).toEqual(expected));

  it("puts into quotes what has to be", () => {
    expect(quoted("Level 1")).toBe('"Level 1"');
    expect(quoted('a"b\\c')).toBe('"a\\"b\\\\c"');
    expect(quoted("IfcWall")).toBe("IfcWall");
    expect(quoted("OR")).toBe('"OR"');
    expect(propertyKey("My set.a b")).toBe('"My set"."a b"');
  });
});

describe("the panels' sizes", () => {
  it("leave room for the building", () => {
    expect(clampSize("left", 20, 1440)).toBe(220);
    expect(clampSize("left", 5000, 1440)).toBe(576);
    expect(clampSize("right", 400, 1440)).toBe(400);
  });
  it("keep what another machine's client wrote", () => {
    expect(merged({ left: { size: 300, open: true }, group: "class" }, { left: { open: false } })).toEqual({ left: { size: 300, open: false }, group: "class" });
  });
});

describe("the command palette", () => {
  it("puts first what begins as one types, then words within, then letters in order", () => {
    const labels = ["Show everything", "Work orders", "Alarms", "Orders of today", "Old records"].map((label) => ({ label }));
    expect(ranked(labels, "ord").map((one) => one.label)).toEqual(["Orders of today", "Work orders", "Old records"]);
    expect(ranked(labels, "")).toHaveLength(5);
    expect(ranked(labels, "xyz")).toEqual([]);
  });
});

describe("what is chosen", () => {
  const none = { selected: null, selection: [] as readonly string[], adding: false };
  const two = { selected: "b", selection: ["a", "b"] as readonly string[], adding: true };

  it("is one where a part of the program that knows of one says so", () => {
    expect(consistent(none, { ...none, selected: "a" })).toEqual({ selected: "a", selection: ["a"], adding: false });
    expect(consistent(two, { ...two, selected: null })).toEqual(none);
    expect(consistent(two, { ...two, selected: "c" }).selection).toEqual(["c"]);
  });

  it("keeps one of several in the inspector", () => {
    expect(consistent(none, { ...none, selection: ["a", "b"] }).selected).toBe("b");
    expect(consistent(two, { ...two, selection: ["a"] }).selected).toBe("a");
    expect(consistent(two, { ...two, selection: ["b", "a"] }).selected).toBe("b");
    expect(consistent(two, two)).toBe(two);
  });

  it("grows with Ctrl, reaches with Shift, and has an end", () => {
    const rows = ["a", "b", "c", "d"];
    const plain = { ctrlKey: false, metaKey: false, shiftKey: false };
    expect(toggled(["a", "b"], "a")).toEqual(["b"]);
    expect(clicked({ ...two, adding: false }, rows, "d", plain)).toBeNull();
    expect(clicked(two, rows, "d", plain)).toEqual(["a", "b", "d"]);
    expect(clicked({ ...two, adding: false }, rows, "d", { ...plain, ctrlKey: true })).toEqual(["a", "b", "d"]);
    expect(clicked(two, rows, "d", { ...plain, shiftKey: true })).toEqual(rows);
    expect(ranged(rows, "c", "a")).toEqual(["c", "b", "a"]);
    expect(ranged(rows, "x", "a")).toEqual(["a"]);
    const many = Array.from({ length: 200 }, (_, i) => `${i}`);
    expect(many.reduce(toggled, [] as readonly string[])).toHaveLength(MOST_SELECTED);
    expect(ranged(many, "0", "199")).toHaveLength(MOST_SELECTED);
  });

  it("fits into one query however many they are", () => {
    expect(queryOf(["a", "b"])).toBe('id:"a","b"');
    expect(queryOf(Array.from({ length: MOST_SELECTED }, () => "3cUkl32yn9qRSPvBJVyWw5")).length).toBeLessThanOrEqual(2000);
  });

  it("says what is common and what varies, the most frequent first and what is missing last", () => {
    const of = (...pairs: [string, string][]): Map<string, string> => new Map(pairs.map(([name, value]) => [`Pset\u0000${name}`, value]));
    expect(shared([of(["Fire", "EI30"], ["Load", "yes"]), of(["Load", "yes"]), of(["Load", "yes"], ["Fire", "EI60"]), of(["Load", "yes"], ["Fire", "EI60"])])).toEqual([
      { group: "Pset", name: "Fire", values: [["EI60", 2], ["EI30", 1], [null, 1]] },
      { group: "Pset", name: "Load", values: [["yes", 4]] },
    ]);
  });
});

describe("panels on the sides of the view", () => {
  const all = new Set<PanelName>(["building", "inspector", "alarms"]);

  it("share a side as tabs, the moved one on top, and go back where they were", () => {
    const moved = merged({ left: { size: 300 } }, movedTo("inspector", "left"));
    expect(panelsOf(moved, "left", all)).toEqual(["building", "inspector"]);
    expect(frontOf(moved, "left", panelsOf(moved, "left", all))).toBe("inspector");
    expect(panelsOf(moved, "right", all)).toEqual([]);
    const both = merged(moved, movedTo("alarms", "bottom"));
    expect(both.panels).toEqual({ inspector: "left", alarms: "bottom" });
    expect(panelsOf(both, "left", new Set<PanelName>(["building"]))).toEqual(["building"]);
    const reset = merged(both, RESET);
    expect([panelsOf(reset, "left", all), panelsOf(reset, "right", all), panelsOf(reset, "bottom", all)]).toEqual([["building"], ["inspector"], []]);
    expect(reset.left).toEqual({ size: 300 });
  });

  it("are dropped where the hand is, and stay where it is nowhere", () => {
    expect([dropSide(0.1, 0.5), dropSide(0.9, 0.9), dropSide(0.5, 0.9), dropSide(0.5, 0.4), dropSide(-0.1, 0.5)]).toEqual(["left", "right", "bottom", null, null]);
  });
});

describe("points dragged into charts", () => {
  const transfer = (): DataTransfer => {
    const data = new Map<string, string>();
    return { setData: (type: string, text: string) => data.set(type, text), getData: (type: string) => data.get(type) ?? "", get types() { return [...data.keys()]; }, effectAllowed: "all" } as unknown as DataTransfer;
  };

  it("are told from any other drag, and what others wrote is nothing", () => {
    const drag = transfer();
    expect([carries(null), carries(drag)]).toEqual([false, false]);
    carry(drag, { elements: ["a", "b"] });
    expect([carries(drag), drag.effectAllowed]).toEqual([true, "copy"]);
    expect(carried(drag)).toEqual({ points: [], elements: ["a", "b"] });
    for (const odd of ["{", "7", '{"a":1}', "[1, null]"]) {
      drag.setData(ELEMENTS, odd);
      expect(carried(drag)).toEqual({ points: [], elements: [] });
    }
  });

  it("stand together by unit, once, as far as there is room", () => {
    const points = [["a", "DEG_C"], ["b", "PERCENT"], ["c", "DEG_C"], ["d", null]].map(([id, unit]) => ({ id: id ?? "", unit: unit ?? null }));
    const drawn = withPoints(NO_CHARTS, points, null);
    expect(drawn.charts).toEqual([["a", "c"], ["b"], ["d"]]);
    expect(withPoints(drawn, points, null).charts).toEqual(drawn.charts);
    expect(withPoints(drawn, [{ id: "d", unit: null }], 1).charts).toEqual([["a", "c"], ["b", "d"], ["d"]]);
    const many = Array.from({ length: 200 }, (_, i) => ({ id: `p${i}`, unit: `u${i % 20}` }));
    const full = withPoints(NO_CHARTS, many, null).charts;
    expect([full.length <= MOST_CHARTS, Math.max(...full.map((one) => one.length)) <= MOST_SERIES]).toEqual([true, true]);
  });

  it("are kept by building, and are gone when the last is removed", () => {
    const kept = merged({ charts: { one: [["a"]] } }, { charts: withCharts({ one: [["a"]] }, "two", [["b"]]) });
    expect([chartsOf(kept, "one"), chartsOf(kept, "two")]).toEqual([[["a"]], [["b"]]]);
    const less = merged(kept, { charts: withCharts(kept.charts ?? {}, "one", []) });
    expect(less.charts).toEqual({ two: [["b"]] });
    expect(Object.keys(withCharts(Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`b${i}`, [["a"]]])), "new", [["a"]]))).toHaveLength(50);
  });
});
