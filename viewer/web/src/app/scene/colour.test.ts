import { expect, test } from "vitest";
import { colourOf, coloursOf, differenceColours, differenceLimit, differences, Painter, scaleStops, targetValues, type Colouring } from "./colour";

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
