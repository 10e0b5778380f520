/** A line small enough to stand beside a name. Pure. */

/** SVG path of values at times within a box, gaps left open; "" where there is nothing to draw. */
export function sparkPath(points: readonly { at: number; value: number | null }[], from: number, to: number, width: number, height: number): string {
  const known = points.flatMap(({ value }) => (value === null || !Number.isFinite(value) ? [] : [value]));
  if (known.length === 0 || to <= from) return "";
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const y = (value: number): number => (high > low ? height - 2 - ((value - low) / (high - low)) * (height - 4) : height / 2);
  let path = "";
  let pen = false;
  for (const { at, value } of points) {
    if (value === null || !Number.isFinite(value)) {
      pen = false;
      continue;
    }
    const x = ((at - from) / (to - from)) * width;
    path += `${pen ? "L" : "M"}${x.toFixed(1)} ${y(value).toFixed(1)}`;
    pen = true;
  }
  return path;
}
