/** The part of a sheet that is seen: as the `viewBox` of its SVG. Pure. Lengths in the sheet's own units. */

export interface Frame {
  x: number;
  y: number;
  width: number;
  height: number;
}

const CLOSEST = 12; // units across
const FARTHEST = 1.6; // of the whole sheet

export function parseFrame(viewBox: string | null): Frame {
  const [x = 0, y = 0, width = 100, height = 100] = (viewBox ?? "").split(/[\s,]+/).map(Number);
  return { x, y, width, height };
}

export const written = ({ x, y, width, height }: Frame): string => [x, y, width, height].map((n) => n.toFixed(3)).join(" ");

/** Nearer (factor < 1) or farther away; the point (px, py), 0 to 1 of the picture, stays where it is. */
export function zoomed(frame: Frame, whole: Frame, factor: number, px: number, py: number): Frame {
  const width = Math.min(whole.width * FARTHEST, Math.max(CLOSEST, frame.width * factor));
  const share = width / frame.width;
  const height = frame.height * share;
  return { x: frame.x + (frame.width - width) * px, y: frame.y + (frame.height - height) * py, width, height };
}

/** Moved by a share of the picture; its middle stays on the sheet. */
export function moved(frame: Frame, whole: Frame, dx: number, dy: number): Frame {
  const hold = (at: number, size: number, from: number, all: number): number => Math.min(from + all - size / 2, Math.max(from - size / 2, at));
  return {
    ...frame, x: hold(frame.x - dx * frame.width, frame.width, whole.x, whole.width),
    y: hold(frame.y - dy * frame.height, frame.height, whole.y, whole.height),
  };
}

/** The whole sheet in a picture of these proportions. */
export function fitted(whole: Frame, aspect: number): Frame {
  const own = whole.width / whole.height;
  if (own > aspect) {
    const height = whole.width / aspect;
    return { x: whole.x, y: whole.y - (height - whole.height) / 2, width: whole.width, height };
  }
  const width = whole.height * aspect;
  return { x: whole.x - (width - whole.width) / 2, y: whole.y, width, height: whole.height };
}
