/** The 3D view as a piece of an address, so that a colleague sees the same. Pure. */
import type { Section, Vec3, View } from "../../engine";
import type { StoreyMode } from "../scene/state";

export interface SharedView {
  view: View;
  storey: string | null;
  storeyMode: StoreyMode;
  selected: string | null;
  /** Key of the quantity that colours the model. */
  colouring: string | null;
  hiddenLayers: readonly string[];
  section: Section | null;
  apart: number;
}

const round = (p: Vec3): Vec3 => p.map((c) => Math.round(c * 1000) / 1000) as unknown as Vec3;

/** Text for `?view=`: letters that need no escaping. Coordinates are kept to the millimetre. */
export function encodeView(shared: SharedView): string {
  const { view, section } = shared;
  const cut = section && (section.kind === "box" ? { b: [round(section.box.min), round(section.box.max)] } : { p: [round(section.location), round(section.direction)] });
  const brief = {
    e: round(view.eye), t: round(view.target), ...(view.projection === "orthographic" ? { o: 1 } : {}), ...(shared.storey ? { s: shared.storey, m: shared.storeyMode } : {}),
    ...(shared.selected ? { g: shared.selected } : {}), ...(shared.colouring ? { c: shared.colouring } : {}),
    ...(shared.hiddenLayers.length > 0 ? { h: shared.hiddenLayers } : {}), ...(cut ? { x: cut } : {}), ...(shared.apart > 0 ? { a: shared.apart } : {}),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(brief));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The view that such a text means; null for anything else: an address may have been cut or typed. */
export function decodeView(text: string): SharedView | null {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const brief = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    const [eye, target] = [point(brief["e"]), point(brief["t"])];
    if (!eye || !target) return null;
    const words = (value: unknown): string | null => (typeof value === "string" && value.length < 200 ? value : null);
    const mode = words(brief["m"]);
    return {
      view: { eye, target, projection: brief["o"] === 1 ? "orthographic" : "perspective" },
      storey: words(brief["s"]), storeyMode: mode === "isolate" || mode === "ghost" ? mode : "cut",
      selected: words(brief["g"]), colouring: words(brief["c"]),
      hiddenLayers: Array.isArray(brief["h"]) ? brief["h"].filter((one): one is string => typeof one === "string") : [],
      section: cutOf(brief["x"]), apart: typeof brief["a"] === "number" && brief["a"] > 0 && brief["a"] <= 100 ? brief["a"] : 0,
    };
  } catch {
    return null;
  }
}

function point(value: unknown): Vec3 | null {
  return Array.isArray(value) && value.length === 3 && value.every((c) => typeof c === "number" && Number.isFinite(c)) ? (value as unknown as Vec3) : null;
}

function cutOf(value: unknown): Section | null {
  const { b, p } = (value ?? {}) as { b?: unknown[]; p?: unknown[] };
  const [min, max, location, direction] = [point(b?.[0]), point(b?.[1]), point(p?.[0]), point(p?.[1])];
  if (min && max && min.every((c, i) => c < (max[i] as number))) return { kind: "box", box: { min, max } };
  return location && direction && direction.some((c) => c !== 0) ? { kind: "plane", location, direction } : null;
}
