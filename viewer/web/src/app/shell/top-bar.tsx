import { Dropdown, Select } from "antd";
import { CircleUser, LogOut, Settings } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useNavigate } from "react-router";
import { useBuilding } from "../context";
import { usePhone } from "../lib/prefs";
import { useBuildings } from "../queries";
import { useMe, useSignOut } from "../session";
import { LanguageButton, ThemeButton } from "./choices";
import { Notifications } from "./notifications";
import { useLiveStatus } from "./offline";

export function TopBar(): ReactNode {
  const { t } = useTranslation();
  const phone = usePhone();
  return (
    <header className="top-bar">
      <BuildingPicker />
      <LiveDot />
      <span className="grow" />
      {phone ? null : <span className="top-hint"><kbd>?</kbd> {t("shell.help")}</span>}
      <Notifications />
      {phone ? null : <LanguageButton />}
      {phone ? null : <ThemeButton />}
      <UserMenu />
    </header>
  );
}

function BuildingPicker(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const buildings = useBuildings();
  const navigate = useNavigate();
  const location = useLocation();
  const rest = location.pathname.split("/").slice(3, 4).join("/");
  return (
    <Select variant="borderless" className="building-picker" value={building.id} aria-label={t("shell.building")}
      popupMatchSelectWidth={false} showSearch={{ optionFilterProp: "label" }}
      options={(buildings.data ?? []).map((one) => ({ value: one.id, label: one.name }))}
      onChange={(id) => void navigate(`/b/${id}${rest ? `/${rest}` : ""}`)} />
  );
}

function LiveDot(): ReactNode {
  const { t } = useTranslation();
  const status = useLiveStatus();
  const text = t(`shell.live.${status}`);
  return <span className={`live-dot is-${status}`} role="status" title={text}>{text}</span>;
}

function UserMenu(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const me = useMe();
  const signOut = useSignOut();
  const navigate = useNavigate();
  return (
    <Dropdown trigger={["click"]} placement="bottomRight" menu={{
      items: [
        { key: "who", label: <div className="who"><b>{me.display_name ?? me.name}</b><small>{me.roles.map((role) => t(`role.${role}` as "role.crew")).join(" · ")}</small></div>, disabled: true },
        { type: "divider" },
        { key: "settings", icon: <Settings size={14} />, label: t("nav.settings") },
        { key: "out", icon: <LogOut size={14} />, label: t("shell.signOut") },
      ],
      onClick: ({ key }) => {
        if (key === "settings") void navigate(`/b/${building.id}/settings`);
        if (key === "out") void signOut();
      },
    }}>
      <button type="button" className="icon-button" aria-label={t("shell.account")}>
        <CircleUser size={18} strokeWidth={1.7} aria-hidden />
      </button>
    </Dropdown>
  );
}
