import { describe, expect, it } from "vitest";
import { COLUMNS, fitted, freePlace, keyed, overlap, packed, placed, widened, type Box } from "./grid";

const box = (id: string, x: number, y: number, w: number, h: number): Box => ({ id, x, y, w, h });
const apart = (boxes: readonly Box[]): boolean => boxes.every((a) => boxes.every((b) => !overlap(a, b)));

describe("the grid of a dashboard", () => {
  it("moves what is in the way down, and what that meets, and nothing else", () => {
    const before = [box("a", 0, 0, 6, 2), box("b", 0, 2, 6, 2), box("c", 6, 0, 6, 4)];
    const after = placed(before, { ...before[1]!, y: 0 });
    expect(after).toEqual([box("a", 0, 2, 6, 2), box("b", 0, 0, 6, 2), box("c", 6, 0, 6, 4)]);
  });

  it("keeps any widgets apart and inside, wherever one of them goes", () => {
    let seed = 7;
    const random = (n: number): number => (seed = (seed * 16_807) % 2_147_483_647) % n;
    let boxes: Box[] = [];
    for (let i = 0; i < 12; i++) {
      const [w, h] = [1 + random(6), 1 + random(4)];
      boxes.push({ id: String(i), w, h, ...freePlace(boxes, w, h) });
    }
    expect(apart(boxes)).toBe(true);
    for (let i = 0; i < 200; i++) {
      const one = boxes[random(12)]!;
      boxes = placed(boxes, { ...one, x: random(16) - 2, y: random(10) - 2, w: 1 + random(14), h: 1 + random(5) });
      expect(apart(boxes)).toBe(true);
      expect(boxes.every((each) => each.x >= 0 && each.y >= 0 && each.x + each.w <= COLUMNS)).toBe(true);
    }
    const tight = packed(boxes);
    expect(apart(tight)).toBe(true);
    expect(packed(tight)).toEqual(tight);
  });

  it("obeys arrows, and makes no widget smaller than a cell or wider than the grid", () => {
    expect(keyed(box("a", 0, 0, 3, 2), "ArrowRight", false)).toEqual(box("a", 1, 0, 3, 2));
    expect(keyed(box("a", 0, 0, 3, 2), "ArrowLeft", false)).toEqual(box("a", 0, 0, 3, 2));
    expect(keyed(box("a", 9, 0, 3, 2), "ArrowRight", true)).toEqual(box("a", 9, 0, 3, 2));
    expect(keyed(box("a", 0, 0, 1, 1), "ArrowUp", true)).toEqual(box("a", 0, 0, 1, 1));
    expect(keyed(box("a", 0, 0, 1, 1), "x", false)).toBeNull();
    expect(fitted(box("a", 20, -3, 40, 0))).toEqual(box("a", 0, 0, 12, 1));
  });

  it("leaves no hole at the right of a widget that nothing stands beside", () => {
    const boxes = [box("a", 0, 0, 6, 2), box("b", 6, 0, 3, 4), box("c", 0, 2, 3, 2), box("d", 0, 4, 6, 5)];
    const after = widened(boxes);
    expect(after.map(({ id, w }) => [id, w])).toEqual([["a", 6], ["b", 6], ["c", 6], ["d", COLUMNS]]);
    expect(apart(after)).toBe(true);
  });
});
