/** Small panels that stay open beside the model: open alarms, and charts of what is selected. */
import { BellOff, ChartLine } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useBuilding } from "../context";
import { useAlarmText } from "../lib/names";
import { Ago, Empty, SeverityTag } from "../parts";
import { useElement } from "../queries";
import { useOpenAlarms } from "../scene/effects";
import { History, PointValue, useLatest } from "../scene/inspector-live";
import { usePatch, useSceneState, useShowElement } from "../scene/state";
import type { Point } from "../../api/types";

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

const MOST = 6; // charts

export function TrendPanel(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { selected } = useSceneState();
  const element = useElement(selected, building.id);
  const points = element.data?.points.filter((one) => one.kind !== "text").slice(0, MOST) ?? [];
  return (
    <aside className="panel side-panel" aria-label={t("several.panels.trend")}>
      {points.length === 0 ? <Empty icon={ChartLine} title={t("several.noTrend")} hint={t("several.noTrendHint")} /> : <div className="trend-grid">{points.map((one) => <Trend key={one.id} point={one} />)}</div>}
    </aside>
  );
}

function Trend({ point }: { point: Point }): ReactNode {
  const latest = useLatest(point);
  return <section><header><span title={point.name}>{point.name}</span><PointValue point={point} latest={latest} /></header><History point={point} /></section>;
}
