import { describe, expect, it } from "vitest";
import { carried, carries, carry, ELEMENTS } from "../lib/dragged";
import { paintOf, rgbOf } from "../scene/rules";
import { EMPTY as NO_CHARTS, MOST_CHARTS, MOST_SERIES, withPoints } from "../telemetry/trends/view";
import { chartsOf, withCharts } from "./charts";
import { natural, rulesByValue, type Valued } from "./by-value";
import { ranked } from "./commands";
import { dropSide, frontOf, movedTo, panelsOf, RESET, type PanelName } from "./docks";
import { EMPTY, MOST, redone, seen, undone, type History } from "./history";
import { clampSize, merged } from "./layout";
import { clicked, consistent, MOST_SELECTED, queryOf, ranged, shared, toggled } from "./selection";
import { propertyKey, quoted, sameValue, suggestions, unitSign, withAnySet, type Words } from "./text";

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
    systems: ["Heating"], properties: ["Pset_WallCommon.FireRating", "My set.Fire class"], searches: ["Fire doors"],
  };
  it.each([
    ["c", ["class:"]],
    ["has:a", ["has:alarm"]],
    ["-has:alarm,o", ["-has:alarm,order"]],
    ['x storey:"lev', ['x storey:"Level 1"']],
    ["-in:fi", ['-in:"Fire doors"']],
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
    expect(withAnySet(["A.Fire", "A.Load", "B.Fire"])).toEqual(["*.Fire", "A.Fire", "A.Load", "B.Fire"]);
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

describe("colours by value", () => {
  const valued = (values: readonly (string | null)[]): Valued[] => values.map((value, i) => ({ value, count: 100 - i, query: `S.N:${value ?? "none"}` }));

  it("give each of a few values its own, and what has none no colour", () => {
    expect(rulesByValue("S.N", valued(["REI 90", "EI 30", null]), "Other")).toEqual([
      { query: "S.N:EI 30", colour: "#d55e00", label: "EI 30" }, { query: "S.N:REI 90", colour: "#0072b2", label: "REI 90" },
    ]);
    expect(rulesByValue("S.N", valued([null]), "Other")).toEqual([]);
  });

  it("give the most frequent of many their own, and the rest one", () => {
    const rules = rulesByValue("S.N", valued(Array.from({ length: 20 }, (_, i) => `type ${20 - i}`)), "Other");
    expect(rules.map((one) => one.label)).toEqual(["type 14", "type 15", "type 16", "type 17", "type 18", "type 19", "type 20", "Other"]);
    expect(rules.at(-1)?.query).toBe("S.N:any");
    expect(new Set(rules.map((one) => one.colour)).size).toBe(8);
  });

  it("put numbers into classes of about as many elements each, every one in exactly one", () => {
    const areas = [1.5, 3.1, 4.8, 4.9, 5.2, 6.3, 6.7, 7.2, 7.5, 10.5, 10.7, 14.99, 18, 22, 230, 640];
    for (const numbers of [areas, areas.map((one) => -one), areas.map((one) => 20 + one / 1e5), areas.map((one) => one * 1e9)]) {
      const rules = rulesByValue("S.N", numbers.map((one, i) => ({ value: String(one), count: i < 4 ? 26 : 22, query: "" })), "Other");
      const holds = (query: string, number: number): boolean => query.split(" ").every((part) => {
        const found = /^S\.N(>=|<)(.+)$/.exec(part);
        return found?.[1] === "<" ? number < Number(found[2]) : number >= Number(found?.[2]);
      });
      const inside = rules.map((rule) => numbers.filter((one) => holds(rule.query, one)).length);
      expect([rules.length, new Set(rules.map((one) => one.colour)).size]).toEqual([7, 7]);
      expect(inside.reduce((sum, one) => sum + one, 0)).toBe(numbers.length);
      expect([Math.min(...inside) >= 1, Math.max(...inside) <= 5]).toEqual([true, true]);
    }
    expect(rulesByValue("S.N", areas.map((one) => ({ value: String(one), count: 1, query: "" })), "").map((one) => one.label).slice(0, 2)).toEqual(["< 4.8", "4.8 – 5.2"]);
    expect(["10", "9.5", "6.675", "6.1425"].toSorted(natural)).toEqual(["6.1425", "6.675", "9.5", "10"]);
  });

  it("ask for a value as it stands, and not for what only looks like asking", () => {
    expect([sameValue("REI 60"), sameValue(2.5), sameValue(-1), sameValue(true), sameValue("None"), sameValue(["a"]), sameValue(null), sameValue("")]).toEqual(['"REI 60"', "2.5", '"-1"', "true", '"None*"', null, null, null]);
  });
});

it("writes units as people do", () => {
  expect(["m2", "W/(m2·K)", "kg/m3", "mm", "°C", "H2O", "CO2e"].map(unitSign)).toEqual(["m²", "W/(m²·K)", "kg/m³", "mm", "°C", "H2O", "CO2e"]);
});
