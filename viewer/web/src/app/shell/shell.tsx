/** The frame around all pages: navigation, live connection, alarm toasts. The 3D view stays mounted. */
import { useQueryClient } from "@tanstack/react-query";
import { Spin } from "antd";
import { Building2 } from "lucide-react";
import { lazy, Suspense, useEffect, useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { matchPath, Outlet, useLocation } from "react-router";
import { get } from "../../api/client";
import { BuildingContext } from "../context";
import { lastBuilding, usePhone } from "../lib/prefs";
import { LiveClient } from "../live";
import { Empty, Failure, LinkButton } from "../parts";
import { refreshFor, useBuildings } from "../queries";
import { useIsEnded, useMay } from "../session";
import { AlarmToasts } from "./alarm-toasts";
import { ErrorBoundary } from "./error-boundary";
import { NavRail, TabBar } from "./navigation";
import { OfflineBanner } from "./offline";
import { Shortcuts } from "./shortcuts";
import { TopBar } from "./top-bar";
import type { Building } from "../../api/types";

const BuildingView = lazy(() => import("../scene/building-view"));

/** On a building's pages that building; on the server's pages the one that one comes from, if there is any. */
export default function Shell(): ReactNode {
  const { t } = useTranslation();
  const location = useLocation();
  const ref = matchPath("/b/:building/*", location.pathname)?.params.building;
  const may = useMay();
  const buildings = useBuildings(may("building.read"));
  const last = lastBuilding.get();
  const known = buildings.data ?? [];
  const building = ref ? known.find((one) => one.id === ref || one.name === ref) : (known.find((one) => one.id === last) ?? known[0]);
  useEffect(() => {
    if (building) lastBuilding.set(building.id);
  }, [building]);
  if (buildings.isLoading) return <div className="center"><Spin /></div>;
  if (building) return <BuildingShell key={building.id} building={building} />;
  if (!ref) return <Frame scene={null} top={null} />;
  if (buildings.isError) return <div className="center"><Failure error={buildings.error} retry={() => void buildings.refetch()} /></div>;
  return (
    <div className="center">
      <Empty icon={Building2} title={t("building.unknown")} hint={t("building.unknownHint")} action={<LinkButton to="/">{t("building.toHome")}</LinkButton>} />
    </div>
  );
}

function BuildingShell({ building }: { building: Building }): ReactNode {
  const location = useLocation();
  const live = useLive(building.id);
  const scope = useMemo(() => ({ building, live }), [building, live]);
  const onScene = /^\/b\/[^/]+\/?$/.test(location.pathname);
  const sceneSeen = useSeen(onScene);
  return (
    <BuildingContext value={scope}>
      <Frame top={<OfflineBanner />} scene={sceneSeen ? (
        <div className={`scene-host${onScene ? "" : " is-hidden"}`} aria-hidden={!onScene}>
          <ErrorBoundary>
            <Suspense fallback={<div className="center"><Spin /></div>}>
              <BuildingView shown={onScene} />
            </Suspense>
          </ErrorBoundary>
        </div>
      ) : null} bare={onScene} />
      <AlarmToasts />
      <Shortcuts />
    </BuildingContext>
  );
}

function Frame({ top, scene, bare = false }: { top: ReactNode; scene: ReactNode; bare?: boolean }): ReactNode {
  const phone = usePhone();
  const location = useLocation();
  // Going from tab to tab of administration keeps the frame of the page; another page starts at its top.
  const page = location.pathname.startsWith("/admin") ? "/admin" : location.pathname;
  return (
    <div className={`shell${phone ? " is-phone" : ""}`}>
      {phone ? null : <NavRail />}
      <div className="shell-main">
        <TopBar />
        {top}
        <div className="shell-body">
          {scene}
          {bare ? null : (
            <main className="page" key={page}>
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
    </div>
  );
}

/** True from the first time that `shown` was: what was opened once stays loaded. */
function useSeen(shown: boolean): boolean {
  const [seen, setSeen] = useState(shown);
  if (shown && !seen) setSeen(true);
  return seen || shown;
}

const ASK_MS = 5_000;

/** A socket that is closed does not say why: whether the session is over is asked at once, and until it is back. */
function askWhileOffline(live: LiveClient): () => void {
  let timer: ReturnType<typeof setInterval> | undefined;
  const ask = (): void => void get("/session").catch(() => undefined); // a 401 puts the sign-in dialog over the page
  const look = (): void => {
    if (live.status !== "offline") {
      clearInterval(timer);
      timer = undefined;
    } else if (timer === undefined) {
      ask();
      timer = setInterval(ask, ASK_MS);
    }
  };
  const off = live.onStatus(look);
  return () => {
    off();
    clearInterval(timer);
  };
}

function useLive(building: string): LiveClient {
  const client = useQueryClient();
  const [live] = useState(() => new LiveClient(building));
  const ended = useIsEnded();
  useEffect(() => {
    if (ended) return;
    live.start();
    const offSession = askWhileOffline(live);
    const offEvent = live.onEvent((event) => refreshFor(client, event.topic));
    const offResync = live.onResync(() => void client.invalidateQueries());
    return () => {
      offSession();
      offEvent();
      offResync();
      live.stop();
    };
  }, [client, live, ended]);
  return live;
}
