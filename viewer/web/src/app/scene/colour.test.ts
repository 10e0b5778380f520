import { expect, test } from "vitest";
import { colourings, colourOf, coloursOf, differenceColours, differenceLimit, differences, OTHER, Painter, scaleStops, stateColour, Tally, targetValues, type Colouring } from "./colour";

const colouring = (points: { handle: number; globalId: string }[], more: Partial<Colouring> = {}): Colouring =>
  ({ key: "k", target: "room", name: "temperature", label: "t", unit: "DEG_C", kind: "number", points, ...more });
const ROOMS = colouring([{ handle: 1, globalId: "a" }, { handle: 2, globalId: "a" }, { handle: 3, globalId: "b" }, { handle: 4, globalId: "c" }]);
const VALUES: Record<number, number> = { 1: 20, 2: 24, 3: 30 };

test("a room with two sensors shows their mean, one without a value is hatched", () => {
  const values = targetValues(ROOMS, (handle) => VALUES[handle] ?? null);
  expect([...values]).toEqual([["a", 22], ["b", 30]]);
  const colours = coloursOf(ROOMS, values, { limits: [16, 30], classes: false });
  expect(colours.get("b")).toEqual([165, 0, 38]); // the end of the scale
  expect(colours.get("c")).toBeNull();
});

test("a painter says at first everything, then what has another colour, and agrees with the whole", () => {
  for (const classes of [false, true]) {
    const scheme = { limits: [16, 30] as const, classes };
    const painter = new Painter(ROOMS, scheme);
    const valueOf = (handle: number): number | null => VALUES[handle] ?? null;
    expect(painter.changed(valueOf)).toEqual(coloursOf(ROOMS, targetValues(ROOMS, valueOf), scheme));
    expect(painter.changed(valueOf).size).toBe(0);
    const later = (handle: number): number | null => (handle === 3 ? null : handle === 4 ? 17 : valueOf(handle));
    expect(painter.changed(later)).toEqual(new Map([["b", null], ["c", coloursOf(ROOMS, new Map([["c", 17]]), scheme).get("c")]]));
  }
  const pumps = colouring([{ handle: 1, globalId: "p" }], { kind: "bool", name: "running" });
  const scheme = { limits: [0, 1] as const, classes: false };
  expect(new Painter(pumps, scheme).changed(() => 1)).toEqual(coloursOf(pumps, new Map([["p", 1]]), scheme));
});

test("a painter that is told what changed looks at nothing else, and at all points of its target", () => {
  const painter = new Painter(ROOMS, { limits: [16, 30], classes: false });
  painter.changed((handle) => VALUES[handle] ?? null);
  const asked: number[] = [];
  const later = (handle: number): number => {
    asked.push(handle);
    return 17;
  };
  const found = painter.changed(later, [2, 99]);
  expect([...found.keys()]).toEqual(["a"]);
  expect(asked).toEqual([1, 2]);
});

test("targets and those of them that have a value are counted, each once", () => {
  const tally = new Tally(ROOMS);
  expect([tally.all, tally.withValue((handle) => VALUES[handle] ?? null), tally.withValue(() => null)]).toEqual([3, 2, 0]);
});

const MODES = [{ code: 0, label: "off" }, { code: 2, label: "heating" }, { code: 5, label: "cooling" }];

test("states of an enum have a colour each, an unknown one the colour of none, and the painter agrees", () => {
  const modes = colouring([1, 2, 3, 4].map((handle) => ({ handle, globalId: `u${handle}` })), { kind: "enum", name: null, unit: null, states: MODES });
  const scheme = { limits: [0, 1] as const, classes: false };
  const valueOf = (handle: number): number | null => [0, 5, 9, null][handle - 1] ?? null;
  const colours = coloursOf(modes, targetValues(modes, valueOf), scheme);
  expect([...colours.values()]).toEqual([stateColour(modes, 0), stateColour(modes, 5), OTHER, null]);
  expect(new Set([...colours.values()].map(String)).size).toBe(4);
  expect(new Painter(modes, scheme).changed(valueOf)).toEqual(colours);
  const two = colouring([{ handle: 1, globalId: "u" }, { handle: 2, globalId: "u" }], { kind: "enum", name: null, states: MODES });
  expect(targetValues(two, (handle) => (handle === 1 ? 2 : 0)).get("u")).toBe(2); // never a state between two
});

test("enums are coloured together where their states are called the same, and not at all without names", () => {
  const point = (handle: number, labels: Record<string, string> | null): Parameters<typeof colourings>[0][number] =>
    ({ handle, kind: "enum", labels, brick_class: "Mode_Status", quantity: null, unit: null, name: "m", writable: false }) as unknown as Parameters<typeof colourings>[0][number];
  const [a, b] = [{ 0: "off", 1: "on" }, { 0: "day", 1: "night" }];
  const found = colourings([point(1, a), point(2, a), point(3, b), point(4, null)], (one) => ({ globalId: String(one.handle), room: false }));
  expect(found.map((one) => one.points.length)).toEqual([2, 1]);
  expect(found[0]?.states).toEqual([{ code: 0, label: "off" }, { code: 1, label: "on" }]);
});

test("the change of a value is pale where it is none, and as strong to either side", () => {
  const changed = differences(new Map([["a", 20], ["b", 20], ["gone", 1]]), new Map([["a", 20], ["b", 24], ["new", 9]]));
  expect([...changed]).toEqual([["a", 0], ["b", 4]]);
  expect(differenceLimit(changed.values())).toBe(4);
  expect(differenceLimit([])).toBe(1);
  const colours = differenceColours(ROOMS, changed, 4);
  expect(colours.get("a")).toEqual(colourOf(0.5, 0, 1, "diverging"));
  expect(colours.get("b")).toEqual([165, 0, 38]);
  expect(colours.get("c")).toBeNull();
});

/** sRGB as somebody without one kind of cone sees it (Viénot, Brettel and Mollon 1999), as luminance and one hue. */
function seen([r, g, b]: readonly number[], kind: "protan" | "deutan"): [number, number, number] {
  const linear = [r, g, b].map((c) => ((c ?? 0) / 255) ** 2.2) as [number, number, number];
  const [p, q] = kind === "protan" ? [0.11238, 0.88762] : [0.29275, 0.70725];
  const yellow = p * linear[0] + q * linear[1];
  return [yellow, yellow, linear[2]].map((c) => 100 * Math.max(0, c) ** (1 / 2.4)) as [number, number, number];
}

test("any two states stay apart for who sees no red or no green", () => {
  const states = Array.from({ length: 8 }, (_, code) => ({ code, label: String(code) }));
  const all = states.map(({ code }) => stateColour({ states }, code));
  expect(all[7]).toEqual(OTHER);
  for (const kind of ["protan", "deutan"] as const) {
    for (let i = 0; i < all.length; i++) for (let j = 0; j < i; j++) {
      const [a, b] = [seen(all[i] ?? [], kind), seen(all[j] ?? [], kind)];
      expect(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]), `${i} ${j} ${kind}`).toBeGreaterThan(9);
    }
  }
});

test("neighbours of both scales stay apart for who sees no red or no green", () => {
  for (const scale of ["sequential", "diverging"] as const) {
    const stops = scaleStops(scale).map((_, i, all) => colourOf(i, 0, all.length - 1, scale));
    for (const kind of ["protan", "deutan"] as const) {
      for (let i = 1; i < stops.length; i++) {
        const [a, b] = [seen(stops[i - 1] ?? [], kind), seen(stops[i] ?? [], kind)];
        expect(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]), `${scale} ${i} ${kind}`).toBeGreaterThan(4);
      }
    }
  }
});
