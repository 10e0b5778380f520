/** Providers and routes. Everything behind the sign-in is loaded when it is needed. */
import { App as AntApp, ConfigProvider, theme } from "antd";
import type { Locale } from "antd/es/locale";
import { lazy, Suspense, useEffect, useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { BrowserRouter, Navigate, Outlet, Route, Routes, useLocation } from "react-router";
import { ModeContext } from "./context";
import { NONCE } from "./lib/nonce";
import { useMode } from "./lib/prefs";
import { useStore } from "./lib/store";
import { IdleWatch } from "./access/idle";
import { returnPath } from "./access/return-path";
import { SessionEnded } from "./access/session-ended";
import { SignIn } from "./pages/sign-in";
import { codesShown, dueFirst, useSession } from "./session";
import { antdTheme } from "./theme";

const Shell = lazy(() => import("./shell/shell"));
const Home = lazy(() => import("./shell/home"));
const OrderRedirect = lazy(() => import("./shell/order-redirect"));
const Overview = lazy(() => import("./overview/overview"));
const BuildingList = lazy(() => import("./overview/list"));
const Alarms = lazy(() => import("./pages/alarms"));
const Orders = lazy(() => import("./pages/orders"));
const OrderPage = lazy(() => import("./pages/order"));
const Plans = lazy(() => import("./pages/plans"));
const Models = lazy(() => import("./pages/models"));
const Changes = lazy(() => import("./versions/changes"));
const Issues = lazy(() => import("./issues/issues"));
const Checks = lazy(() => import("./checks/checks"));
const Trends = lazy(() => import("./telemetry/trends/trends"));
const Dashboards = lazy(() => import("./dashboards/list"));
const DashboardPage = lazy(() => import("./dashboards/dashboard"));
const Wall = lazy(() => import("./dashboards/wall"));
const Display = lazy(() => import("./dashboards/display"));
const Reports = lazy(() => import("./reports/reports"));
const ReportRun = lazy(() => import("./reports/run"));
const Telemetry = lazy(() => import("./telemetry/layout"));
const Points = lazy(() => import("./telemetry/points/points"));
const Suggestions = lazy(() => import("./telemetry/suggestions"));
const Sources = lazy(() => import("./telemetry/sources"));
const Quarantine = lazy(() => import("./telemetry/quarantine"));
const History = lazy(() => import("./telemetry/history"));
const Derived = lazy(() => import("./telemetry/derived"));
const Account = lazy(() => import("./account/account"));
const ForcedPassword = lazy(() => import("./access/forced-password"));
const ForcedFactor = lazy(() => import("./access/forced-factor"));
const Admin = lazy(() => import("./admin/admin"));
const Accounts = lazy(() => import("./admin/accounts"));
const Roles = lazy(() => import("./admin/roles"));
const Grants = lazy(() => import("./admin/grants"));
const Keys = lazy(() => import("./admin/keys"));
const Audit = lazy(() => import("./admin/audit"));
const NotFound = lazy(() => import("./shell/refused"));

const csp = { nonce: NONCE };

export function App(): ReactNode {
  const mode = useMode();
  const locale = useAntLocale();
  const config = useMemo(
    () => antdTheme(mode, mode === "dark" ? theme.darkAlgorithm : theme.defaultAlgorithm),
    [mode],
  );
  return (
    <ModeContext value={mode}>
      <ConfigProvider csp={csp} theme={config} {...(locale ? { locale } : {})} button={{ autoInsertSpace: false }}>
        <AntApp className="app" message={{ maxCount: 3 }}>
          <BrowserRouter>
            <Gate />
          </BrowserRouter>
        </AntApp>
      </ConfigProvider>
    </ModeContext>
  );
}

function Gate(): ReactNode {
  const session = useSession();
  const codes = useStore(codesShown);
  const location = useLocation();
  if (session.state === "loading") return <Splash />;
  if (location.pathname === "/display") {
    return <Suspense fallback={<Splash />}><Display known={session.state === "in" && session.session.csrf_token !== null} /></Suspense>;
  }
  if (session.state === "out") {
    if (location.pathname !== "/sign-in") {
      return <Navigate to="/sign-in" replace state={{ from: location.pathname + location.search }} />;
    }
    return <SignIn unreachable={session.unreachable} />;
  }
  const due = codes ? "second_factor" : dueFirst(session.session);
  return (
    <Suspense fallback={<Splash />}>
      {due === "password" ? <ForcedPassword /> : due === "second_factor" ? <ForcedFactor /> : <Pages />}
      {session.ended ? <SessionEnded me={session.session} reason={session.ended} /> : <IdleWatch />}
    </Suspense>
  );
}

function Pages(): ReactNode {
  return (
    <Routes>
      <Route path="/sign-in" element={<Back />} />
      <Route path="/orders" element={<Home to="orders" />} />
      <Route path="/orders/:order" element={<OrderRedirect />} />
      <Route path="/" element={<Start />} />
      <Route path="/settings" element={<Navigate to="/account" replace />} />
      <Route element={<Shell />}>
        <Route path="/b/:building" element={<Outlet />}>
          <Route index element={null} />
          <Route path="overview" element={<Overview />} />
          <Route path="alarms" element={<Alarms />} />
          <Route path="orders" element={<Orders />} />
          <Route path="orders/:order" element={<OrderPage />} />
          <Route path="plans" element={<Plans />} />
          <Route path="models" element={<Models />} />
          <Route path="models/:model/changes" element={<Changes />} />
          <Route path="issues" element={<Issues />} />
          <Route path="checks" element={<Checks />} />
          <Route path="trends" element={<Trends />} />
          <Route path="dashboards" element={<Dashboards />} />
          <Route path="dashboards/wall" element={<Wall />} />
          <Route path="dashboards/:dashboard" element={<DashboardPage />} />
          <Route path="reports" element={<Reports />} />
          <Route path="reports/:run" element={<ReportRun />} />
          <Route path="telemetry" element={<Telemetry />}>
            <Route index element={null} />
            <Route path="points" element={<Points />} />
            <Route path="suggestions" element={<Suggestions />} />
            <Route path="derived" element={<Derived />} />
            <Route path="sources" element={<Sources />} />
            <Route path="quarantine" element={<Quarantine />} />
            <Route path="history" element={<History />} />
            <Route path="*" element={<NotFound />} />
          </Route>
          <Route path="settings" element={<Navigate to="/account" replace />} />
        </Route>
        <Route path="/overview" element={<BuildingList />} />
        <Route path="/account" element={<Account />} />
        <Route path="/admin" element={<Admin />}>
          <Route index element={null} />
          <Route path="accounts" element={<Accounts />} />
          <Route path="roles" element={<Roles />} />
          <Route path="grants" element={<Grants />} />
          <Route path="keys" element={<Keys />} />
          <Route path="audit" element={<Audit />} />
          <Route path="*" element={<NotFound />} />
        </Route>
        <Route path="*" element={<NotFound />} />
      </Route>
    </Routes>
  );
}

/** `/`: where one was before a sign-in that left the page, else the building. */
function Start(): ReactNode {
  const [back] = useState(returnPath.take);
  return back && back !== "/" ? <Navigate to={back} replace /> : <Home />;
}

function Back(): ReactNode {
  const location = useLocation();
  const from = (location.state as { from?: string } | null)?.from ?? "/";
  return <Navigate to={from} replace />;
}

/** Keeps the background in place while a chunk loads: nothing jumps, nothing flashes. */
export function Splash(): ReactNode {
  return <div className="splash" aria-busy="true" />;
}

function useAntLocale(): Locale | null {
  const { i18n } = useTranslation();
  const [locale, setLocale] = useState<Locale | null>(null);
  useEffect(() => {
    let current = true;
    const load = i18n.language === "en" ? import("antd/es/locale/en_US") : import("antd/es/locale/zh_CN");
    void load.then((module) => {
      if (current) setLocale(module.default);
    });
    return () => {
      current = false;
    };
  }, [i18n.language]);
  return locale;
}
