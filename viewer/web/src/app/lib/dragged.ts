/**
 * What is dragged into a chart. `application/x-twin-points` is a JSON list of point ids; `application/x-twin-elements` one of
 * GlobalIds, whose points are meant (a tree does not know them before they are dropped).
 */

export const POINTS = "application/x-twin-points";
export const ELEMENTS = "application/x-twin-elements";

export interface Dragged {
  readonly points: readonly string[];
  readonly elements: readonly string[];
}

/** Gives a drag what it carries, on `dragstart`. */
export function carry(transfer: DataTransfer, what: Partial<Dragged>): void {
  if (what.points) transfer.setData(POINTS, JSON.stringify(what.points));
  if (what.elements) transfer.setData(ELEMENTS, JSON.stringify(what.elements));
  transfer.effectAllowed = "copy";
}

/** Whether it can be drawn; before the drop a page may see no more than the types. */
export const carries = (transfer: DataTransfer | null): boolean => transfer !== null && (transfer.types.includes(POINTS) || transfer.types.includes(ELEMENTS));

/** What a drop brings; what is no list of texts is none. */
export const carried = (transfer: DataTransfer): Dragged => ({ points: listed(transfer.getData(POINTS)), elements: listed(transfer.getData(ELEMENTS)) });

function listed(text: string): string[] {
  try {
    const found: unknown = JSON.parse(text || "[]");
    return Array.isArray(found) ? found.filter((one): one is string => typeof one === "string") : [];
  } catch {
    return [];
  }
}
