import { Button } from "antd";
import { CircleCheck, Plus } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Alarm, ElementDetail } from "../../api/types";
import { useBuilding } from "../context";
import { useAlarmText } from "../lib/names";
import { Ago, Empty, OrderStateTag, SeverityTag } from "../parts";
import { useMay } from "../session";
import { OrderForm } from "../pages/order-form";

/** Alarms and work orders of one element. */
export function ElementIssues({ element, alarms }: { element: ElementDetail; alarms: Alarm[] }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const may = useMay();
  const alarmText = useAlarmText();
  const [creating, setCreating] = useState(false);
  return (
    <div className="sections">
      {may("work_order.write") ? (
        <Button block icon={<Plus size={14} />} onClick={() => setCreating(true)}>{t("order.create")}</Button>
      ) : null}
      {alarms.length === 0 && element.orders.length === 0 ? <Empty icon={CircleCheck} title={t("inspector.noIssues")} hint={t("inspector.noIssuesHint")} /> : null}
      {alarms.map((alarm) => (
        <Link key={alarm.id} className="card-link" to={`/b/${building.id}/alarms?alarm=${alarm.id}`}>
          <span className="card-top"><SeverityTag severity={alarm.severity} /><Ago at={alarm.raised_at} /></span>
          <b>{alarmText(alarm)}</b>
        </Link>
      ))}
      {element.orders.map((order) => (
        <Link key={order.id} className="card-link" to={`/b/${building.id}/orders/${order.id}`}>
          <span className="card-top"><OrderStateTag state={order.state} /><span className="muted num">#{order.number}</span></span>
          <b>{order.title}</b>
        </Link>
      ))}
      {creating ? <OrderForm open close={() => setCreating(false)} element={{ id: element.id, name: element.name ?? element.global_id }} /> : null}
    </div>
  );
}
