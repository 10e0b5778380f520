import type { ReactNode } from "react";

/** Three storeys with one of them alive. */
export function Logo({ size = 24 }: { size?: number }): ReactNode {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden className="logo">
      <path d="M16 3 29 9.5 16 16 3 9.5Z" fill="none" stroke="currentColor" strokeWidth="2.2" strokeLinejoin="round" />
      <path d="M16 10.5 29 17 16 23.5 3 17Z" fill="var(--accent)" opacity=".9" />
      <path d="M3 23 16 29.5 29 23" fill="none" stroke="currentColor" strokeWidth="2.2" strokeLinejoin="round" />
    </svg>
  );
}
