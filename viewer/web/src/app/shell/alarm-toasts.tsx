/** A new alarm says so wherever one is, with the way to it. */
import { App, Button } from "antd";
import { useEffect, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import type { Alarm } from "../../api/types";
import { useBuilding } from "../context";
import { SeverityTag } from "../parts";
import { useAlarmText } from "../lib/names";
import { placeText } from "../lib/place";

export function AlarmToasts(): ReactNode {
  const { t } = useTranslation();
  const { building, live } = useBuilding();
  const { notification } = App.useApp();
  const navigate = useNavigate();
  const alarmText = useAlarmText();
  useEffect(() => {
    return live.onEvent((event) => {
      const alarm = event.data as unknown as Alarm & { changes?: string[] };
      if (event.topic !== "alarm" || !alarm.changes?.includes("raised")) return;
      notification.open({
          key: alarm.id,
          title: <SeverityTag severity={alarm.severity} />,
          description: (
            <div className="toast">
              <b>{alarmText(alarm)}</b>
              <span>{placeText(alarm)}</span>
            </div>
          ),
          className: `alarm-toast sev-${alarm.severity}`,
          duration: alarm.severity === "critical" ? 0 : 8,
          placement: "topRight",
          actions: (
            <Button type="primary" size="small" onClick={() => {
              notification.destroy(alarm.id);
              void navigate(`/b/${building.id}?alarm=${alarm.id}`);
            }}>{t("alarm.showNow")}</Button>
          ),
      });
    });
  }, [building.id, live, navigate, notification, t, alarmText]);
  return null;
}
