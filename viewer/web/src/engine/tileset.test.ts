import { expect, test } from "vitest";
import { loadTiles } from "./loader";
import { loadingOrder, readTileset, type TileRef } from "./tileset";
import type { Decoder } from "./decode";

const box = (x: number, y: number, z: number): { box: number[] } => ({ box: [x, y, z, 5, 0, 0, 0, 5, 0, 0, 0, 1.5] });
const TILESET = {
  asset: { version: "1.1" },
  root: {
    boundingVolume: box(0, 0, 3),
    extras: { storeys: [{ id: "upper", elevation: 3 }, { id: "site", elevation: null }] },
    children: [
      { boundingVolume: box(0, 0, 1.5), content: { uri: "../../tiles/a.glb", extras: { storey: "ground", layer: "shell", model: "m", elements: 3, bytes: 10 } } },
      { boundingVolume: box(0, 0, 1.5), content: { uri: "../../tiles/b.glb", extras: { storey: "ground", layer: "spaces" } } },
      { boundingVolume: box(90, 0, 4.5), transform: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 10, 0, 0, 1], contents: [{ uri: "../../tiles/c.glb", extras: { storey: "upper", layer: "shell" } }] },
    ],
  },
};
const read = (): TileRef[] => readTileset(TILESET, "https://twin.example/api/v1/buildings/x/tileset.json").tiles;

test("contents are listed with absolute addresses, boxes in the building frame and what the extras say", () => {
  const [a, , c] = read();
  expect(a).toMatchObject({ url: "https://twin.example/api/v1/tiles/a.glb", storey: "ground", layer: "shell", model: "m", elements: 3, bytes: 10 });
  expect(a?.box).toEqual({ min: [-5, -5, 0], max: [5, 5, 3] });
  expect(c?.box?.min[0]).toBe(95);
  expect(readTileset(TILESET, "https://twin.example/").storeys).toEqual([{ id: "upper", elevation: 3 }]);
});

test("what is no tileset is refused", () => {
  expect(() => readTileset({ code: "building.unknown" }, "/x")).toThrow("no root tile");
});

test("storeys asked for come first, and walls before rooms", () => {
  const names = (first?: string[]): string[] => loadingOrder(read(), first).map((t) => t.uri.slice(-5, -4));
  expect(names()).toEqual(["a", "c", "b"]);
  expect(names(["upper"])).toEqual(["c", "a", "b"]);
});

const decoder = { decode: (buffer: ArrayBuffer) => Promise.resolve({ primitives: [], globalIds: [`${buffer.byteLength}`], boxes: new Float64Array(6) }) } as unknown as Decoder;

test("a tile that fails is reported and the others come", async () => {
  const [got, failed]: [string[], string[]] = [[], []];
  const get: typeof fetch = (url) => Promise.resolve((url as string).includes("b.glb") ? new Response("", { status: 404 }) : new Response(new Uint8Array(8)));
  await loadTiles(read(), decoder, get, 2, new AbortController().signal, {
    onTile: (ref, _tile, bytes) => got.push(`${ref.uri.slice(-5)} ${bytes}`), onError: (ref, error) => failed.push(`${ref.uri.slice(-5)} ${error.message}`),
  });
  expect(got.sort()).toEqual(["a.glb 8", "c.glb 8"]);
  expect(failed).toEqual(["b.glb the server answered 404"]);
});

test("no more tiles are fetched at once than allowed, and none after an abort", async () => {
  let [running, most, asked] = [0, 0, 0];
  const abort = new AbortController();
  const get: typeof fetch = async () => {
    asked++;
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    if (asked >= 4) abort.abort();
    return new Response(new Uint8Array(8));
  };
  const many = Array.from({ length: 20 }, () => read()).flat();
  await loadTiles(many, decoder, get, 3, abort.signal, { onTile: () => undefined, onError: () => undefined });
  expect(most).toBeLessThanOrEqual(3);
  expect(asked).toBeLessThan(10);
});
