import { expect, test } from "vitest";
import { declutter, type Label } from "./markers";

const label = (x: number, y: number, more: Partial<Label> = {}): Label => ({ x, y, width: 60, height: 20, priority: 0, pinned: false, ...more });

test("where labels overlap the more important one stays", () => {
  expect(declutter([label(100, 100), label(120, 105, { priority: 5 }), label(300, 100)])).toEqual([false, true, true]);
});

test("pinned labels always stay, and others give way to them", () => {
  expect(declutter([label(100, 100, { priority: 9 }), label(110, 100, { pinned: true }), label(112, 100, { pinned: true })])).toEqual([false, true, true]);
});

test("equal labels keep the order they were given in", () => {
  expect(declutter([label(0, 0), label(1, 1), label(2, 2)])).toEqual([true, false, false]);
});
