import { WifiOff } from "lucide-react";
import { useEffect, useState, useSyncExternalStore, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useBuilding } from "../context";
import type { LiveStatus } from "../live";

export function useLiveStatus(): LiveStatus {
  const { live } = useBuilding();
  return useSyncExternalStore(live.onStatus, () => live.status);
}

/** Shown when the connection has been away for more than a moment. */
export function OfflineBanner(): ReactNode {
  const { t } = useTranslation();
  const status = useLiveStatus();
  const [away, setAway] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setAway(status === "offline"), status === "offline" ? 2500 : 0);
    return () => clearTimeout(timer);
  }, [status]);
  if (!away) return null;
  return (
    <div className="offline" role="status">
      <WifiOff size={15} aria-hidden />
      <span>{t("shell.offline")}</span>
    </div>
  );
}
