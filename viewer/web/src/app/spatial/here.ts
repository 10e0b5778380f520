/** Where this person is, as far as this device knows. */
import { createSavedStore } from "../lib/store";

/** Where this person was last, by building: the crew's "from here". */
export const lastPlace = createSavedStore<Record<string, { globalId: string; name: string }>>("twin.here", {});

/** Remember where this person is: whoever works on an order is where it is. */
export function rememberPlace(building: string, globalId: string, name: string): void {
  lastPlace.set((known) => ({ ...known, [building]: { globalId, name } }));
}
