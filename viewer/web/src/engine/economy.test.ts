import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Economy } from "./economy";

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

/** A picture that the GPU takes so long for. */
function draw(economy: Economy, took: number, triangles: number, whole: boolean): void {
  const done = vi.fn();
  economy.drawn(graphics(took), triangles, whole, done);
  vi.advanceTimersByTime(2 * took + 1000);
  expect(done).toHaveBeenCalledOnce();
}

test("a hurried picture has as many triangles as the GPU draws in time", () => {
  const slow = new Economy(() => undefined);
  draw(slow, 4000, 2_000_000, true);
  draw(slow, 4000, 2_000_000, true);
  expect(slow.whole).toBeGreaterThan(3900);
  expect(slow.budget).toBeGreaterThan(35_000);
  expect(slow.budget).toBeLessThan(42_000);
  expect(slow.patience).toBeGreaterThan(new Economy(() => undefined).patience);
  draw(slow, 20, 2_000_000, true); // most of it was taken away: at once everything again
  expect(slow.budget).toBeGreaterThan(2_000_000);
});

test("before anything is known a picture is small, and where it was drawn with ease the next are larger by far", () => {
  const quick = new Economy(() => undefined);
  const first = quick.budget;
  expect(first).toBeLessThan(200_000); // what software OpenGL draws in a quarter of a second
  draw(quick, 900, first, false); // the shaders
  expect(quick.budget).toBe(first);
  draw(quick, 5, first, false);
  draw(quick, 30, quick.budget, false);
  expect(quick.budget).toBeGreaterThan(1_500_000);
  const slow = new Economy(() => undefined);
  draw(slow, 900, first, false);
  draw(slow, 400, first, false);
  expect(slow.budget).toBeLessThan(first * 0.7);
});

test("who waits for a picture is told, also where the graphics context is lost meanwhile", () => {
  const done = vi.fn();
  const economy = new Economy(() => undefined);
  economy.drawn(Object.assign(graphics(10), { clientWaitSync: () => 2 }), 1_000_000, true, done);
  vi.advanceTimersByTime(100);
  expect(done).toHaveBeenCalledOnce();
  expect(economy.whole).toBe(0);
});

test("one picture that waited for another program does not make a quick machine a slow one", () => {
  const economy = new Economy(() => undefined);
  for (const took of [12, 900, 12]) {
    draw(economy, took, 500_000, true);
    expect(economy.budget).toBeGreaterThan(500_000);
  }
});
