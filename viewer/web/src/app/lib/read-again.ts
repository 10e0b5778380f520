/** Makes cached reads fresh after a change. */
import type { QueryClient } from "@tanstack/react-query";

/**
 * Read again what became stale, by the first part of its key.
 *
 * A first read that is under way began before the change, and `invalidateQueries` alone would take its answer for fresh:
 * it is given up and begun anew.
 */
export async function readAgain(client: QueryClient, keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map(async (key) => {
    await client.cancelQueries({ queryKey: [key], predicate: (query) => query.state.data === undefined });
    await client.invalidateQueries({ queryKey: [key] });
  }));
}
