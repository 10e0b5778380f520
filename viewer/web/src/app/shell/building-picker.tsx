/** Choosing another building: loaded when somebody wants to. */
import { Select } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useNavigate } from "react-router";
import type { Building } from "../../api/types";
import { useBuildings } from "../queries";

export default function BuildingPicker({ building, close }: { building: Building; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const buildings = useBuildings();
  const navigate = useNavigate();
  const location = useLocation();
  const rest = location.pathname.startsWith("/b/") ? location.pathname.split("/").slice(3, 4).join("/") : "";
  return (
    <Select variant="borderless" className="building-picker" value={building.id} aria-label={t("shell.building")} defaultOpen autoFocus
      popupMatchSelectWidth={false} showSearch={{ optionFilterProp: "label" }} onOpenChange={(open) => { if (!open) close(); }}
      options={(buildings.data ?? []).map((one) => ({ value: one.id, label: one.name }))}
      onChange={(id) => void navigate(`/b/${id}${rest ? `/${rest}` : ""}`)} />
  );
}
