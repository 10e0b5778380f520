/** Widgets of the building: its open alarms, its open orders, its clock. */
import { CircleCheck } from "lucide-react";
import { type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useBuilding } from "../context";
import { useAlarmText } from "../lib/names";
import { placeText } from "../lib/place";
import { Ago, Failure, OrderStateTag, PriorityMark, SeverityTag, useNow } from "../parts";
import { itemsOf, useAlarms, useOrders } from "../queries";
import { useMay } from "../session";
import { useZone } from "../telemetry/trends/data";

export function AlarmList(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const may = useMay();
  const text = useAlarmText();
  const alarms = useAlarms({ building: building.id, state: "open", limit: 50 }, may("alarm.read"));
  if (!may("alarm.read")) return <p className="db-note">{t("dashboards.mayNot")}</p>;
  if (alarms.isError) return <Failure error={alarms.error} retry={() => void alarms.refetch()} />;
  if (!alarms.data) return <div className="db-wait" aria-busy />;
  const items = itemsOf(alarms.data);
  if (items.length === 0) return <Fine text={t("alarm.none")} />;
  return (
    <ul className="db-list">
      {items.map((alarm) => (
        <li key={alarm.id} className={`sev-${alarm.severity}`}>
          <Link to={`/b/${building.id}/alarms?alarm=${alarm.id}`}><SeverityTag severity={alarm.severity} compact /><span><b>{text(alarm)}</b><small>{placeText(alarm)}</small></span><Ago at={alarm.raised_at} /></Link>
        </li>
      ))}
      {alarms.hasNextPage ? <li className="db-note">{t("dashboards.andMore")}</li> : null}
    </ul>
  );
}

export function OrderList(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const may = useMay();
  const orders = useOrders({ building: building.id, state: "live", limit: 50 }, may("work_order.read"));
  if (!may("work_order.read")) return <p className="db-note">{t("dashboards.mayNot")}</p>;
  if (orders.isError) return <Failure error={orders.error} retry={() => void orders.refetch()} />;
  if (!orders.data) return <div className="db-wait" aria-busy />;
  const items = itemsOf(orders.data);
  if (items.length === 0) return <Fine text={t("dashboards.noOrders")} />;
  return (
    <ul className="db-list">
      {items.map((order) => (
        <li key={order.id}>
          <Link to={`/b/${building.id}/orders/${order.id}`}><PriorityMark priority={order.priority} /><span><b>{order.title}</b><small>#{order.number} {placeText(order)}</small></span><OrderStateTag state={order.state} /></Link>
        </li>
      ))}
      {orders.hasNextPage ? <li className="db-note">{t("dashboards.andMore")}</li> : null}
    </ul>
  );
}

function Fine({ text }: { text: string }): ReactNode {
  return <div className="db-fine"><CircleCheck strokeWidth={1.5} aria-hidden /><b>{text}</b></div>;
}

/** The site's time, by the server's clock. */
export function WallClock(): ReactNode {
  const { i18n } = useTranslation();
  const zone = useZone();
  const now = useNow(1000);
  const write = (options: Intl.DateTimeFormatOptions): string => new Intl.DateTimeFormat(i18n.language, { timeZone: zone, hourCycle: "h23", ...options }).format(now);
  return (
    <div className="db-clock">
      <b className="num">{write({ hour: "2-digit", minute: "2-digit" })}</b>
      <span>{write({ weekday: "long", day: "numeric", month: "long" })}</span>
    </div>
  );
}
