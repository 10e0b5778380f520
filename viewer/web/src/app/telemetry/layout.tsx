/** Everything about telemetry but the charts: its sections as tabs. */
import { Skeleton } from "antd";
import { Cable, FunctionSquare, HardDrive, Link2, ListTree, ShieldQuestionMark, type LucideIcon } from "lucide-react";
import { Suspense, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, NavLink, Outlet, useLocation } from "react-router";
import { useBuilding } from "../context";
import { useMay } from "../session";
import { ErrorBoundary } from "../shell/error-boundary";
import { Forbidden } from "../shell/refused";
import "./telemetry.css";
import "./points.css";

type Section = "points" | "suggestions" | "sources" | "quarantine" | "history" | "derived";

const SECTIONS: readonly { key: Section; icon: LucideIcon; needs: string }[] = [
  { key: "points", icon: ListTree, needs: "point.read" },
  { key: "suggestions", icon: Link2, needs: "point.write" },
  { key: "derived", icon: FunctionSquare, needs: "point.read" },
  { key: "sources", icon: Cable, needs: "point.read" },
  { key: "quarantine", icon: ShieldQuestionMark, needs: "reading.read" },
  { key: "history", icon: HardDrive, needs: "reading.read" },
];

export default function Telemetry(): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const { building } = useBuilding();
  const location = useLocation();
  const shown = SECTIONS.filter((one) => may(one.needs));
  const key = location.pathname.split("/")[4] ?? "";
  const section = SECTIONS.find((one) => one.key === key);
  if (shown[0] === undefined) return <Forbidden needs={["point.read"]} />;
  if (key === "") return <Navigate to={`/b/${building.id}/telemetry/${shown[0].key}`} replace />;
  return (
    <>
      <nav className="admin-tabs" aria-label={t("nav.telemetry")}>
        <div>
          {shown.map(({ key: name, icon: Icon }) => (
            <NavLink key={name} to={`/b/${building.id}/telemetry/${name}`} className={({ isActive }) => `admin-tab${isActive ? " is-active" : ""}`} ref={(link) => {
              if (name === key) link?.scrollIntoView({ block: "nearest", inline: "center" });
            }}>
              <Icon size={15} strokeWidth={1.8} aria-hidden />{t(`telemetry.section.${name}`)}
            </NavLink>
          ))}
        </div>
      </nav>
      {section && !shown.includes(section) ? <Forbidden needs={[section.needs]} /> : (
        <div className="admin-body" key={key}>
          <ErrorBoundary>
            <Suspense fallback={<div className="page-body is-wide"><Skeleton active /></div>}><Outlet /></Suspense>
          </ErrorBoundary>
        </div>
      )}
    </>
  );
}
