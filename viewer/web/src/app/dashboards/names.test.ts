import { expect, test } from "vitest";
import { shortNames } from "./names";
import { displayLink, wallOf } from "./wall-state";

test("a legend says once what all its lines have in common", () => {
  expect(shortNames(["Hall · temperature", "Roof · west · temperature"])).toEqual(["Hall", "Roof · west"]);
  for (const kept of [["Hall · temperature"], ["Hall · temperature", "Hall · humidity"], ["Hall · t", "Hall"], [" · t", "Hall · t"], []]) expect(shortNames(kept)).toEqual(kept);
});

test("a screen's link leads to the wall, and its key is no part of what is asked for", () => {
  const [building, one, two] = ["1", "2", "3"].map((n) => n.repeat(8) + "-1111-1111-1111-" + n.repeat(12)) as [string, string, string];
  const link = new URL(displayLink("https://twin.example", building, { ids: [one, two], every: 10 }, "twin_a/b"));
  expect([link.pathname, decodeURIComponent(link.hash)]).toEqual(["/display", "#twin_a/b"]);
  expect(link.search).not.toContain("twin_");
  expect(wallOf(link.searchParams)).toBe(`/b/${building}/dashboards/wall?show=${one}%2C${two}&every=10`);
  expect(wallOf(new URLSearchParams({ building: "//evil.example", show: one }))).toBeNull();
  expect(wallOf(new URLSearchParams({ building }))).toBeNull();
});
