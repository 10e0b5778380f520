/** Colour by value: which quantities a building offers, and the scale from value to colour. Pure. */
import type { Point } from "../../api/types";

export type Rgb = readonly [number, number, number];

/** One thing that the model can be coloured by: the same quantity, in the same unit, of rooms or of equipment. */
export interface Colouring {
  key: string;
  target: "room" | "equipment";
  /** Key of its name in the texts (`quantity.*`), or null: show `label`. */
  name: string | null;
  label: string;
  unit: string | null;
  kind: "number" | "bool" | "enum";
  /** Of an enum: its codes with their names, in the order of the codes. */
  states?: readonly { code: number; label: string }[];
  points: { handle: number; globalId: string }[];
}

/** Both scales can be told apart with every common colour blindness (viridis; ColorBrewer RdYlBu). */
const SCALES = {
  sequential: ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"],
  diverging: ["#313695", "#4575b4", "#74add1", "#abd9e9", "#e0f3f8", "#ffffbf", "#fee090", "#fdae61", "#f46d43", "#d73027", "#a50026"],
} as const;

/** For states that have no order: told apart with every common colour blindness (Okabe and Ito, without black). */
const STATES: readonly Rgb[] = [[0, 114, 178], [230, 159, 0], [0, 158, 115], [213, 94, 0], [86, 180, 233], [204, 121, 167], [240, 228, 66]];
/** What an enum says that is none of its named states, or beyond what can be told apart. */
export const OTHER: Rgb = [64, 70, 78];

/** The colour of a code of an enum. */
export function stateColour({ states }: Pick<Colouring, "states">, code: number): Rgb {
  return STATES[states?.findIndex((one) => one.code === code) ?? -1] ?? OTHER;
}

export type ScaleName = keyof typeof SCALES;

export const OFF: Rgb = [120, 134, 147];
export const ON: Rgb = [31, 158, 137];
/** "On" of what nobody wants to be on. */
export const ALERT: Rgb = [205, 45, 55];
const ALERTS = new Set(["fault", "smoke", "leak"]);
const FIRST = ["temperature", "co2", "humidity", "pm", "occupancy", "power"];

export const onColour = (colouring: Pick<Colouring, "name">): Rgb => (ALERTS.has(colouring.name ?? "") ? ALERT : ON);

export function scaleStops(name: ScaleName): readonly string[] {
  return SCALES[name];
}

export function scaleOf(colouring: Colouring): ScaleName {
  return colouring.name === "temperature" ? "diverging" : "sequential";
}

const STEPS = 257; // odd: the middle of a diverging scale is one of them
/** Every colour that a scale can give, made once: colouring thirty thousand elements makes none. */
const TABLES = new Map<ScaleName, readonly Rgb[]>();

function tableOf(scale: ScaleName): readonly Rgb[] {
  let table = TABLES.get(scale);
  if (!table) TABLES.set(scale, (table = Array.from({ length: STEPS }, (_, i) => between(SCALES[scale], i / (STEPS - 1)))));
  return table;
}

function between(stops: readonly string[], share: number): Rgb {
  const position = share * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(position));
  const a = parse(stops[i] ?? "#000000");
  const b = parse(stops[i + 1] ?? "#000000");
  const f = position - i;
  return [mix(a[0], b[0], f), mix(a[1], b[1], f), mix(a[2], b[2], f)];
}

/** Colour of `value` on the scale from `low` to `high`; beyond the limits it is that of the limit. */
export function colourOf(value: number, low: number, high: number, scale: ScaleName): Rgb {
  const span = high - low;
  const share = span > 0 ? Math.min(1, Math.max(0, (value - low) / span)) : 0.5;
  return tableOf(scale)[Math.round(share * (STEPS - 1))] as Rgb;
}

/** Steps of a scale in classes: as few as one can tell apart at a glance. */
export const CLASSES = 6;

/** Which class a value falls into, 0 to `CLASSES` - 1; what is beyond the limits falls into the first or last. */
export function classOf(value: number, low: number, high: number): number {
  const share = high > low ? (value - low) / (high - low) : 0.5;
  return Math.min(CLASSES - 1, Math.max(0, Math.floor(share * CLASSES)));
}

/** Limits and colour of each class, from the lowest up; the colour is that of its middle. */
export function classesOf(low: number, high: number, scale: ScaleName): { from: number; to: number; colour: Rgb }[] {
  const step = (high - low) / CLASSES;
  return Array.from({ length: CLASSES }, (_, i) => {
    // The first and the last take the ends of the scale, or six steps of it would never be quite cold or quite hot.
    const colour = colourOf(i, 0, CLASSES - 1, scale);
    return { from: low + i * step, to: low + (i + 1) * step, colour };
  });
}

export function classColour(value: number, low: number, high: number, scale: ScaleName): Rgb {
  return colourOf(classOf(value, low, high), 0, CLASSES - 1, scale);
}

function parse(hex: string): Rgb {
  const n = Number.parseInt(hex.slice(1), 16);
  return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
}

const mix = (a: number, b: number, f: number): number => Math.round(a + (b - a) * f);

/** Rows in order: the first that fits names the quantity. */
const NAMES: { name: string; brick?: RegExp; quantity?: RegExp; unit?: RegExp }[] = [
  { name: "fault", brick: /Fault|Failure/i },
  { name: "smoke", brick: /Smoke|Fire/i },
  { name: "leak", brick: /Leak|Water_Alarm/i },
  { name: "contact", brick: /Contact/i },
  { name: "co", brick: /(^|_)CO_/, quantity: /CarbonMonoxide/i },
  { name: "co2", brick: /CO2/i, quantity: /CO2|CarbonDioxide/i, unit: /^PPM$/ },
  { name: "humidity", brick: /Humidity/i, quantity: /Humidity/i, unit: /^PERCENT_RH$/ },
  { name: "temperature", brick: /Temperature/i, quantity: /Temperature/i, unit: /^(DEG_C|DEG_F|K)$/ },
  { name: "pm", brick: /PM2|PM10|Particulate/i, quantity: /Particulate|MassConcentration|MassDensity/i },
  { name: "occupancy", brick: /Occupan/i, quantity: /Occupan/i },
  { name: "energy", brick: /Energy/i, quantity: /Energy/i, unit: /(W-HR|W_HR)$/ },
  { name: "power", brick: /Power/i, quantity: /Power/i, unit: /^(KiloW|W|MegaW)$/ },
  { name: "illuminance", brick: /Illuminance|Luminance/i, quantity: /Illuminance/i, unit: /^LUX$/ },
  { name: "pressure", brick: /Pressure/i, quantity: /Pressure/i, unit: /^(PA|KiloPA|BAR|MegaPA)$/ },
  { name: "flow", brick: /Flow/i, quantity: /Flow/i },
  { name: "speed", brick: /Speed/i, quantity: /RotationalVelocity|RotationalSpeed/i },
  { name: "current", brick: /Current/i, quantity: /ElectricCurrent/i, unit: /^A$/ },
  { name: "voltage", brick: /Voltage/i, quantity: /Voltage|ElectricPotential/i, unit: /^V$/ },
  { name: "level", brick: /Level/i, quantity: /^Height|Level|Length/i, unit: /^(M|CentiM)$/ },
  { name: "volume", brick: /Usage|Volume/i, quantity: /^Volume$/ },
  { name: "position", brick: /Position/i },
  { name: "vibration", brick: /Vibration/i, quantity: /Vibration|Velocity/i },
  { name: "running", brick: /On_Off_Status|On_Status|Run_Status|Status|Enable/i },
];

export function quantityName(point: Pick<Point, "brick_class" | "quantity" | "unit">): string | null {
  const found = NAMES.find((row) =>
    (point.brick_class && row.brick?.test(point.brick_class)) ||
    (point.quantity && row.quantity?.test(point.quantity)) ||
    (!point.brick_class && !point.quantity && point.unit && row.unit?.test(point.unit)));
  return found?.name ?? null;
}

/** Where a point's value shows: its own mesh, or the room it measures. */
export interface Target {
  globalId: string;
  room: boolean;
}

export function colourings(points: readonly Point[], targetOf: (point: Point) => Target | null): Colouring[] {
  const found = new Map<string, Colouring>();
  for (const point of points) {
    // What is set says what somebody wants, not how things are.
    if ((point.kind !== "number" && point.kind !== "bool" && point.kind !== "enum") || point.writable) continue;
    if (point.kind === "enum" && statesOf(point).length === 0) continue; // bare codes say nothing
    const target = targetOf(point);
    if (!target) continue;
    const name = quantityName(point);
    const label = (point.brick_class ?? point.quantity ?? point.name).replaceAll("_", " ");
    const key = [target.room ? "room" : "equipment", name ?? label, unitKey(point)].join("|");
    const entry = found.get(key) ?? {
      key, target: target.room ? "room" : "equipment", name, label, unit: point.unit, kind: point.kind, points: [],
      ...(point.kind === "enum" ? { states: statesOf(point) } : {}),
    };
    entry.points.push({ handle: point.handle, globalId: target.globalId });
    found.set(key, entry);
  }
  const all = [...found.values()].filter((one) => one.points.length > 0);
  return all.sort((a, b) => rank(a) - rank(b) || b.points.length - a.points.length || a.key.localeCompare(b.key));
}

/** What tells two colourings of one quantity apart: a unit, or states, which mean the same only where they are called the same. */
function unitKey(point: Point): string {
  if (point.kind === "enum") return `enum ${statesOf(point).map(({ code, label }) => `${code}=${label}`).join()}`;
  return point.kind === "bool" ? "bool" : (point.unit ?? "");
}

function statesOf({ labels }: Pick<Point, "labels">): { code: number; label: string }[] {
  return Object.entries(labels ?? {}).map(([code, label]) => ({ code: Number(code), label })).toSorted((a, b) => a.code - b.code);
}

function rank(colouring: Colouring): number {
  const first = FIRST.indexOf(colouring.name ?? "");
  const place = first >= 0 ? first - 10 : NAMES.findIndex((row) => row.name === colouring.name);
  return (colouring.target === "room" ? 0 : 100) + (place === -1 ? 50 : place);
}

/** What is usual in rooms: so that a colour means the same on every day and in every building. */
const ROOM_LIMITS: Record<string, [number, number]> = {
  "temperature|DEG_C": [16, 30],
  "co2|PPM": [400, 1400],
  "humidity|PERCENT": [20, 80],
  "humidity|PERCENT_RH": [20, 80],
};

/** Limits to start with: the usual ones, or the span of the present values, rounded outwards. */
export function startLimits(colouring: Colouring, values: readonly number[]): [number, number] {
  const usual = colouring.target === "room" ? ROOM_LIMITS[`${colouring.name}|${colouring.unit}`] : undefined;
  if (usual) return usual;
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  const low = sorted[Math.floor(sorted.length * 0.02)] ?? 0;
  const high = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.98))] ?? 1;
  return niceSpan(low, high);
}

export function niceSpan(low: number, high: number): [number, number] {
  const span = high - low || Math.abs(high) || 1;
  const step = 10 ** Math.floor(Math.log10(span)) / 2;
  const round = (n: number): number => Number(n.toPrecision(12));
  return [round(Math.floor(low / step) * step), round(Math.max(Math.ceil(high / step) * step, Math.floor(low / step) * step + step))];
}

/** Mean of the points of each target; a bool counts as 0 or 1. Of states there is no mean: the greatest code speaks. */
export function targetValues(colouring: Colouring, valueOf: (handle: number) => number | null): Map<string, number> {
  const means = new Map<string, number>();
  let counts: Map<string, number> | null = null; // most targets have one point
  for (const { handle, globalId } of colouring.points) {
    const value = valueOf(handle);
    if (value === null) continue;
    const mean = means.get(globalId);
    if (mean === undefined) {
      means.set(globalId, value);
      continue;
    }
    if (colouring.kind === "enum") {
      means.set(globalId, Math.max(mean, value));
      continue;
    }
    counts ??= new Map();
    const n = (counts.get(globalId) ?? 1) + 1;
    counts.set(globalId, n);
    means.set(globalId, mean + (value - mean) / n);
  }
  return means;
}

/** How many targets there are, and how many of them have a value: told often, of very many. */
export class Tally {
  readonly all: number;
  readonly #handles: Uint32Array;
  /** Of each handle, the number of its target. */
  readonly #target: Uint32Array;

  constructor({ points }: Colouring) {
    const numbers = new Map<string, number>();
    for (const { globalId } of points) if (!numbers.has(globalId)) numbers.set(globalId, numbers.size);
    this.all = numbers.size;
    this.#handles = Uint32Array.from(points, ({ handle }) => handle);
    this.#target = Uint32Array.from(points, ({ globalId }) => numbers.get(globalId) as number);
  }

  withValue(valueOf: (handle: number) => number | null): number {
    const seen = new Uint8Array(this.all);
    this.#handles.forEach((handle, i) => {
      if (valueOf(handle) !== null) seen[this.#target[i] as number] = 1;
    });
    return seen.reduce((sum, one) => sum + one, 0);
  }
}

/** How a quantity is drawn. */
export interface Scheme {
  limits: readonly [number, number];
  classes: boolean;
}

/**
 * The colour of every target that has a value; null, hatched, for those that have none: no value is not the same as
 * nothing to measure.
 */
export function coloursOf(colouring: Colouring, values: ReadonlyMap<string, number>, { limits, classes }: Scheme): Map<string, Rgb | null> {
  const scale = scaleOf(colouring);
  const [low, high] = limits;
  const on = onColour(colouring);
  const colours = new Map<string, Rgb | null>();
  for (const { globalId } of colouring.points) {
    const value = values.get(globalId);
    if (value === undefined) colours.set(globalId, null);
    else if (colouring.kind === "bool") colours.set(globalId, value > 0.5 ? on : OFF);
    else if (colouring.kind === "enum") colours.set(globalId, stateColour(colouring, value));
    else colours.set(globalId, classes ? classColour(value, low, high, scale) : colourOf(value, low, high, scale));
  }
  return colours;
}

/** Later minus earlier, of every target that has both. */
export function differences(earlier: ReadonlyMap<string, number>, later: ReadonlyMap<string, number>): Map<string, number> {
  const found = new Map<string, number>();
  for (const [globalId, value] of later) {
    const before = earlier.get(globalId);
    if (before !== undefined) found.set(globalId, value - before);
  }
  return found;
}

/** How far a scale of differences goes to either side: nearly all of them lie within, the middle is "the same". */
export function differenceLimit(values: Iterable<number>): number {
  const sizes = [...values].map(Math.abs).filter(Number.isFinite).toSorted((a, b) => a - b);
  const most = sizes[Math.min(sizes.length - 1, Math.floor(sizes.length * 0.98))] ?? 0;
  return most > 0 ? niceSpan(0, most)[1] : 1;
}

/** Less is blue, more is red, the same is pale; what has no value at one of the moments is hatched. */
export function differenceColours(colouring: Colouring, values: ReadonlyMap<string, number>, limit: number): Map<string, Rgb | null> {
  return new Map(colouring.points.map(({ globalId }) => {
    const value = values.get(globalId);
    return [globalId, value === undefined ? null : colourOf(value, -limit, limit, "diverging")] as const;
  }));
}

const [NONE, IS_ON, IS_OFF, FIRST_STATE] = [STEPS, STEPS + 1, STEPS + 2, STEPS + 3];

/**
 * Follows the values of a colouring: what has another colour than when it was asked last. A tick that changes a third
 * of thirty thousand elements costs what that third costs, not thirty thousand new entries of a map.
 */
export class Painter {
  readonly #ids: string[];
  /** Handles of target `i`: from `#first[i]` to `#first[i + 1]`. */
  readonly #handles: Uint32Array;
  readonly #first: Uint32Array;
  /** Of each handle. */
  readonly #targets = new Map<number, number[]>();
  readonly #codes: Int16Array;
  readonly #colours: readonly (Rgb | null)[];

  constructor(readonly colouring: Colouring, readonly scheme: Scheme) {
    const grouped = new Map<string, number[]>();
    for (const { handle, globalId } of colouring.points) {
      const known = grouped.get(globalId);
      if (known) known.push(handle);
      else grouped.set(globalId, [handle]);
    }
    this.#ids = [...grouped.keys()];
    this.#handles = Uint32Array.from([...grouped.values()].flat());
    this.#first = new Uint32Array(this.#ids.length + 1);
    let at = 0;
    [...grouped.values()].forEach((handles, i) => {
      this.#first[i + 1] = at += handles.length;
      for (const handle of handles) this.#targets.set(handle, [...(this.#targets.get(handle) ?? []), i]);
    });
    this.#codes = new Int16Array(this.#ids.length).fill(-1);
    this.#colours = [...tableOf(scaleOf(colouring)), null, onColour(colouring), OFF, ...STATES, OTHER];
  }

  /** Everything at the first call, then what has changed; `handles`: only their targets are looked at. */
  changed(valueOf: (handle: number) => number | null, handles?: readonly number[]): Map<string, Rgb | null> {
    const found = new Map<string, Rgb | null>();
    const look = (i: number): void => {
      const code = this.#code(i, valueOf);
      if (code === this.#codes[i]) return;
      this.#codes[i] = code;
      found.set(this.#ids[i] as string, this.#colours[code] as Rgb | null);
    };
    if (handles) for (const handle of handles) for (const i of this.#targets.get(handle) ?? []) look(i);
    else for (let i = 0; i < this.#ids.length; i++) look(i);
    return found;
  }

  #code(i: number, valueOf: (handle: number) => number | null): number {
    let [sum, n, most] = [0, 0, -Infinity];
    for (let k = this.#first[i] as number; k < (this.#first[i + 1] as number); k++) {
      const value = valueOf(this.#handles[k] as number);
      if (value === null) continue;
      sum += value;
      n++;
      if (value > most) most = value;
    }
    if (n === 0) return NONE;
    if (this.colouring.kind === "enum") {
      const state = this.colouring.states?.findIndex((one) => one.code === most) ?? -1;
      return FIRST_STATE + (state < 0 ? STATES.length : Math.min(state, STATES.length));
    }
    if (this.colouring.kind === "bool") return sum / n > 0.5 ? IS_ON : IS_OFF;
    const [low, high] = this.scheme.limits;
    const share = this.scheme.classes ? classOf(sum / n, low, high) / (CLASSES - 1) : high > low ? (sum / n - low) / (high - low) : 0.5;
    return Math.round(Math.min(1, Math.max(0, share)) * (STEPS - 1));
  }
}
