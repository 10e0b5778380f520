import { createContext, useContext } from "react";
import type { Building } from "../api/types";
import type { LiveClient } from "./live";
import type { Mode } from "./theme";

export const ModeContext = createContext<Mode>("light");

export interface BuildingScope {
  building: Building;
  live: LiveClient;
}

export const BuildingContext = createContext<BuildingScope | null>(null);

/** The building that the page is about; only inside the shell. */
export function useBuilding(): BuildingScope {
  const scope = useContext(BuildingContext);
  if (!scope) throw new Error("useBuilding outside of a building's pages");
  return scope;
}

export const useModeValue = (): Mode => useContext(ModeContext);
