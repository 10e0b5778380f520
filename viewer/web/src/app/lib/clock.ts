/**
 * The server's clock. Readings, alarms and the ends of windows of time are the server's: on a machine whose clock is
 * wrong, "3 min ago" would be wrong too, and the timeline would end in the past or the future.
 */
const JUMP = 5_000; // ms; a sample this far off means that a clock was set
const EASE = 0.05;

let offset: number | null = null;

/** The server said that it was `server` (ms since the epoch) when here it was `local`. */
export function heardServerTime(server: number, local = Date.now()): void {
  const sample = server - local;
  if (offset === null || Math.abs(sample - offset) > JUMP) offset = sample;
  // What travelled longest says the least: the largest difference is nearest to the truth, and slowly forgotten.
  else offset = sample > offset ? sample : offset + (sample - offset) * EASE;
}

/** ms since the epoch by the server's clock; this machine's until the server has said something. */
export const serverNow = (): number => Date.now() + (offset ?? 0);

/** How far this machine's clock is behind the server's, ms; null before the server has said anything. */
export const clockOffset = (): number | null => offset;
