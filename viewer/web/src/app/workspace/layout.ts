/** How somebody has arranged the panels: sizes and what is open, kept on the server, the same on every machine. */
import { useEffect } from "react";
import { get, request } from "../../api/client";
import type { components } from "../../api/schema.gen";
import { createSavedStore, useStore } from "../lib/store";

export type Layout = components["schemas"]["Layout"];
export type DockName = "left" | "right" | "plan" | "bottom";

/** What this machine knows of it, so that nothing jumps while the server is asked. */
const layout = createSavedStore<Layout>("twin.layout", {});
let asked = false;
let timer: ReturnType<typeof setTimeout> | undefined;

const LEAST: Record<DockName, number> = { left: 220, right: 280, plan: 260, bottom: 120 }; // px
const SHARE = 0.4; // of the window, at most

export const DEFAULT_SIZE: Record<DockName, number> = { left: 296, right: 368, plan: 520, bottom: 264 };

/** A size that leaves room for the rest, px. */
export function clampSize(dock: DockName, size: number, window: number): number {
  return Math.round(Math.max(LEAST[dock], Math.min(size, window * SHARE)));
}

/** The layout after a change of some of it. */
export function merged(before: Layout, change: Layout): Layout {
  const docks = (["left", "right", "plan", "bottom"] as const).flatMap((name) => (change[name] ? [[name, { ...before[name], ...change[name] }] as const] : []));
  for (const name of ["panels", "front"] as const) if (change[name]) docks.push([name, { ...before[name], ...change[name] }] as never);
  return { ...before, ...change, ...Object.fromEntries(docks) };
}

export function useLayout(): Layout {
  useEffect(() => {
    if (asked) return;
    asked = true;
    void get<Layout>("/me/workspace").then((kept) => layout.set((before) => merged(before, kept))).catch(() => {
      asked = false; // the server is away: this machine's own until it is asked again
    });
  }, []);
  return useStore(layout);
}

/** Takes effect at once; the server hears of it when the hand rests. */
export function changeLayout(change: Layout): void {
  layout.set((before) => merged(before, change));
  clearTimeout(timer);
  timer = setTimeout(() => void request("PUT", "/me/workspace", { body: layout.get() }).catch(() => undefined), 600);
}
