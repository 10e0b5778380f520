/** Views that a person keeps, on this device: by name, and the one that was open last. */
import { createSavedStore, type Store } from "../../lib/store";

export interface SavedView {
  name: string;
  /** As in the address. */
  view: string;
}

interface Kept {
  views: SavedView[];
  last: string | null;
}

const stores = new Map<string, Store<Kept>>();

export function savedViews(person: string, building: string): Store<Kept> {
  const key = `twin.trends.${person}.${building}`;
  const known = stores.get(key) ?? createSavedStore<Kept>(key, { views: [], last: null });
  stores.set(key, known);
  return known;
}

export const withView = (kept: Kept, name: string, view: string): Kept => ({
  ...kept, views: [...kept.views.filter((one) => one.name !== name), { name, view }].sort((a, b) => a.name.localeCompare(b.name)),
});

export const withoutView = (kept: Kept, name: string): Kept => ({ ...kept, views: kept.views.filter((one) => one.name !== name) });
