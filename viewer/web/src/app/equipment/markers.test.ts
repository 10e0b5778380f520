import { expect, test } from "vitest";
import { spread } from "./markers";

test("of very many labels some are chosen, from the first to the last", () => {
  const all = Array.from({ length: 17_000 }, (_, i) => i);
  const chosen = spread(all, 500);
  expect(chosen).toHaveLength(500);
  expect([chosen[0], chosen[1], chosen.at(-1)]).toEqual([0, 34, 16_966]);
  expect(spread([1, 2, 3], 500)).toEqual([1, 2, 3]);
});
