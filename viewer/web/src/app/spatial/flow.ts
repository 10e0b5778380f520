/** From what the server says of a flow to what the 3D view draws: lines with a direction, colours. Pure. */
import type { Box, FlowLine, Rgb, Vec3 } from "../../engine";
import type { Brief, Reached } from "./types";

/** Told apart with every common colour blindness (Okabe and Ito). */
export const COLOURS = {
  start: [213, 94, 0], equipment: [86, 160, 220], room: [240, 190, 60], shut: [150, 70, 160], neighbour: [64, 160, 170],
  here: [213, 94, 0], walked: [120, 205, 180],
} as const satisfies Record<string, Rgb>;

export type BoxOf = (globalId: string) => Box | null;

const middle = ({ min, max }: Box): Vec3 => [(min[0] + max[0]) / 2, (min[1] + max[1]) / 2, (min[2] + max[2]) / 2];
const apart = (a: Vec3, b: Vec3): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

/** Where two boxes touch: the middle of what they share, or of the gap between them. */
export function touch(a: Box, b: Box): Vec3 {
  const axis = (i: 0 | 1 | 2): number => (Math.max(a.min[i], b.min[i]) + Math.min(a.max[i], b.max[i])) / 2;
  return [axis(0), axis(1), axis(2)];
}

/** From the middle of one to the middle of the other, through where they touch: the centre line of straight pipes. */
export function joint(from: Box, to: Box): Vec3[] {
  const [a, b] = [middle(from), middle(to)];
  const at = touch(from, to);
  return apart(a, b) < 1e-6 ? [] : [a, at, b];
}

/**
 * The lines of everything up- or downstream of `start`. What has no shape of its own is passed over: the line goes on
 * from the nearest element before it that has one. `items` come nearest first.
 */
export function flowLines(start: Brief, items: readonly Reached[], boxOf: BoxOf, upstream: boolean): FlowLine[] {
  const anchors = new Map<string, { box: Box; metres: number }>();
  const first = boxOf(start.global_id);
  if (first) anchors.set(start.id, { box: first, metres: 0 });
  const lines: FlowLine[] = [];
  for (const item of items.toSorted((a, b) => a.distance - b.distance)) {
    const own = boxOf(item.element.global_id);
    for (const id of item.via) {
      const before = anchors.get(id);
      if (!own || !before) {
        if (!anchors.has(item.element.id) && (own || before)) anchors.set(item.element.id, own ? { box: own, metres: 0 } : (before as { box: Box; metres: number }));
        continue;
      }
      const points = joint(before.box, own);
      if (points.length === 0) continue;
      const long = apart(points[0] as Vec3, points[1] as Vec3) + apart(points[1] as Vec3, points[2] as Vec3);
      if (!anchors.has(item.element.id)) anchors.set(item.element.id, { box: own, metres: before.metres + long });
      lines.push(upstream
        ? { points: points.toReversed(), colour: COLOURS.equipment, from: -(before.metres + long) }
        : { points, colour: COLOURS.equipment, from: before.metres });
    }
  }
  return lines;
}

/** The lines of a whole system: one for each pair where the medium goes from one to the other. */
export function edgeLines(members: readonly Brief[], edges: readonly { from: string; to: string }[], boxOf: BoxOf): FlowLine[] {
  const boxes = new Map(members.map((one) => [one.id, boxOf(one.global_id)] as const));
  return edges.flatMap(({ from, to }) => {
    const [a, b] = [boxes.get(from), boxes.get(to)];
    const points = a && b ? joint(a, b) : [];
    return points.length > 0 ? [{ points, colour: COLOURS.equipment }] : [];
  });
}
