import { expect, test } from "vitest";
import type { Box } from "../../engine";
import { classColour, classesOf, classOf, colourOf } from "../scene/colour";
import { edgeLines, flowLines, joint } from "./flow";
import { fitted, moved, parseFrame, written, zoomed } from "./plan-view";
import { isForToday, joinedRound, stopsOf } from "./round";
import { legAt, legs, storeyAt, told } from "./route";
import type { Brief, Reached, RoundAnswer, RouteAnswer } from "./types";
import type { WorkOrder } from "../../api/types";
import { headingAt, turned, walkView } from "./walk";

const brief = (id: string): Brief => ({ id, global_id: id.toUpperCase(), ifc_class: "IfcPipeSegment", name: id, storey_id: null, space_id: null });
const box = (x0: number, x1: number, y0 = 0, y1 = 0.2): Box => ({ min: [x0, y0, 0], max: [x1, y1, 0.2] });
const BOXES: Record<string, Box> = { A: box(0, 10), B: box(10, 20), D: box(19.8, 20, 0, 8) };
const boxOf = (id: string): Box | null => BOXES[id] ?? null;
const reached = (id: string, distance: number, via: string[]): Reached => ({ element: brief(id), distance, via });

test("a line follows the pipes through where they touch", () => {
  expect(joint(box(0, 10), box(10, 20))).toEqual([[5, 0.1, 0.1], [10, 0.1, 0.1], [15, 0.1, 0.1]]);
});

test("flow goes away from the start downstream and towards it upstream, and passes over what has no shape", () => {
  const items = [reached("b", 1, ["a"]), reached("c", 2, ["b"]), reached("d", 3, ["c"])];
  const down = flowLines(brief("a"), items, boxOf, false);
  expect(down.map((line) => [line.points[0], line.points.at(-1)])).toEqual([
    [[5, 0.1, 0.1], [15, 0.1, 0.1]], [[15, 0.1, 0.1], [19.9, 4, 0.1]],
  ]);
  expect(down[1]?.from).toBeCloseTo(10);
  const up = flowLines(brief("a"), items, boxOf, true);
  expect(up[0]?.points.at(-1)).toEqual([5, 0.1, 0.1]);
  expect(up[0]?.from).toBeCloseTo(-10);
});

test("a system's edges become lines where both ends have a shape", () => {
  const members = ["a", "b", "c"].map(brief);
  expect(edgeLines(members, [{ from: "a", to: "b" }, { from: "b", to: "c" }], boxOf)).toHaveLength(1);
});

const ROUTE: RouteAnswer = {
  polyline: [[0, 0, 0], [10, 0, 0], [10, 0.3, 0], [10, 4, 3], [14, 4, 3]], length: 19, seconds: 20, storeys: [], doors: [],
  steps: [
    { kind: "walk", storey: "ground", points: [[0, 0, 0], [10, 0, 0]], length: 10, seconds: 8 },
    { kind: "walk", points: [[10, 0, 0], [10, 0.3, 0]], length: 0.3, seconds: 1 },
    { kind: "stair", from_index: 2, to_index: 3, length: 4.8, seconds: 9 },
    { kind: "walk", storey: "first", points: [[10, 4, 3], [14, 4, 3]], length: 4, seconds: 3 },
  ],
};

test("steps cover the route, know their rise and the storey one is on", () => {
  const all = legs(ROUTE);
  expect(all[0]?.to).toBeCloseTo(10);
  expect(all.map((leg) => leg.rise)).toEqual([0, 0, 1, 0]);
  expect(legAt(all, 12)).toBe(2);
  expect(legAt(all, 99)).toBe(3);
  expect([storeyAt(all, 1), storeyAt(all, 12), storeyAt(all, 18)]).toEqual(["ground", "ground", "first"]);
  expect(told(all)).toHaveLength(3);
});

test("one looks where one walks, and turns the short way", () => {
  expect(headingAt(ROUTE.polyline, 1, 9)).toBeCloseTo(0);
  expect(headingAt([[0, 0, 0], [0, 0, 5]], 1, 9)).toBe(9);
  expect(turned(3, -3, 0.5)).toBeCloseTo(Math.PI, 5);
  expect(walkView(ROUTE.polyline, 5, 0, "own")?.eye).toEqual([5, 0, 1.6]);
  expect(walkView([], 5, 0, "own")).toBeNull();
});

test("classes share the scale out evenly and keep its ends", () => {
  const all = classesOf(16, 28, "diverging");
  expect(all.map((one) => one.from)).toEqual([16, 18, 20, 22, 24, 26]);
  expect([15, 16, 17.9, 18, 27.9, 99].map((value) => classOf(value, 16, 28))).toEqual([0, 0, 0, 1, 5, 5]);
  expect(all[0]?.colour).toEqual(colourOf(0, 0, 1, "diverging"));
  expect(all[5]?.colour).toEqual(classColour(28, 16, 28, "diverging"));
});

test("a sheet is zoomed where one points, moved but not lost, and fitted whole", () => {
  const whole = parseFrame("0 0 420 297");
  const near = zoomed(whole, whole, 0.5, 0.25, 1);
  expect(near).toEqual({ x: 52.5, y: 148.5, width: 210, height: 148.5 });
  expect(moved(near, whole, -99, 0).x).toBe(420 - 105);
  expect(fitted(whole, 1)).toEqual({ x: 0, y: -61.5, width: 420, height: 420 });
  expect(written(near)).toBe("52.500 148.500 210.000 148.500");
});

const order = (id: string, part: Partial<WorkOrder> = {}): WorkOrder => ({ id, title: id, state: "assigned", element_id: null, space_id: null, due_at: null, storey: null, space: null, element: null, ...part }) as WorkOrder;

test("orders at one place are one stop, and those without a place are told apart", () => {
  const { stops, nowhere } = stopsOf([order("a", { element_id: "pump", space_id: "room", element: "Pump" }), order("b", { space_id: "room", space: "Room" }), order("c", { element_id: "pump" }), order("d")]);
  expect(stops.map((stop) => [stop.place, stop.name, stop.orders.map((one) => one.id)])).toEqual([["pump", "Pump", ["a", "c"]], ["room", "Room", ["b"]]]);
  expect(nowhere.map((one) => one.id)).toEqual(["d"]);
});

test("today is what is in hand, late, or due before midnight", () => {
  const now = new Date(2026, 10, 22, 9).getTime();
  const at = (day: number, hour: number): string => new Date(2026, 10, day, hour).toISOString();
  const all = [order("late", { due_at: at(20, 9) }), order("evening", { due_at: at(22, 23) }), order("tomorrow", { due_at: at(23, 1) }), order("whenever"), order("in hand", { state: "in_progress" }), order("done", { state: "done", due_at: at(22, 10) })];
  expect(all.filter((one) => isForToday(one, now)).map((one) => one.id)).toEqual(["late", "evening", "in hand"]);
});

test("the legs of a round are one line, and every step knows its leg", () => {
  const leg = (from: number, to: number): RoundAnswer["legs"][number] => ({ start: brief("s"), end: brief("e"), route: {
    polyline: [[from, 0, 0], [to, 0, 0]], length: to - from, seconds: 1, storeys: [{ id: "g", name: "G", elevation: 0 }], doors: [brief("d")],
    steps: [{ kind: "start", from_index: 0, to_index: 1, length: to - from, seconds: 1 }, { kind: "arrive", from_index: 1, to_index: 1, length: 0, seconds: 0 }],
  } });
  const { route, legOf } = joinedRound({ stops: ["x", "y"], left_out: [], legs: [leg(0, 4), leg(4, 10), leg(11, 12)], length: 11, seconds: 3, saved: 0 });
  expect(route.polyline.map((point) => point[0])).toEqual([0, 4, 10, 11, 12]);
  expect(route.steps.map((step) => [legOf.get(step), step.from_index, step.to_index])).toEqual([[0, 0, 1], [0, 1, 1], [1, 1, 2], [1, 2, 2], [2, 3, 4], [2, 4, 4]]);
  expect([route.storeys.length, route.doors.length]).toEqual([1, 1]);
  const along = legs(route);
  expect(along.at(-1)?.to).toBeCloseTo(12);
});
