/** A round of several orders: what is visited, and its ways joined to one line. Pure. */
import type { Vec3, WorkOrder } from "../../api/types";
import { placeParts } from "../lib/place";
import type { RoundAnswer, RouteAnswer, RouteStep } from "./types";

export const MOST = 30; // stops, as the server allows

/** A place of the round, with everything that is to be done there. */
export interface RoundStop {
  /** Server id of the element or room. */
  place: string;
  name: string;
  orders: readonly WorkOrder[];
}

/** Where an order takes one: its element, else its room; null: somewhere in the building. */
export const placeOf = (order: Pick<WorkOrder, "element_id" | "space_id">): string | null => order.element_id ?? order.space_id;

/** Several orders at one place are one stop. In the order in which they were given. */
export function stopsOf(orders: readonly WorkOrder[]): { stops: RoundStop[]; nowhere: WorkOrder[] } {
  const stops = new Map<string, RoundStop>();
  const nowhere: WorkOrder[] = [];
  for (const order of orders) {
    const place = placeOf(order);
    if (place === null) {
      nowhere.push(order);
      continue;
    }
    const known = stops.get(place);
    stops.set(place, known ? { ...known, orders: [...known.orders, order] } : { place, name: nameOf(order), orders: [order] });
  }
  return { stops: [...stops.values()], nowhere };
}

function nameOf(order: WorkOrder): string {
  return placeParts(order).at(-1) ?? order.title;
}

/** In hand, late, or due by the end of the day of the clock on the wall. */
export function isForToday(order: Pick<WorkOrder, "state" | "due_at">, now: number): boolean {
  if (order.state === "in_progress") return true;
  if (!["open", "assigned"].includes(order.state) || !order.due_at) return false;
  return Date.parse(order.due_at) <= new Date(now).setHours(23, 59, 59, 999);
}

/** The legs of a round as one route; `legOf` says which leg a step is of. */
export interface JoinedRound {
  route: RouteAnswer;
  legOf: ReadonlyMap<RouteStep, number>;
}

export function joinedRound(round: RoundAnswer): JoinedRound {
  const polyline: Vec3[] = [];
  const steps: RouteStep[] = [];
  const legOf = new Map<RouteStep, number>();
  const [storeys, doors] = [new Map<string, RouteAnswer["storeys"][number]>(), new Map<string, RouteAnswer["doors"][number]>()];
  for (const [i, { route }] of round.legs.entries()) {
    const [last, first] = [polyline.at(-1), route.polyline[0]];
    const meets = last && first && last.every((value, axis) => value === first[axis]);
    const offset = polyline.length - (meets ? 1 : 0);
    polyline.push(...route.polyline.slice(meets ? 1 : 0));
    for (const step of route.steps) {
      const moved = { ...step, from_index: (step.from_index ?? 0) + offset, to_index: (step.to_index ?? 0) + offset };
      steps.push(moved);
      legOf.set(moved, i);
    }
    for (const storey of route.storeys) storeys.set(storey.id, storey);
    for (const door of route.doors) doors.set(door.id, door);
  }
  return { route: { polyline, steps, length: round.length, seconds: round.seconds, storeys: [...storeys.values()], doors: [...doors.values()] }, legOf };
}
