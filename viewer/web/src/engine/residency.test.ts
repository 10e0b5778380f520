import { describe, expect, it, vi } from "vitest";
import type { TileData } from "./glb";
import { loadTile } from "./loader";
import { Residency, defaultBudget, type Sight, type Slot } from "./residency";
import type { TileRef } from "./tileset";

const ref = (name: string, more: Partial<TileRef> = {}): TileRef =>
  ({ url: `http://x/${name}`, uri: name, box: null, storey: "s", layer: "shell", model: "", elements: 10, bytes: 100, ...more });

/** Tiles of 1000 bytes each; `seen` says which are in the picture. */
function stock(refs: readonly TileRef[], budget: number, sights: (ref: TileRef) => Partial<Sight> = () => ({})) {
  const log: string[] = [];
  let shown = sights;
  const name = (slot: Slot): string => slot.ref.uri;
  const residency = new Residency(refs, budget, [], {
    concurrency: 2,
    reach: () => 5,
    sights: () => (one) => ({ wanted: true, inPicture: true, distance: 1, ...shown(one) }),
    load: async (one) => {
      if (one.uri.startsWith("broken")) throw new Error("no such tile");
      return Promise.resolve({ data: {} as TileData, bytes: 100 });
    },
    sizeOf: () => 1000,
    onHere: (slot) => void log.push(`+${name(slot)}`),
    onDrop: (slot) => log.push(`-${name(slot)}`),
    onFailed: (slot, error) => log.push(`!${name(slot)} ${error.message}`),
    onIdle: () => undefined,
  }, new AbortController().signal);
  return { residency, log, see: (sights: (ref: TileRef) => Partial<Sight>) => (shown = sights) };
}

describe("residency", () => {
  it("loads what is in the picture first, nearest first, walls before what is in them", async () => {
    const far = { far: 40, near: 2, behind: 1, inside: 2, hidden: 0 } as Record<string, number>;
    const { residency, log } = stock(
      [ref("hidden"), ref("behind"), ref("far"), ref("inside", { layer: "furniture" }), ref("near")], 1e6,
      ({ uri }) => ({ distance: far[uri], inPicture: uri !== "behind", wanted: uri !== "hidden" }));
    await residency.fill();
    expect(log).toEqual(["+near", "+inside", "+far", "+behind", "+hidden"]);
  });

  it("loads the nearest storey whole, and then the walls of the others", async () => {
    const storeys = { far: 40, nearest: 10, near: 12 } as Record<string, number>;
    const refs = Object.keys(storeys).flatMap((storey) => [ref(`${storey} chairs`, { storey, layer: "furniture" }), ref(`${storey} walls`, { storey })]);
    const { residency, log } = stock([ref("site", { storey: null }), ...refs], 1e6, ({ storey }) => ({ distance: storeys[storey ?? ""] ?? 1 }));
    await residency.fill();
    expect(log).toEqual(["+nearest walls", "+nearest chairs", "+site", "+near walls", "+near chairs", "+far walls", "+far chairs"]);
  });

  it("never throws away what is in the picture, and tells what it left out", async () => {
    const { residency, log } = stock(["a", "b", "c", "d"].map((n, i) => ref(n, { storey: n, elements: i + 1 })), 2500);
    await residency.fill();
    expect(log).toEqual(["+a", "+b"]);
    expect(residency.leftOut).toEqual({ tiles: 2, elements: 7, storeys: ["c", "d"], layers: ["shell"] });
    residency.look(performance.now() + 60_000);
    expect(log).toEqual(["+a", "+b"]);
    expect(residency.used).toBeLessThanOrEqual(2500);
  });

  it("loads everything again where all was lost", async () => {
    const { residency, log } = stock(["a", "b"].map((n) => ref(n)), 1e6);
    await residency.fill();
    residency.refill();
    await residency.fill();
    expect(log).toEqual(["+a", "+b", "-a", "-b", "+a", "+b"]);
    expect(residency.used).toBe(2000);
  });

  it("does not take in what turns out to be larger than it seemed", async () => {
    const { residency, log } = stock(["a", "b"].map((n) => ref(n, { bytes: 1 })), 1500);
    await residency.fill();
    expect(log).toEqual(["+a"]);
    expect([residency.used, residency.leftOut.tiles]).toEqual([1000, 1]);
  });

  it("makes room for what comes into the picture with what has been out of it longest", async () => {
    const clock = vi.spyOn(performance, "now").mockReturnValue(0);
    const { residency, log, see } = stock(["a", "b", "c"].map((n) => ref(n)), 2500, ({ uri }) => ({ inPicture: uri !== "c" }));
    await residency.fill();
    const look = (now: number, name: string): void => {
      clock.mockReturnValue(now);
      see(({ uri }) => ({ inPicture: uri === name }));
      residency.look();
    };
    look(10_000, "b");
    expect(log).toEqual(["+a", "+b"]); // there is no need yet
    look(20_000, "c");
    await vi.waitFor(() => expect(log).toEqual(["+a", "+b", "-a", "+c"]));
    look(30_000, "a");
    await vi.waitFor(() => expect(log.slice(4)).toEqual(["-b", "+a"]));
    vi.restoreAllMocks();
  });

  it("throws away what it may when the budget shrinks, and takes it back when it grows", async () => {
    const clock = vi.spyOn(performance, "now").mockReturnValue(0);
    const { residency, log, see } = stock(["a", "b", "c"].map((n) => ref(n)), 1e6);
    await residency.fill();
    see(({ uri }) => ({ inPicture: uri === "b" }));
    clock.mockReturnValue(10_000);
    residency.setBudget(1500);
    expect(log.slice(3)).toEqual(["-a", "-c"]);
    residency.setBudget(1e6);
    await vi.waitFor(() => expect(log.slice(5)).toEqual(["+a", "+c"]));
    vi.restoreAllMocks();
  });

  it("shows one tile however large, and tries again what failed", async () => {
    const { residency, log } = stock([ref("broken"), ref("huge", { bytes: 1e9 })], 10);
    await residency.fill();
    expect(log).toEqual(["!broken no such tile", "+huge"]);
    expect(residency.failed.map((slot) => slot.ref.uri)).toEqual(["broken"]);
    const { residency: other, log: tried } = stock([ref("broken")], 1e6);
    await other.fill();
    expect(other.retry()).toBe(1);
    await other.fill();
    expect(tried).toEqual(["!broken no such tile", "!broken no such tile"]);
  });

  it("gives a phone less than a desktop", () => {
    const MB = 2 ** 20;
    expect(defaultBudget({ memory: 4, handheld: true })).toBe(256 * MB);
    expect(defaultBudget({ memory: undefined, handheld: true })).toBe(256 * MB);
    expect(defaultBudget({ memory: 8, handheld: false })).toBe(1536 * MB);
    expect(defaultBudget({ memory: 32, handheld: false })).toBe(1536 * MB);
    expect(defaultBudget({ memory: 2, handheld: false })).toBe(384 * MB);
  });
});

describe("a tile", () => {
  const decoder = { decode: async () => Promise.resolve({} as TileData) } as never;
  const answers = (...codes: number[]) => {
    const left = [...codes];
    const asked = vi.fn(async () => {
      const code = left.shift() ?? 200;
      if (code === 0) throw new TypeError("network");
      return Promise.resolve(new Response(code === 200 ? "tile" : "", { status: code }));
    });
    return { asked, get: asked as unknown as typeof fetch };
  };

  it("is asked for again after what passes, and not after what does not", async () => {
    const signal = new AbortController().signal;
    const passing = answers(503, 0, 429, 200);
    await expect(loadTile(ref("a"), decoder, passing.get, signal, [1, 1, 1])).resolves.toMatchObject({ bytes: 4 });
    expect(passing.asked).toHaveBeenCalledTimes(4);
    const missing = answers(404);
    await expect(loadTile(ref("a"), decoder, missing.get, signal, [1, 1])).rejects.toThrow("the server answered 404");
    expect(missing.asked).toHaveBeenCalledTimes(1);
    const down = answers(0, 0, 0);
    await expect(loadTile(ref("a"), decoder, down.get, signal, [1, 1])).rejects.toThrow("network");
    expect(down.asked).toHaveBeenCalledTimes(3);
  });

  it("is no longer waited for once nobody wants it", async () => {
    const abort = new AbortController();
    const waiting = loadTile(ref("a"), decoder, answers(503, 503).get, abort.signal, [60_000]);
    setTimeout(() => abort.abort(new Error("gone")), 5);
    await expect(waiting).rejects.toThrow("gone");
  });
});
