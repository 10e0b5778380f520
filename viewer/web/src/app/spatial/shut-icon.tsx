import type { ReactNode } from "react";

/** The drawing symbol of a valve. */
export function ShutIcon({ size = 14 }: { size?: number }): ReactNode {
  return <svg width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth={1.5} strokeLinejoin="round" aria-hidden><path d="M2 3 L8 8 L2 13 Z M14 3 L8 8 L14 13 Z" /></svg>;
}
