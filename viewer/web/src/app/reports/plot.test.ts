import { describe, expect, it } from "vitest";
import { bandPath, linePath, scaleOf } from "./plot";

describe("the drawings of a report", () => {
  it("have round ticks that hold every value", () => {
    expect(scaleOf([18.2, null, 30])).toEqual({ low: 15, high: 30, ticks: [15, 20, 25, 30] });
    expect(scaleOf([3, 7], true).low).toBe(0);
    expect(scaleOf([5, 5]).ticks[0]).toBeLessThan(5);
    expect(scaleOf([])).toEqual({ low: 0, high: 1, ticks: [0, 0.5, 1] });
    expect(scaleOf([-4, 0], true).high).toBe(0);
  });
  it("break where nothing is known, and show a value that stands alone", () => {
    expect(linePath([0, 1, 2, 3], [5, 6, null, 7])).toBe("M0.0 5.0L1.0 6.0M3.0 7.0h0.1");
    expect(bandPath([0, 1, 2, 3], [1, 1, null, 1], [2, 3, null, 2])).toBe("M0.0 2.0L1.0 3.0L1.0 1.0L0.0 1.0Z");
  });
});
