/** How the 3D picture is made on this device: what it may cost. */
import type { LeftOut, Quality, TileError } from "../../engine";
import { createSavedStore } from "../lib/store";

const MB = 2 ** 20;
/** Choices of geometry in memory, MB. */
export const MEMORY_CHOICES = [256, 512, 1024, 2048, 4096] as const;

export const ambientChoice = createSavedStore<Quality>("twin.ambient", "auto");
/** MB; null: as the device can hold. */
export const memoryChoice = createSavedStore<number | null>("twin.memory", null);

export const bytesOf = (choice: number | null): number | null => (choice === null ? null : choice * MB);

/** The next larger choice than the bytes that are allowed now; null: there is none. */
export function moreThan(bytes: number): number | null {
  return MEMORY_CHOICES.find((choice) => choice * MB > bytes) ?? null;
}

/** What the picture lacks. */
export interface Lack {
  readonly failed: readonly TileError[];
  readonly leftOut: LeftOut | null;
  readonly lost: boolean;
}

export const NOTHING_LACKS: Lack = { failed: [], leftOut: null, lost: false };

/** Storeys by name, in the order of the building; each once, and what is on none last. */
export function placesOf(storeys: readonly (string | null)[], named: readonly { readonly id: string | null; readonly name: string | null }[], none: string): string[] {
  const wanted = new Set(storeys);
  const names = named.flatMap(({ id, name }) => (id !== null && wanted.has(id) ? [name ?? id] : []));
  const known = new Set(named.map(({ id }) => id));
  return storeys.some((id) => id === null || !known.has(id)) ? [...names, none] : names;
}
