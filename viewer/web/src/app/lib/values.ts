/** React's view of the live values. */
import { useCallback, useSyncExternalStore } from "react";
import { useBuilding } from "../context";
import type { LiveValue } from "../live";

/** The newest value of a point, or undefined before the first. */
export function useValue(handle: number): LiveValue | undefined {
  const { live } = useBuilding();
  const subscribe = useCallback((listener: () => void) => live.onValue(handle, listener), [live, handle]);
  return useSyncExternalStore(subscribe, () => live.values.get(handle));
}

/** Rises at most once per animation frame when anything changed; for views of many points. */
export function useValuesVersion(enabled: boolean): number {
  const { live } = useBuilding();
  const subscribe = useCallback((listener: () => void) => (enabled ? live.onAnyValue(listener) : () => undefined), [live, enabled]);
  return useSyncExternalStore(subscribe, () => (enabled ? live.version : 0));
}

export function asNumber(value: LiveValue | undefined): number | null {
  if (!value || value.quality === 2) return null;
  if (typeof value.value === "boolean") return value.value ? 1 : 0;
  return typeof value.value === "number" && Number.isFinite(value.value) ? value.value : null;
}
