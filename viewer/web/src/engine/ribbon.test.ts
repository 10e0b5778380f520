import { expect, test } from "vitest";
import { alongLine, lineLength } from "./overlays";
import { segments } from "./ribbon";

const FLOATS = 17;

test("each pair of points is one segment that knows its neighbours and its metres", () => {
  const data = segments([{ points: [[0, 0, 0], [3, 4, 0], [3, 4, 0.0001], [3, 4, 2]], colour: [255, 0, 51], from: 10 }]);
  expect(data.length).toBe(2 * FLOATS);
  const [first, second] = [[...data.slice(0, FLOATS)], [...data.slice(FLOATS)]];
  expect(first.slice(0, 12)).toEqual([0, 0, 0, 0, 0, 0, 3, 4, 0, 3, 4, 2]);
  expect(first.slice(12).map((n) => Math.round(n * 100) / 100)).toEqual([1, 0, 0.2, 10, 2]);
  expect(second.slice(15)).toEqual([15, 1]);
});

test("a lone point becomes a dot, nothing stays nothing", () => {
  expect(segments([{ points: [[1, 2, 3]], colour: [0, 0, 0] }]).length).toBe(FLOATS);
  expect(segments([{ points: [], colour: [0, 0, 0] }]).length).toBe(0);
});

test("one walks along a line by metres, and its ends hold", () => {
  const line = [[0, 0, 0], [10, 0, 0], [10, 0, 0], [10, 0, 5]] as const;
  expect(lineLength(line)).toBe(15);
  expect(alongLine(line, 4)).toEqual({ point: [4, 0, 0], direction: [1, 0, 0] });
  expect(alongLine(line, 12)).toEqual({ point: [10, 0, 2], direction: [0, 0, 1] });
  expect(alongLine(line, 99)?.point).toEqual([10, 0, 5]);
  expect(alongLine(line, -1)?.point).toEqual([0, 0, 0]);
  expect(alongLine([[1, 1, 1]], 0)).toBeNull();
});
