/** Where the camera is while one walks along a route. Pure. */
import { alongLine, type Vec3, type View } from "../../engine";

export const PACE = 1.3; // m/s, as the server reckons
export type Eye = "behind" | "own";

const AHEAD = 2.5; // m
const EYES = 1.6; // m above the floor

/** The heading, radians; `before` where the way goes straight up or is at its end. */
export function headingAt(points: readonly Vec3[], metres: number, before: number): number {
  const here = alongLine(points, metres);
  const ahead = alongLine(points, metres + AHEAD);
  if (!here || !ahead) return before;
  const [dx, dy] = [ahead.point[0] - here.point[0], ahead.point[1] - here.point[1]];
  return Math.hypot(dx, dy) < 0.3 ? before : Math.atan2(dy, dx);
}

/** Part of the way from one heading to another, the short way round. */
export function turned(from: number, to: number, share: number): number {
  const turn = ((((to - from + Math.PI) % (2 * Math.PI)) + 2 * Math.PI) % (2 * Math.PI)) - Math.PI;
  return from + turn * share;
}

/** From behind and above, as one looks into a doll's house; or out of one's own eyes. */
export function walkView(points: readonly Vec3[], metres: number, heading: number, eye: Eye): View | null {
  const here = alongLine(points, metres);
  if (!here) return null;
  const [x, y, z] = here.point;
  const [dx, dy] = [Math.cos(heading), Math.sin(heading)];
  if (eye === "own") return { eye: [x, y, z + EYES], target: [x + dx * 3, y + dy * 3, z + EYES - 0.25] };
  return { eye: [x - dx * 8, y - dy * 8, z + 9], target: [x + dx * 2.5, y + dy * 2.5, z + 0.6] };
}
