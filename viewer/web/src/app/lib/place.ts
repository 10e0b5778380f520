import type { Place } from "../../api/types";

type Named = Pick<Place, "storey" | "space" | "element">;

/** ["3F", "Pump room", "Pump 2"]: from the large to the small, without repeats. */
export function placeParts(place: Named | null | undefined): string[] {
  if (!place) return [];
  const parts = [place.storey, place.space, place.element].filter((one): one is string => Boolean(one));
  return parts.filter((one, i) => parts.indexOf(one) === i);
}

export function placeText(place: Named | null | undefined): string {
  return placeParts(place).join(" › ");
}
