/** Decodes tiles in worker threads, or here where there are none (tests, a strict Content-Security-Policy). */
import { MeshoptDecoder } from "meshoptimizer/decoder";
import { parseTile, type TileData } from "./glb";

/** The buffers of a tile, each once: what a worker hands over instead of copying. */
export function transferables(tile: TileData): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>([tile.boxes.buffer as ArrayBuffer, tile.prices.buffer as ArrayBuffer]);
  for (const p of tile.primitives)
    for (const array of [p.position.array, p.normal?.array, p.color?.array, p.feature, p.index, p.starts, p.boxes, p.blocks])
      if (array) buffers.add(array.buffer as ArrayBuffer);
  return [...buffers];
}

interface Waiting {
  readonly resolve: (tile: TileData) => void;
  readonly reject: (error: Error) => void;
}

/** A few workers fed in turn. `decode` takes the buffer: it is detached afterwards. */
export class Decoder {
  readonly #workers: Worker[] = [];
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #broken = typeof Worker === "undefined";

  constructor(workers = Math.min(2, Math.max(1, (globalThis.navigator?.hardwareConcurrency ?? 2) - 1))) {
    for (let i = 0; i < workers && !this.#broken; i++) this.#start();
  }

  #start(): void {
    try {
      const worker = new Worker(new URL("./decode.worker.ts", import.meta.url), { type: "module" });
      worker.addEventListener("message", (event: MessageEvent<{ id: number; tile?: TileData; error?: string }>) => {
        const { id, tile, error } = event.data;
        const waiting = this.#waiting.get(id);
        this.#waiting.delete(id);
        if (tile) waiting?.resolve(tile);
        else waiting?.reject(new Error(error ?? "the worker sent nothing"));
      });
      worker.addEventListener("error", (event) => this.#fail(event.message));
      this.#workers.push(worker);
    } catch {
      this.#broken = true;
    }
  }

  /** A worker that could not be loaded takes its jobs with it; they were transferred, so they count as errors. */
  #fail(message: string): void {
    this.#broken = true;
    for (const { reject } of this.#waiting.values()) reject(new Error(`tile worker: ${message || "could not start"}`));
    this.#waiting.clear();
  }

  /** Decode a GLB. Rejects with what is wrong with it. */
  async decode(buffer: ArrayBuffer): Promise<TileData> {
    if (this.#broken || this.#workers.length === 0) {
      await MeshoptDecoder.ready;
       
      return parseTile(buffer, MeshoptDecoder.decodeGltfBuffer);
    }
    const id = this.#next++;
    const worker = this.#workers[id % this.#workers.length] as Worker;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, buffer }, [buffer]);
    });
  }

  dispose(): void {
    for (const worker of this.#workers) worker.terminate();
    this.#workers.length = 0;
    this.#fail("the scene was closed");
  }
}
