import { Dropdown, Select } from "antd";
import { CircleUser, LogOut, Settings } from "lucide-react";
import { useContext, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useNavigate } from "react-router";
import type { Building } from "../../api/types";
import { BuildingContext } from "../context";
import { useRoleName } from "../lib/roles";
import { usePhone } from "../lib/prefs";
import { useBuildings } from "../queries";
import { useMe, useSignOut } from "../session";
import { LanguageButton, ThemeButton } from "./choices";
import { Notifications } from "./notifications";
import { useLiveStatus } from "./offline";

export function TopBar(): ReactNode {
  const { t } = useTranslation();
  const phone = usePhone();
  const scope = useContext(BuildingContext);
  return (
    <header className="top-bar">
      {scope ? <><BuildingPicker building={scope.building} /><LiveDot /></> : <b className="top-name">{t("nav.home")}</b>}
      <span className="grow" />
      {phone || !scope ? null : <span className="top-hint"><kbd>?</kbd> {t("shell.help")}</span>}
      <Notifications />
      {phone ? null : <LanguageButton />}
      {phone ? null : <ThemeButton />}
      <UserMenu />
    </header>
  );
}

function BuildingPicker({ building }: { building: Building }): ReactNode {
  const { t } = useTranslation();
  const buildings = useBuildings();
  const navigate = useNavigate();
  const location = useLocation();
  const rest = location.pathname.startsWith("/b/") ? location.pathname.split("/").slice(3, 4).join("/") : "";
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
  const me = useMe();
  const signOut = useSignOut();
  const navigate = useNavigate();
  const roleName = useRoleName();
  return (
    <Dropdown trigger={["click"]} placement="bottomRight" menu={{
      items: [
        { key: "who", label: <div className="who"><b>{me.display_name ?? me.name}</b><small>{me.roles.map(roleName).join(" · ")}</small></div>, disabled: true },
        { type: "divider" },
        { key: "account", icon: <Settings size={14} />, label: t("nav.account") },
        { key: "out", icon: <LogOut size={14} />, label: t("shell.signOut") },
      ],
      onClick: ({ key }) => {
        if (key === "account") void navigate("/account");
        if (key === "out") void signOut();
      },
    }}>
      <button type="button" className="icon-button" aria-label={t("shell.account")}>
        <CircleUser size={18} strokeWidth={1.7} aria-hidden />
      </button>
    </Dropdown>
  );
}
