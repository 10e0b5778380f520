/** Between a BCF view, as the server tells it, and what the 3D view can do. Pure. */
import type { ClipPlane, Vec3, View } from "../../engine";
import type { IssueViewpoint } from "./queries";

export type Rgb = readonly [number, number, number];

/** Elements in colours of their own, with the words that say why. */
export interface Painted {
  colours: ReadonlyMap<string, Rgb>;
  title: string;
  /** Where the words lead: the issue or the check. */
  to: string;
  /** Sections that belong to it. */
  planes?: readonly ClipPlane[];
  /** Whether it wants rooms to be seen as volumes; as the user has set it where it does not say. */
  spaces?: boolean;
  /** Of colouring rules: what each means and how many elements it found. */
  rules?: readonly { query: string; colour: string; label: string; count: number }[];
  /** What the colours mean, where the words do not say it. */
  legend?: readonly (readonly [Rgb, string])[];
}

/** Of an IDS check, and of what an issue selects; told apart with every common colour blindness. */
export const PASS: Rgb = [49, 130, 189];
export const FAIL: Rgb = [217, 95, 14];
export const SELECTED: Rgb = [240, 163, 10];

/** RRGGBB or AARRGGBB; null for anything else. */
export function parseColour(text: string): Rgb | null {
  const match = /^(?:[0-9a-f]{2})?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  if (!match) return null;
  return [1, 2, 3].map((i) => Number.parseInt(match[i] ?? "0", 16)) as unknown as Rgb;
}

/** The camera of a viewpoint; null where it has none. */
export function cameraOf(viewpoint: IssueViewpoint): View | null {
  const { camera } = viewpoint.view;
  if (!camera || !viewpoint.target) return null;
  return {
    eye: camera.eye as unknown as Vec3,
    target: viewpoint.target as unknown as Vec3,
    ...(camera.kind === "orthogonal" ? { projection: "orthographic" as const, ...(camera.view_to_world_scale ? { height: camera.view_to_world_scale } : {}) }
      : { projection: "perspective" as const, ...(camera.field_of_view ? { fieldOfView: camera.field_of_view } : {}) }),
  };
}

/** The sections of a viewpoint. */
export function planesOf(viewpoint: IssueViewpoint): ClipPlane[] {
  return (viewpoint.view.clipping_planes ?? []).map(({ location, direction }) => ({
    location: location as unknown as Vec3, direction: direction as unknown as Vec3,
  }));
}

const ids = (components: readonly { ifc_guid?: string | null | undefined }[] | undefined): string[] =>
  (components ?? []).map((one) => one.ifc_guid).filter((one): one is string => typeof one === "string");

/** What a viewpoint shows: colours, the elements shown alone (null: all), the hidden ones, the selected one. */
export function shownBy(viewpoint: IssueViewpoint): { colours: Map<string, Rgb>; only: string[] | null; hidden: string[]; selected: string | null } {
  const { selection, visibility, colouring } = viewpoint.view;
  const chosen = ids(selection);
  const colours = new Map<string, Rgb>(chosen.length > 1 ? chosen.map((one) => [one, SELECTED]) : []);
  for (const each of colouring ?? []) {
    const colour = parseColour(each.colour);
    if (colour) for (const one of ids(each.components)) colours.set(one, colour);
  }
  const exceptions = visibility ? ids(visibility.exceptions) : [];
  const all = visibility?.default ?? true;
  return { colours, only: all || exceptions.length === 0 ? null : exceptions, hidden: all ? exceptions : [], selected: chosen[0] ?? null };
}
