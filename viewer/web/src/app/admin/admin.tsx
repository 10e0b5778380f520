/** Administration: its sections as tabs; only those that one may open. */
import { Suspense, type ReactNode } from "react";
import { Skeleton } from "antd";
import { useTranslation } from "react-i18next";
import { Navigate, NavLink, Outlet, useLocation } from "react-router";
import { ErrorBoundary } from "../shell/error-boundary";
import { Forbidden } from "../shell/refused";
import { useMay } from "../session";
import { adminSections, SECTIONS } from "./sections";

export default function Admin(): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const location = useLocation();
  const shown = adminSections(may);
  const key = location.pathname.split("/")[2] ?? "";
  const section = SECTIONS.find((one) => one.key === key);
  if (shown[0] === undefined) return <Forbidden needs={["account.read"]} />;
  if (key === "") return <Navigate to={`/admin/${shown[0].key}`} replace />;
  return (
    <>
      <nav className="admin-tabs" aria-label={t("nav.admin")}>
        <div>
          {shown.map(({ key: name, icon: Icon }) => (
            <NavLink key={name} to={`/admin/${name}`} className={({ isActive }) => `admin-tab${isActive ? " is-active" : ""}`}
              ref={(link) => {
                if (name === key) link?.scrollIntoView({ block: "nearest", inline: "center" });
              }}>
              <Icon size={15} strokeWidth={1.8} aria-hidden />{t(`access.section.${name}`)}
            </NavLink>
          ))}
        </div>
      </nav>
      {section && !shown.includes(section) ? <Forbidden needs={section.needs} /> : (
        <div className="admin-body" key={key}>
          <ErrorBoundary>
            <Suspense fallback={<div className="page-body is-wide"><Skeleton active /></div>}><Outlet /></Suspense>
          </ErrorBoundary>
        </div>
      )}
    </>
  );
}
