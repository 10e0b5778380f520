/** `/`: the last used building, the only one, or a welcome where there is none. */
import { Button, Spin } from "antd";
import { Boxes, LogOut, ShieldCheck } from "lucide-react";
import { lazy, Suspense, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Navigate } from "react-router";
import { adminSections } from "../admin/sections";
import { lastBuilding } from "../lib/prefs";
import { Failure, LinkButton } from "../parts";
import { useBuildings } from "../queries";
import { useMay, useSignOut } from "../session";
import { LanguageButton, ThemeButton } from "./choices";
import { Logo } from "./logo";

const NewModel = lazy(() => import("../pages/new-model"));

export default function Home({ to = "" }: { to?: string }): ReactNode {
  const may = useMay();
  const buildings = useBuildings(may("building.read"));
  if (!may("building.read")) return <Navigate to={adminSections(may).length > 0 ? "/admin" : "/account"} replace />;
  if (buildings.isPending) return <div className="center tall"><Spin /></div>;
  if (buildings.isError) return <div className="center tall"><Failure error={buildings.error} retry={() => void buildings.refetch()} /></div>;
  const last = lastBuilding.get();
  const target = buildings.data.find((one) => one.id === last) ?? buildings.data[0];
  if (!target) return <Welcome />;
  return <Navigate to={`/b/${target.id}${to ? `/${to}` : ""}`} replace />;
}

function Welcome(): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const signOut = useSignOut();
  return (
    <div className="welcome">
      <header>
        <Logo size={26} />
        <span className="grow" />
        {adminSections(may).length > 0 ? <LinkButton to="/admin" type="text" icon={<ShieldCheck size={15} />}>{t("nav.admin")}</LinkButton> : null}
        <LanguageButton />
        <ThemeButton />
        <Button type="text" icon={<LogOut size={15} />} onClick={() => void signOut()}>{t("shell.signOut")}</Button>
      </header>
      <main>
        <Boxes size={44} strokeWidth={1.2} aria-hidden />
        <h1>{t("welcome.title")}</h1>
        <p>{t("welcome.lead")}</p>
        {may("model.upload") ? (
          <Suspense fallback={<Spin />}>
            <NewModel building={null} />
          </Suspense>
        ) : (
          <p className="muted">{t("welcome.askModeller")}</p>
        )}
      </main>
    </div>
  );
}
