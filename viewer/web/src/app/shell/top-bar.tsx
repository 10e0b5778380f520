import { Dropdown } from "antd";
import { ChevronDown, CircleUser, LogOut, Settings } from "lucide-react";
import { lazy, Suspense, useContext, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import type { Building } from "../../api/types";
import { BuildingContext } from "../context";
import { useRoleName } from "../lib/roles";
import { usePhone } from "../lib/prefs";
import { useMe, useSignOut } from "../session";
import { LanguageButton, ThemeButton } from "./choices";
import { Notifications } from "./notifications";
import { useLiveStatus } from "./offline";

// Loaded when it is first asked for: the first page is none the larger for it.
const BuildingPicker = lazy(() => import("./building-picker"));

export function TopBar(): ReactNode {
  const { t } = useTranslation();
  const phone = usePhone();
  const scope = useContext(BuildingContext);
  return (
    <header className="top-bar">
      {scope ? <><BuildingName building={scope.building} /><LiveDot /></> : <b className="top-name">{t("nav.home")}</b>}
      <span className="grow" />
      {phone || !scope ? null : <span className="top-hint"><kbd>?</kbd> {t("shell.help")}</span>}
      <Notifications />
      {phone ? null : <LanguageButton />}
      {phone ? null : <ThemeButton />}
      <UserMenu />
    </header>
  );
}

/** The building's name; a click makes a list with a search of it. */
function BuildingName({ building }: { building: Building }): ReactNode {
  const { t } = useTranslation();
  const [choosing, setChoosing] = useState(false);
  const button = (
    <button type="button" className="building-name" aria-haspopup="listbox" aria-label={`${t("shell.building")}: ${building.name}`} onClick={() => setChoosing(true)}>
      <span>{building.name}</span><ChevronDown size={13} strokeWidth={1.7} aria-hidden />
    </button>
  );
  return choosing ? <Suspense fallback={button}><BuildingPicker building={building} close={() => setChoosing(false)} /></Suspense> : button;
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
