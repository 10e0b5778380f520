import { expect, test } from "vitest";
import { byWeight, isPlace, type Finding } from "../src/app/checks/queries";
import type { IssueViewpoint } from "../src/app/issues/queries";
import { cameraOf, parseColour, SELECTED, shownBy } from "../src/app/issues/view";
import { isOver } from "../src/app/issues/words";

const A = "1GU8BMEqHBQxVAbwRD$4Jj";
const B = "0AQJSsoeDDvwVqSNcwjy55";
const named = (...ids: string[]): { ifc_guid: string }[] => ids.map((ifc_guid) => ({ ifc_guid }));

function viewpoint(view: Partial<IssueViewpoint["view"]>, target: number[] | null = [0, 5, 0]): IssueViewpoint {
  return {
    id: "1", guid: "2", index: null, has_snapshot: false, elements: {}, target,
    view: { camera: null, selection: [], visibility: null, colouring: [], clipping_planes: [], lines: [], bitmaps: [], ...view },
  };
}

test("colours come with and without an alpha in front", () => {
  expect(parseColour("FF8000")).toEqual([255, 128, 0]);
  expect(parseColour("80ff8000")).toEqual([255, 128, 0]);
  expect(parseColour("orange")).toBeNull();
});

test("a camera looks from its eye to the target the server found", () => {
  const camera = { kind: "orthogonal", eye: [0, 0, 0], direction: [0, 1, 0], up: [0, 0, 1], field_of_view: null, view_to_world_scale: 4, aspect_ratio: null };
  expect(cameraOf(viewpoint({ camera }))).toEqual({ eye: [0, 0, 0], target: [0, 5, 0], projection: "orthographic", height: 4 });
  expect(cameraOf(viewpoint({ camera: { ...camera, kind: "perspective", field_of_view: 50, view_to_world_scale: null } }))).toMatchObject({ projection: "perspective", fieldOfView: 50 });
  expect(cameraOf(viewpoint({ camera }, null))).toBeNull();
  expect(cameraOf(viewpoint({}))).toBeNull();
});

test("one selected element is selected, several are coloured, given colours win", () => {
  expect(shownBy(viewpoint({ selection: named(A) }))).toMatchObject({ selected: A, only: null, hidden: [] });
  expect(shownBy(viewpoint({ selection: named(A) })).colours.size).toBe(0);
  const many = shownBy(viewpoint({ selection: named(A, B), colouring: [{ colour: "0000FF", components: named(B) }] }));
  expect([...many.colours]).toEqual([[A, SELECTED], [B, [0, 0, 255]]]);
});

test("visibility shows only its exceptions, or hides them", () => {
  const visibility = { exceptions: named(A), spaces: false, space_boundaries: false, openings: false };
  expect(shownBy(viewpoint({ visibility: { ...visibility, default: false } }))).toMatchObject({ only: [A], hidden: [] });
  expect(shownBy(viewpoint({ visibility: { ...visibility, default: true } }))).toMatchObject({ only: null, hidden: [A] });
});

test("findings come with errors first and the most frequent first among equals", () => {
  const finding = (code: string, severity: Finding["severity"], count: number): Finding => ({ code, severity, count, message: "", where: [] });
  const sorted = byWeight([finding("a", "info", 9), finding("b", "warning", 1), finding("c", "error", 1), finding("d", "warning", 5)]);
  expect(sorted.map((one) => one.code)).toEqual(["c", "d", "b", "a"]);
});

test("only GlobalIds are places to fly to", () => {
  expect([A, "#17", "line 3", "short"].map(isPlace)).toEqual([true, false, false, false]);
});

test("what is closed or solved is over, however it is written", () => {
  expect(["Closed", "SOLVED", "in_progress", "Open", null].map(isOver)).toEqual([true, true, false, false, false]);
});
