/** How differences look in 3D. Pure. */
import type { Rgb } from "../issues/view";
import type { Counts, DiffItem, Kind } from "./queries";

/** Ends the ids of what only the earlier version has: its tiles lie over the building's own. */
export const GONE = "~";

export const COLOURS: Record<Kind, Rgb> = {
  added: [46, 160, 67],
  removed: [207, 34, 46],
  changed: [240, 163, 10],
  moved: [240, 163, 10],
  rekeyed: [150, 160, 170],
};
export const KINDS: readonly Kind[] = ["added", "removed", "changed", "moved", "rekeyed"];

/** The id that the building's own tiles know an element by. */
export const plainId = (globalId: string): string => (globalId.endsWith(GONE) ? globalId.slice(0, -GONE.length) : globalId);

export interface Picture {
  colours: Map<string, Rgb>;
  /** Elements that only the earlier version's tiles have. */
  removed: Set<string>;
  /** Storeys on which they were; null is none. */
  storeys: Set<string | null>;
}

/** Green what came, red what went, amber what is different; another GlobalId alone is nothing to see. */
export function pictureOf(items: readonly Pick<DiffItem, "kind" | "global_id" | "storey_id">[]): Picture {
  const picture: Picture = { colours: new Map(), removed: new Set(), storeys: new Set() };
  for (const item of items) {
    if (item.kind === "rekeyed") continue;
    if (item.kind === "removed") {
      picture.removed.add(item.global_id);
      picture.storeys.add(item.storey_id);
      picture.colours.set(item.global_id + GONE, COLOURS.removed);
    } else picture.colours.set(item.global_id, COLOURS[item.kind]);
  }
  return picture;
}

export const total = (counts: Counts): number => KINDS.reduce((sum, kind) => sum + counts[kind], 0);

/** A value before or after, short enough for a table. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
