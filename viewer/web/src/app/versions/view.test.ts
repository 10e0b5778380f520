import { describe, expect, it } from "vitest";
import { COLOURS, GONE, pictureOf, plainId, total, valueText } from "./view";

const item = (kind: "added" | "removed" | "changed" | "moved" | "rekeyed", id: string, storey: string | null = null): Parameters<typeof pictureOf>[0][number] =>
  ({ kind, global_id: id, storey_id: storey });

describe("the picture of what differs", () => {
  it("is green for what came, amber for what is different, and leaves renumbered elements as they are", () => {
    const { colours } = pictureOf([item("added", "a"), item("changed", "c"), item("moved", "m"), item("rekeyed", "r")]);
    expect([...colours]).toEqual([["a", COLOURS.added], ["c", COLOURS.changed], ["m", COLOURS.changed]]);
  });

  it("shows what went from the earlier version's tiles, on the storeys where it was", () => {
    const picture = pictureOf([item("removed", "x", "s1"), item("removed", "y")]);
    expect([...picture.colours.keys()]).toEqual([`x${GONE}`, `y${GONE}`]);
    expect(picture.removed).toEqual(new Set(["x", "y"]));
    expect(picture.storeys).toEqual(new Set(["s1", null]));
  });
});

it("finds the element behind a picked one of the earlier version", () => {
  expect(plainId(`3gutuEe4b83fNU$BgP3sz_${GONE}`)).toBe("3gutuEe4b83fNU$BgP3sz_");
  expect(plainId("3gutuEe4b83fNU$BgP3sz_")).toBe("3gutuEe4b83fNU$BgP3sz_");
});

it("counts everything that differs", () => {
  expect(total({ added: 1, removed: 2, changed: 3, moved: 4, rekeyed: 5 })).toBe(15);
});

it("writes values short, and a dash for none", () => {
  expect([valueText(null), valueText(0), valueText(false), valueText(["a"])]).toEqual(["–", "0", "false", '["a"]']);
  expect(valueText("x".repeat(500))).toHaveLength(120);
});
