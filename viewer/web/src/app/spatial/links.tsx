/** A way into the spatial graph from other pages. */
import { Navigation } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useBuilding } from "../context";
import { LinkButton } from "../parts";

/** To the 3D view with the way to a place: from where one was last, or where one says one is. */
export function RouteLink({ to, block = false, large = false }: { to: string | null | undefined; block?: boolean; large?: boolean }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  if (!to) return null;
  return (
    <LinkButton to={`/b/${building.id}?route=${encodeURIComponent(to)}`} block={block} {...(large ? { size: "large" as const } : {})} icon={<Navigation size={large ? 17 : 15} />}>
      {t("spatial.route.title")}
    </LinkButton>
  );
}
