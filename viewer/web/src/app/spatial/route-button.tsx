import { Navigation } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useBuilding } from "../context";
import { IconButton } from "../parts";
import { useSceneState } from "../scene/state";
import { lastPlace } from "./here";
import { ROUTE, useAsk } from "./state";

export function RouteButton(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { spatial } = useSceneState();
  const ask = useAsk();
  const on = spatial?.kind === "route";
  return (
    <IconButton icon={Navigation} label={t("spatial.route.title")} active={on}
      onClick={() => ask(on ? null : { ...ROUTE, from: lastPlace.get()[building.id] ?? null })} />
  );
}
