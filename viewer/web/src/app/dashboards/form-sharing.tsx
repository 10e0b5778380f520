import { Segmented } from "antd";
import { type ReactNode } from "react";
import { useTranslation } from "react-i18next";

/** Who sees a dashboard. */
export function Sharing({ shared, change, disabled }: { shared: boolean; change: (shared: boolean) => void; disabled: boolean }): ReactNode {
  const { t } = useTranslation();
  return <Segmented value={shared} disabled={disabled} aria-label={t("dashboards.sharing")} onChange={change} options={[{ value: false, label: t("dashboards.private") }, { value: true, label: t("dashboards.shared") }]} />;
}
