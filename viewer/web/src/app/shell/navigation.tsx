import { Badge, Drawer } from "antd";
import {
  Bell, Box, CalendarClock, ClipboardList, Ellipsis, LayoutDashboard, Settings, UploadCloud, type LucideIcon,
} from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, NavLink, useLocation } from "react-router";
import { Tooltip } from "antd";
import { useBuilding } from "../context";
import { itemsOf, useAlarms } from "../queries";
import { Logo } from "./logo";

type Key = "scene" | "overview" | "alarms" | "orders" | "plans" | "models" | "settings";
const ITEMS: { key: Key; path: string; icon: LucideIcon }[] = [
  { key: "scene", path: "", icon: Box },
  { key: "overview", path: "overview", icon: LayoutDashboard },
  { key: "alarms", path: "alarms", icon: Bell },
  { key: "orders", path: "orders", icon: ClipboardList },
  { key: "plans", path: "plans", icon: CalendarClock },
  { key: "models", path: "models", icon: UploadCloud },
  { key: "settings", path: "settings", icon: Settings },
];

/** Alarms that still need someone: open and not acknowledged. */
export function useUnacked(): number {
  const { building } = useBuilding();
  const alarms = useAlarms({ building: building.id, state: ["unacked", "rtn_unacked", "latched_unacked"], limit: 100 });
  return itemsOf(alarms.data).length;
}

export function NavRail(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const unacked = useUnacked();
  return (
    <nav className="rail" aria-label={t("shell.navigation")}>
      <Link to={`/b/${building.id}`} className="rail-logo" aria-label={t("nav.scene")}><Logo size={26} /></Link>
      {ITEMS.map(({ key, path, icon: Icon }) => (
        <Tooltip key={key} title={t(`nav.${key}`)} placement="right" mouseEnterDelay={0.3}>
          <NavLink end={path === ""} to={`/b/${building.id}${path ? `/${path}` : ""}`} aria-label={t(`nav.${key}`)}
            className={({ isActive }) => `rail-item${isActive ? " is-active" : ""}${key === "settings" ? " is-last" : ""}`}>
            <Badge count={key === "alarms" ? unacked : 0} size="small" overflowCount={99} offset={[2, -2]}>
              <Icon size={19} strokeWidth={1.7} aria-hidden />
            </Badge>
          </NavLink>
        </Tooltip>
      ))}
    </nav>
  );
}

export function TabBar(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const unacked = useUnacked();
  const location = useLocation();
  const [more, setMore] = useState(false);
  const first = ITEMS.slice(0, 4);
  const rest = ITEMS.slice(4);
  const inRest = rest.some((item) => location.pathname.endsWith(`/${item.path}`));
  return (
    <nav className="tab-bar" aria-label={t("shell.navigation")}>
      {first.map(({ key, path, icon: Icon }) => (
        <NavLink key={key} end={path === ""} to={`/b/${building.id}${path ? `/${path}` : ""}`}
          className={({ isActive }) => `tab${isActive ? " is-active" : ""}`}>
          <Badge count={key === "alarms" ? unacked : 0} size="small" overflowCount={99}>
            <Icon size={21} strokeWidth={1.7} aria-hidden />
          </Badge>
          <span>{t(`nav.${key}`)}</span>
        </NavLink>
      ))}
      <button type="button" className={`tab${inRest ? " is-active" : ""}`} onClick={() => setMore(true)} aria-haspopup="dialog">
        <Ellipsis size={21} strokeWidth={1.7} aria-hidden />
        <span>{t("nav.more")}</span>
      </button>
      <Drawer placement="bottom" open={more} onClose={() => setMore(false)} size="auto" closable={false} className="sheet">
        {rest.map(({ key, path, icon: Icon }) => (
          <Link key={key} to={`/b/${building.id}/${path}`} className="sheet-item" onClick={() => setMore(false)}>
            <Icon size={19} strokeWidth={1.7} aria-hidden />
            {t(`nav.${key}`)}
          </Link>
        ))}
      </Drawer>
    </nav>
  );
}
