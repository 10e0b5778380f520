/** Fetches tiles a few at a time and decodes them; a tile that fails is reported and the rest goes on. */
import type { Decoder } from "./decode";
import type { TileData } from "./glb";
import type { TileRef } from "./tileset";

export interface LoaderCallbacks {
  readonly onTile: (ref: TileRef, tile: TileData, bytes: number) => void;
  readonly onError: (ref: TileRef, error: Error) => void;
}

/** Load `refs` in order. Resolves when all are done or `signal` aborted; never rejects. */
export async function loadTiles(
  refs: readonly TileRef[], decoder: Decoder, get: typeof fetch, concurrency: number, signal: AbortSignal,
  { onTile, onError }: LoaderCallbacks,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let ref = refs[next++]; ref && !signal.aborted; ref = refs[next++]) {
      try {
        const buffer = await fetchTile(ref.url, get, signal);
        const bytes = buffer.byteLength;
        const tile = await decoder.decode(buffer);
        if (!signal.aborted) onTile(ref, tile, bytes);
      } catch (error) {
        if (!signal.aborted) onError(ref, error instanceof Error ? error : new Error(String(error)));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, refs.length) }, work));
}

/** One retry for what may pass: a dropped connection or an answer of the 5xx family. */
async function fetchTile(url: string, get: typeof fetch, signal: AbortSignal): Promise<ArrayBuffer> {
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await get(url, { credentials: "same-origin", signal });
      if (answer.ok) return await answer.arrayBuffer();
      if (answer.status < 500 || attempt > 0) throw new HttpError(answer.status);
    } catch (error) {
      if (signal.aborted || error instanceof HttpError || attempt > 0) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
}

class HttpError extends Error {
  constructor(status: number) {
    super(`the server answered ${status}`);
  }
}
