import { describe, expect, it } from "vitest";
import { bytesOf, moreThan, placesOf } from "./state";

const MB = 2 ** 20;

describe("the picture's memory", () => {
  it("goes up choice by choice, and ends", () => {
    expect(moreThan(256 * MB)).toBe(512);
    expect(moreThan(300 * MB)).toBe(512);
    expect(moreThan(4096 * MB)).toBeNull();
    expect([bytesOf(null), bytesOf(1)]).toEqual([null, MB]);
  });

  it("names storeys from the lowest up, each once, and what is on none", () => {
    const named = [{ id: "a", name: "Ground" }, { id: "b", name: "First" }];
    expect(placesOf(["b", "a", "b"], named, "elsewhere")).toEqual(["Ground", "First"]);
    expect(placesOf([null, "b"], named, "elsewhere")).toEqual(["First", "elsewhere"]);
    expect(placesOf(["gone"], named, "elsewhere")).toEqual(["elsewhere"]);
  });
});
