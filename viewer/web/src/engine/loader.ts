/** Fetches tiles and decodes them; what may pass is tried again, each time after a longer wait. */
import type { Decoder } from "./decode";
import type { TileData } from "./glb";
import type { TileRef } from "./tileset";

/** ms before the second, third… try: a server that restarts is back within them. */
export const WAITS: readonly number[] = [400, 1200, 3600, 10_000];
const PASSING = new Set([408, 425, 429]);

export interface Loaded {
  readonly data: TileData;
  /** As transferred, unpacked. */
  readonly bytes: number;
}

export interface LoaderCallbacks {
  readonly onTile: (ref: TileRef, tile: TileData, bytes: number) => void;
  readonly onError: (ref: TileRef, error: Error) => void;
}

/** A tile; rejects with what is wrong with it, or when `signal` aborts. */
export async function loadTile(ref: TileRef, decoder: Decoder, get: typeof fetch, signal: AbortSignal, waits = WAITS): Promise<Loaded> {
  const buffer = await fetchTile(ref.url, get, signal, waits);
  const bytes = buffer.byteLength;
  return { data: await decoder.decode(buffer), bytes };
}

/** Load `refs` in order, `concurrency` at a time. Resolves when all are done or `signal` aborted; never rejects. */
export async function loadTiles(
  refs: readonly TileRef[], decoder: Decoder, get: typeof fetch, concurrency: number, signal: AbortSignal,
  { onTile, onError }: LoaderCallbacks,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let ref = refs[next++]; ref && !signal.aborted; ref = refs[next++]) {
      try {
        const { data, bytes } = await loadTile(ref, decoder, get, signal);
        if (!signal.aborted) onTile(ref, data, bytes);
      } catch (error) {
        if (!signal.aborted) onError(ref, asError(error));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, refs.length) }, work));
}

export const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** A dropped connection, a busy server or one that is just starting may pass; "no such tile" does not. */
async function fetchTile(url: string, get: typeof fetch, signal: AbortSignal, waits: readonly number[]): Promise<ArrayBuffer> {
  for (let attempt = 0; ; attempt++) {
    let asked = 0;
    try {
      const answer = await get(url, { credentials: "same-origin", signal });
      if (answer.ok) return await answer.arrayBuffer();
      asked = 1000 * (Number(answer.headers.get("Retry-After")) || 0);
      const passing = answer.status >= 500 || PASSING.has(answer.status);
      if (!passing || attempt >= waits.length) throw new HttpError(answer.status);
    } catch (error) {
      if (signal.aborted || error instanceof HttpError || attempt >= waits.length) throw error;
    }
    const longest = Math.max(0, ...waits);
    await pause(Math.min(longest, Math.max(waits[attempt] as number, asked)), signal);
  }
}

/** Wait, but no longer than `signal` lets: it rejects at once then. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(asError(signal.reason));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}

class HttpError extends Error {
  constructor(status: number) {
    super(`the server answered ${status}`);
  }
}
