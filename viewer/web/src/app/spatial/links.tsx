/** Ways into the spatial graph from other pages and from the toolbar. */
import { Button } from "antd";
import { Navigation } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useBuilding } from "../context";
import { IconButton } from "../parts";
import { useSceneState } from "../scene/state";
import { ROUTE, lastPlace, useAsk } from "./state";

/** To the 3D view with the way to a place: from where one was last, or where one says one is. */
export function RouteLink({ to, block = false, large = false }: { to: string | null | undefined; block?: boolean; large?: boolean }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  if (!to) return null;
  return (
    <Link to={`/b/${building.id}?route=${encodeURIComponent(to)}`} className={block ? "where-link" : ""}>
      <Button block={block} {...(large ? { size: "large" as const } : {})} icon={<Navigation size={15} />}>{t("spatial.route.title")}</Button>
    </Link>
  );
}

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
