/** Which panel is on which side, and which is on top there. Pure. */
import type { Layout } from "./layout";

export const PANELS = ["building", "inspector", "plan", "alarms", "trend"] as const;
export type PanelName = (typeof PANELS)[number];
export const SIDES = ["left", "right", "bottom"] as const;
export type Side = (typeof SIDES)[number];
/** The plan has a column of its own beside the model until it is moved. */
export type Place = Side | "beside" | "closed";

export const AT_FIRST: Record<PanelName, Place> = { building: "left", inspector: "right", plan: "beside", alarms: "closed", trend: "closed" };

export const placeOf = (layout: Layout, panel: PanelName): Place => layout.panels?.[panel] ?? AT_FIRST[panel];

/** The panels of a side in their order; of `present` those that have something to show. */
export const panelsOf = (layout: Layout, side: Place, present: ReadonlySet<PanelName>): PanelName[] => PANELS.filter((one) => present.has(one) && placeOf(layout, one) === side);

/** Which of the panels of a side is seen: the one put on top, else the first. */
export function frontOf(layout: Layout, side: Side, panels: readonly PanelName[]): PanelName | null {
  return panels.find((one) => one === layout.front?.[side]) ?? panels[0] ?? null;
}

/** A panel moved to a side lies on top there. */
export const movedTo = (panel: PanelName, place: Place): Layout => ({ panels: { [panel]: place }, ...(place === "beside" || place === "closed" ? {} : { front: { [place]: panel } }) });

/** Everything where it is at first. */
export const RESET: Layout = { panels: { ...AT_FIRST }, front: { left: "building", right: "inspector" } };

/** Where a panel goes that is let go at a point of the view; null: it stays. Fractions of its width and height. */
export function dropSide(x: number, y: number): Side | null {
  if (x < 0 || x > 1 || y < 0 || y > 1) return null;
  if (y > 0.7 && x > 0.22 && x < 0.78) return "bottom";
  return x < 0.3 ? "left" : x > 0.7 ? "right" : null;
}
