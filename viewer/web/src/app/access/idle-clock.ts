/** When a page that nobody uses signs out. Pure. */

/** How long before the end the page asks whether somebody is there, s. */
export const WARN_S = 60;

/** Seconds until the session counts as idle; a clock that was set back never makes it longer than `idle`. */
export const secondsLeft = (lastActive: number, now: number, idle: number): number => Math.min(idle, idle - (now - lastActive) / 1000);

export const isOver = (left: number): boolean => left <= 0;
