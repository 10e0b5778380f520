/** Open alarms, beside the model. */
import { BellOff } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useAlarmText } from "../lib/names";
import { Ago, Empty, SeverityTag } from "../parts";
import { useOpenAlarms } from "../scene/effects";
import { usePatch, useSceneState, useShowElement } from "../scene/state";

export function AlarmsPanel(): ReactNode {
  const { t } = useTranslation();
  const alarms = useOpenAlarms();
  const alarmText = useAlarmText();
  const { selection } = useSceneState();
  const patch = usePatch();
  const show = useShowElement();
  return (
    <aside className="panel side-panel" aria-label={t("several.panels.alarms")}>
      {alarms.length === 0 ? <Empty icon={BellOff} title={t("several.noAlarms")} /> : (
        <ul className="several-list side-list">{alarms.map((one) => (
          <li key={one.id} className={one.global_id && selection.includes(one.global_id) ? "is-selected" : ""}>
            <button type="button" disabled={!one.global_id} onClick={() => {
              if (!one.global_id) return;
              patch({ focusAlarm: one.id });
              show(one.global_id, one.storey_id);
            }}>
              <span className="card-top"><SeverityTag severity={one.severity} /><Ago at={one.raised_at} /></span>
              <b>{alarmText(one)}</b>
            </button>
          </li>
        ))}</ul>
      )}
    </aside>
  );
}
