/** A first dashboard made of what a building has: its temperatures, meters, alarms and picture. Pure. */
import type { Point, Tree } from "../../api/types";
import { quantityName, type Colouring } from "../scene/colour";
import { isCounter } from "./comparison";
import { freePlace, widened } from "./grid";
import type { Kind, Layout, Widget } from "./types";

/** Columns and rows that a widget starts with. */
export const SIZES: Record<Kind, readonly [number, number]> = {
  value: [3, 2], gauge: [3, 3], light: [3, 2], chart: [6, 4], comparison: [4, 4], table: [4, 4], alarms: [4, 4], orders: [4, 4], scene: [6, 6], plan: [6, 5], clock: [3, 2], text: [4, 2],
};

const BIG = ["power", "temperature", "co2", "humidity", "pressure", "flow", "level", "pm"];

/** A name that no widget of the dashboard has. */
export function freeId(widgets: readonly { id: string }[], kind: Kind): string {
  for (let n = 1; ; n++) if (!widgets.some((one) => one.id === `${kind}${n}`)) return `${kind}${n}`;
}

type Bare = Widget extends infer W ? (W extends Widget ? Omit<W, "id" | "x" | "y" | "w" | "h" | "title"> & { title?: string } : never) : never;

function add(layout: Layout, bare: Bare, size: readonly [number, number] = SIZES[bare.kind]): Layout {
  const [w, h] = size;
  return { widgets: [...layout.widgets, { title: "", ...bare, id: freeId(layout.widgets, bare.kind), ...freePlace(layout.widgets, w, h), w, h }] };
}

/** `points` of the building, retired ones left out; `known`: what the model can be coloured by. */
export function fromBuilding(points: readonly Point[], known: readonly Colouring[], tree: Tree | null, titles: { temperatures: string; use: string }): Layout {
  const living = points.filter((point) => !point.retired_at);
  const numbers = living.filter((point) => point.kind === "number" && !point.writable);
  const room = known.find((one) => one.target === "room" && one.kind === "number") ?? known[0];
  let layout: Layout = { widgets: [] };
  if (tree && tree.elements > 0) layout = add(layout, { kind: "scene", storey: null, quantity: room?.key ?? "", view: "" });
  layout = add(layout, { kind: "alarms" }, [3, 6]);
  layout = add(layout, { kind: "clock" }, [3, 2]);
  layout = add(layout, { kind: "orders" }, [3, 4]);
  for (const name of BIG) {
    const found = numbers.find((point) => quantityName(point) === name && !isCounter(point));
    if (found && layout.widgets.filter((one) => one.kind === "value").length < 4) layout = add(layout, { kind: "value", point: found.key, low: null, high: null });
  }
  const ofRooms = new Set(known.find((one) => one.target === "room" && one.name === "temperature")?.points.map((one) => one.handle));
  const all = numbers.filter((point) => quantityName(point) === "temperature");
  const temperatures = (ofRooms.size > 0 ? all.filter((point) => ofRooms.has(point.handle)) : all).slice(0, 6);
  if (temperatures.length > 0) layout = add(layout, { kind: "chart", points: temperatures.map((point) => point.key), span: "day", title: titles.temperatures });
  const meters = numbers.filter(isCounter).slice(0, 5);
  if (meters.length > 0) layout = add(layout, { kind: "comparison", points: meters.map((point) => point.key), span: "day", title: titles.use }, [6, 4]);
  const storey = tree?.storeys.find((one) => one.id !== null && one.spaces.length > 0);
  if (storey && room?.target === "room") layout = add(layout, { kind: "plan", storey: storey.id, quantity: room.key, view: "" });
  return { widgets: widened(layout.widgets) };
}

/** A new widget at the first free place, pointing at something that there is. */
export function fresh(layout: Layout, kind: Kind, points: readonly Point[]): Layout {
  const numbers = points.filter((point) => !point.retired_at && point.kind === "number");
  const first = (kind === "light" ? points.find((point) => point.kind === "bool" && !point.retired_at) : null) ?? numbers[0] ?? points[0];
  const several = (kind === "comparison" ? numbers.filter(isCounter) : numbers).slice(0, 3);
  const keys = (several.length > 0 ? several : first ? [first] : []).map((point) => point.key);
  switch (kind) {
    case "value":
    case "gauge":
    case "light":
      return first ? add(layout, { kind, point: first.key, low: null, high: null }) : layout;
    case "chart":
    case "comparison":
    case "table":
      return keys.length > 0 ? add(layout, { kind, points: keys, span: "day" }) : layout;
    case "plan":
    case "scene":
      return add(layout, { kind, storey: null, quantity: "", view: "" });
    case "text":
      return add(layout, { kind, text: "# …" });
    default:
      return add(layout, { kind });
  }
}

const FORMAT = "twin-dashboard";

/** A dashboard as a file that another building or server takes. */
export const written = (name: string, layout: Layout): string => `${JSON.stringify({ format: FORMAT, version: 1, name, layout }, null, 2)}\n`;

/** What such a file holds; the server says what is wrong with the widgets. Null: it is no such file. */
export function parsed(text: string): { name: string; layout: Layout } | null {
  try {
    const file = JSON.parse(text) as { format?: unknown; name?: unknown; layout?: { widgets?: unknown } };
    if (file.format !== FORMAT || typeof file.name !== "string" || !Array.isArray(file.layout?.widgets)) return null;
    return { name: file.name, layout: { widgets: file.layout.widgets as Widget[] } };
  } catch {
    return null;
  }
}

/** `name`, or that with a number where somebody has it already. */
export function freeName(name: string, taken: readonly string[]): string {
  for (let n = 1; ; n++) {
    const tried = n === 1 ? name : `${name.slice(0, 190)} (${n})`;
    if (!taken.includes(tried)) return tried;
  }
}
