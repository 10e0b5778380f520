import { Box3, Vector3 } from "three";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Economy } from "./economy";
import { telling, type Tile } from "./tile";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A graphics context that is done with a picture after so many ms. */
function graphics(took: number): WebGL2RenderingContext {
  let start = 0;
  const fake = {
    TIMEOUT_EXPIRED: 1, WAIT_FAILED: 2, CONDITION_SATISFIED: 3, SYNC_GPU_COMMANDS_COMPLETE: 4,
    fenceSync: () => ({ at: (start = performance.now()) }), flush: () => undefined, deleteSync: () => undefined,
    clientWaitSync: () => (performance.now() - start >= took ? 3 : 1),
  };
  return fake as unknown as WebGL2RenderingContext;
}

test("a moving picture has as many triangles as the GPU draws in time, and all where it is quick", () => {
  const economy = new Economy(() => undefined);
  expect(economy.budget).toBe(Infinity);
  economy.drawn(graphics(10), 2_000_000);
  vi.advanceTimersByTime(100);
  expect(economy.budget).toBe(Infinity);
  const slow = new Economy(() => undefined);
  slow.drawn(graphics(4000), 2_000_000);
  vi.advanceTimersByTime(5000);
  expect(slow.whole).toBeGreaterThan(3900);
  expect(slow.budget).toBeGreaterThan(35_000);
  expect(slow.budget).toBeLessThan(42_000);
  expect(slow.patience).toBeGreaterThan(economy.patience);
  slow.drawn(graphics(20), 2_000_000); // most of it was taken away: at once everything again
  vi.advanceTimersByTime(100);
  expect(slow.budget).toBe(Infinity);
});

test("one picture that waited for another program does not make a quick machine a slow one", () => {
  const economy = new Economy(() => undefined);
  for (const took of [12, 900, 12]) {
    economy.drawn(graphics(took), 500_000);
    vi.advanceTimersByTime(1000);
    expect(economy.budget).toBe(Infinity);
  }
});

test("what shows most for its triangles is drawn first, near things rather than far ones, and always something", () => {
  const tile = (name: string, triangleCount: number, size: number, away: number): Tile =>
    ({ name, triangleCount, box: new Box3(new Vector3(away, -size / 2, -size / 2), new Vector3(away + size, size / 2, size / 2)) }) as unknown as Tile;
  const names = (tiles: readonly Tile[]): string[] => tiles.map((one) => (one as unknown as { name: string }).name);
  const [shell, chairs, near, far] = [tile("shell", 20_000, 40, 10), tile("chairs", 500_000, 20, 20), tile("near", 5_000, 5, 2), tile("far", 5_000, 5, 300)];
  expect(names(telling([chairs, far, shell, near], [0, 0, 0], 30_000)).sort()).toEqual(["far", "near", "shell"]);
  expect(names(telling([chairs, far, shell, near], [0, 0, 0], 26_000)).sort()).toEqual(["near", "shell"]);
  expect(names(telling([chairs], [0, 0, 0], 1000))).toEqual(["chairs"]);
});
