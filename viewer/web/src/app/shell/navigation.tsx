import { Badge, Drawer, Tooltip } from "antd";
import {
  Bell, Box, CalendarClock, ChartLine, CircleUser, ClipboardList, Ellipsis, FileChartColumn, Flag, LayoutDashboard, ListChecks, PanelsTopLeft, RadioTower, ShieldCheck, UploadCloud, type LucideIcon,
} from "lucide-react";
import { useContext, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, NavLink, useLocation } from "react-router";
import { adminSections } from "../admin/sections";
import { BuildingContext } from "../context";
import { itemsOf, useAlarms } from "../queries";
import { useMay } from "../session";
import { Logo } from "./logo";

type Key = "scene" | "overview" | "trends" | "dashboards" | "reports" | "telemetry" | "alarms" | "orders" | "plans" | "models" | "issues" | "checks" | "admin" | "account";

interface Item {
  key: Key;
  to: string;
  icon: LucideIcon;
  exact?: boolean;
}

const OF_BUILDING: { key: Key; path: string; icon: LucideIcon; needs: string }[] = [
  { key: "scene", path: "", icon: Box, needs: "model.read" },
  { key: "overview", path: "/overview", icon: LayoutDashboard, needs: "building.read" },
  { key: "trends", path: "/trends", icon: ChartLine, needs: "reading.read" },
  { key: "dashboards", path: "/dashboards", icon: PanelsTopLeft, needs: "building.read" },
  { key: "reports", path: "/reports", icon: FileChartColumn, needs: "building.read" },
  { key: "telemetry", path: "/telemetry", icon: RadioTower, needs: "point.read" },
  { key: "alarms", path: "/alarms", icon: Bell, needs: "alarm.read" },
  { key: "orders", path: "/orders", icon: ClipboardList, needs: "work_order.read" },
  { key: "plans", path: "/plans", icon: CalendarClock, needs: "work_order.read" },
  { key: "issues", path: "/issues", icon: Flag, needs: "topic.read" },
  { key: "models", path: "/models", icon: UploadCloud, needs: "model.read" },
  { key: "checks", path: "/checks", icon: ListChecks, needs: "model.read" },
];

/** What a phone shows without a tap: what somebody on the way needs. */
const FIRST: ReadonlySet<Key> = new Set(["scene", "overview", "alarms", "orders"]);

/** Only what one may use: the building's pages, then the server's. */
function useItems(): { building: Item[]; server: Item[] } {
  const may = useMay();
  const building = useContext(BuildingContext)?.building;
  const server: Item[] = adminSections(may).length > 0 ? [{ key: "admin", to: "/admin", icon: ShieldCheck }] : [];
  return {
    building: building ? OF_BUILDING.filter((item) => may(item.needs)).map(({ key, path, icon }) => ({ key, to: `/b/${building.id}${path}`, icon, exact: path === "" })) : [],
    server: [...server, { key: "account", to: "/account", icon: CircleUser }],
  };
}

/** An icon; on alarms with the number that still need someone: open and not acknowledged. */
function ItemIcon({ item, size }: { item: Item; size: number }): ReactNode {
  const Icon = item.icon;
  const icon = <Icon size={size} strokeWidth={1.7} aria-hidden />;
  return item.key === "alarms" ? <AlarmBadge>{icon}</AlarmBadge> : icon;
}

function AlarmBadge({ children }: { children: ReactNode }): ReactNode {
  const building = useContext(BuildingContext)?.building.id ?? "";
  const alarms = useAlarms({ building, state: ["unacked", "rtn_unacked", "latched_unacked"], limit: 100 }, building !== "");
  return <Badge count={itemsOf(alarms.data).length} size="small" overflowCount={99} offset={[2, -2]}>{children}</Badge>;
}

export function NavRail(): ReactNode {
  const { t } = useTranslation();
  const { building, server } = useItems();
  return (
    <nav className="rail" aria-label={t("shell.navigation")}>
      <Link to={building[0]?.to ?? "/"} className="rail-logo" aria-label={t("nav.home")}><Logo size={26} /></Link>
      {building.map((item) => <RailItem key={item.key} item={item} />)}
      <span className="rail-gap" />
      {server.map((item) => <RailItem key={item.key} item={item} />)}
    </nav>
  );
}

function RailItem({ item }: { item: Item }): ReactNode {
  const { t } = useTranslation();
  return (
    <Tooltip title={t(`nav.${item.key}`)} placement="right" mouseEnterDelay={0.3}>
      <NavLink end={item.exact ?? false} to={item.to} className={({ isActive }) => `rail-item${isActive ? " is-active" : ""}`}>
        <ItemIcon item={item} size={19} />
        <span className="sr-only">{t(`nav.${item.key}`)}</span>
      </NavLink>
    </Tooltip>
  );
}

export function TabBar(): ReactNode {
  const { t } = useTranslation();
  const items = useItems();
  const all = [...items.building, ...items.server].toSorted((a, b) => Number(FIRST.has(b.key)) - Number(FIRST.has(a.key)));
  const location = useLocation();
  const [more, setMore] = useState(false);
  const first = all.length > 5 ? all.slice(0, 4) : all;
  const rest = all.slice(first.length);
  const inRest = rest.some((item) => location.pathname.startsWith(item.to));
  return (
    <nav className="tab-bar" aria-label={t("shell.navigation")} style={{ gridTemplateColumns: `repeat(${first.length + (rest.length > 0 ? 1 : 0)}, 1fr)` }}>
      {first.map((item) => (
        <NavLink key={item.key} end={item.exact ?? false} to={item.to} className={({ isActive }) => `tab${isActive ? " is-active" : ""}`}>
          <ItemIcon item={item} size={21} />
          <span>{t(`nav.${item.key}`)}</span>
        </NavLink>
      ))}
      {rest.length > 0 ? (
        <button type="button" className={`tab${inRest ? " is-active" : ""}`} onClick={() => setMore(true)} aria-haspopup="dialog">
          <Ellipsis size={21} strokeWidth={1.7} aria-hidden />
          <span>{t("nav.more")}</span>
        </button>
      ) : null}
      <Drawer placement="bottom" open={more} onClose={() => setMore(false)} size="auto" closable={false} className="sheet">
        {rest.map((item) => (
          <Link key={item.key} to={item.to} className="sheet-item" onClick={() => setMore(false)}>
            <ItemIcon item={item} size={19} />
            {t(`nav.${item.key}`)}
          </Link>
        ))}
      </Drawer>
    </nav>
  );
}
