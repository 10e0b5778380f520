/** What this person chose on this device. */
import { useEffect, useState } from "react";
import { applyPalette, type Mode, type ThemeChoice } from "../theme";
import { createSavedStore, useStore } from "./store";

export const themeChoice = createSavedStore<ThemeChoice>("twin.theme", "system");
export const lastBuilding = createSavedStore<string | null>("twin.building", null);
export const panelWidths = createSavedStore<{ left: number; right: number }>("twin.panels", { left: 296, right: 368 });
export const labelsShown = createSavedStore<boolean>("twin.labels", true);

const DARK = "(prefers-color-scheme: dark)";

export function useMode(): Mode {
  const choice = useStore(themeChoice);
  const system = useMedia(DARK);
  const mode: Mode = choice === "system" ? (system ? "dark" : "light") : choice;
  useEffect(() => applyPalette(mode), [mode]);
  return mode;
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => window.matchMedia(query).matches);
  useEffect(() => {
    const list = window.matchMedia(query);
    const update = (): void => setMatches(list.matches);
    update();
    list.addEventListener("change", update);
    return () => list.removeEventListener("change", update);
  }, [query]);
  return matches;
}

/** Phones and narrow windows get one column, sheets instead of side panels and a tab bar. */
export const usePhone = (): boolean => useMedia("(max-width: 767px)");

export function firstMode(): Mode {
  const choice = themeChoice.get();
  return choice === "system" ? (window.matchMedia(DARK).matches ? "dark" : "light") : choice;
}
