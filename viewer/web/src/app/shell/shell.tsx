/** The frame around a building's pages: navigation, live connection, alarm toasts. The 3D view stays mounted. */
import { useQueryClient } from "@tanstack/react-query";
import { Spin } from "antd";
import { Building2 } from "lucide-react";
import { lazy, Suspense, useEffect, useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, Outlet, useLocation, useParams } from "react-router";
import { BuildingContext } from "../context";
import { lastBuilding, usePhone } from "../lib/prefs";
import { LiveClient } from "../live";
import { Empty, Failure } from "../parts";
import { refreshFor, useBuildings } from "../queries";
import { AlarmToasts } from "./alarm-toasts";
import { ErrorBoundary } from "./error-boundary";
import { NavRail, TabBar } from "./navigation";
import { OfflineBanner } from "./offline";
import { Shortcuts } from "./shortcuts";
import { TopBar } from "./top-bar";
import type { Building } from "../../api/types";

const BuildingView = lazy(() => import("../scene/building-view"));

export default function Shell(): ReactNode {
  const { t } = useTranslation();
  const { building: ref } = useParams();
  const buildings = useBuildings();
  const building = buildings.data?.find((one) => one.id === ref || one.name === ref);
  useEffect(() => {
    if (building) lastBuilding.set(building.id);
  }, [building]);
  if (buildings.isPending) return <div className="center"><Spin /></div>;
  if (buildings.isError) return <div className="center"><Failure error={buildings.error} retry={() => void buildings.refetch()} /></div>;
  if (!building) {
    return (
      <div className="center">
        <Empty icon={Building2} title={t("building.unknown")} hint={t("building.unknownHint")} action={<Link to="/">{t("building.toHome")}</Link>} />
      </div>
    );
  }
  return <BuildingShell key={building.id} building={building} />;
}

function BuildingShell({ building }: { building: Building }): ReactNode {
  const phone = usePhone();
  const location = useLocation();
  const live = useLive(building.id);
  const scope = useMemo(() => ({ building, live }), [building, live]);
  const onScene = /^\/b\/[^/]+\/?$/.test(location.pathname);
  const sceneSeen = useSeen(onScene);
  return (
    <BuildingContext value={scope}>
      <div className={`shell${phone ? " is-phone" : ""}`}>
        {phone ? null : <NavRail />}
        <div className="shell-main">
          <TopBar />
          <OfflineBanner />
          <div className="shell-body">
            {sceneSeen ? (
              <div className={`scene-host${onScene ? "" : " is-hidden"}`} aria-hidden={!onScene}>
                <ErrorBoundary>
                  <Suspense fallback={<div className="center"><Spin /></div>}>
                    <BuildingView shown={onScene} />
                  </Suspense>
                </ErrorBoundary>
              </div>
            ) : null}
            {onScene ? null : (
              <main className="page" key={location.pathname}>
                <ErrorBoundary>
                  <Suspense fallback={<div className="center"><Spin /></div>}>
                    <Outlet />
                  </Suspense>
                </ErrorBoundary>
              </main>
            )}
          </div>
        </div>
        {phone ? <TabBar /> : null}
        <AlarmToasts />
        <Shortcuts />
      </div>
    </BuildingContext>
  );
}

/** True from the first time that `shown` was: what was opened once stays loaded. */
function useSeen(shown: boolean): boolean {
  const [seen, setSeen] = useState(shown);
  if (shown && !seen) setSeen(true);
  return seen || shown;
}

function useLive(building: string): LiveClient {
  const client = useQueryClient();
  const [live] = useState(() => new LiveClient(building));
  useEffect(() => {
    live.start();
    const offEvent = live.onEvent((event) => refreshFor(client, event.topic));
    const offResync = live.onResync(() => void client.invalidateQueries());
    return () => {
      offEvent();
      offResync();
      live.stop();
    };
  }, [client, live]);
  return live;
}
