/// <reference lib="webworker" />
/** Decodes tiles off the main thread. In: {id, buffer}. Out: {id, tile} or {id, error}. */
import { MeshoptDecoder } from "meshoptimizer/decoder";
import { parseTile } from "./glb";
import { transferables } from "./decode";

addEventListener("message", (event: MessageEvent<{ id: number; buffer: ArrayBuffer }>) => {
  const { id, buffer } = event.data;
  MeshoptDecoder.ready
    .then(() => {
       
      const tile = parseTile(buffer, MeshoptDecoder.decodeGltfBuffer);
      postMessage({ id, tile }, { transfer: transferables(tile) });
    })
    .catch((error: unknown) => postMessage({ id, error: error instanceof Error ? error.message : String(error) }));
});
