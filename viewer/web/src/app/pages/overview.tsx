/** For owners: is it safe, comfortable, economical; what is being repaired. A few large numbers. */
import { Skeleton } from "antd";
import { Activity, Bell, ClipboardList, RadioTower, Thermometer, Zap, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Overview as Numbers, Severity } from "../../api/types";
import { useBuilding } from "../context";
import { formatNumber } from "../lib/format";
import { useAlarmText } from "../lib/names";
import { placeText } from "../lib/place";
import { Ago, Failure, PageHead, SeverityTag } from "../parts";
import { itemsOf, useAlarms, useOverview } from "../queries";

const SEVERITIES: Severity[] = ["critical", "high", "medium", "low"];

export default function Overview(): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const overview = useOverview(building.id);
  const data = overview.data;
  const n = (value: number): string => formatNumber(value, i18n.language);
  return (
    <div className="page-body">
      <PageHead title={building.name} sub={data ? t("overview.size", { spaces: n(data.spaces), elements: n(data.elements), area: data.area === null ? "–" : n(Math.round(data.area)) }) : " "} />
      {overview.isError ? <Failure error={overview.error} retry={() => void overview.refetch()} /> : !data ? <Skeleton active /> : <Cards data={data} />}
    </div>
  );
}

function Cards({ data }: { data: Numbers }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const n = (value: number): string => formatNumber(value, i18n.language);
  const alarms = data.alarms.reduce((sum, one) => sum + one.count, 0);
  const unacked = data.alarms.reduce((sum, one) => sum + one.unacked, 0);
  const share = data.comfort.rooms > 0 ? data.comfort.comfortable / data.comfort.rooms : null;
  const online = data.points > 0 ? data.points_online / data.points : null;
  const base = `/b/${building.id}`;
  return (
    <>
      <div className="tiles">
        <Tile icon={Bell} title={t("overview.alarms")} to={`${base}/alarms`} value={n(alarms)} tone={alarms === 0 ? "ok" : unacked > 0 ? "bad" : "warn"}
          note={alarms === 0 ? t("overview.alarmsNone") : t("overview.unacked", { count: unacked })}>
          <span className="severity-line">
            {SEVERITIES.map((severity) => {
              const count = data.alarms.find((one) => one.severity === severity)?.count ?? 0;
              return count > 0 ? <span key={severity} className={`tag sev-${severity}`}>{t(`severity.${severity}`)} <b className="num">{count}</b></span> : null;
            })}
          </span>
        </Tile>
        <Tile icon={Thermometer} title={t("overview.comfort")} to={base} value={share === null ? "–" : `${Math.round(share * 100)}`} unit={share === null ? "" : "%"}
          tone={share === null ? "none" : share > 0.9 ? "ok" : share > 0.7 ? "warn" : "bad"}
          note={share === null ? t("overview.comfortNone") : t("overview.comfortNote", { comfortable: n(data.comfort.comfortable), rooms: n(data.comfort.rooms), low: data.comfort.low, high: data.comfort.high })}>
          {share === null ? null : <Meter share={share} />}
        </Tile>
        <Tile icon={Zap} title={t("overview.power")} to={base} value={data.power === null ? "–" : n(data.power)} unit={data.power === null ? "" : "kW"} tone="none"
          note={data.power === null ? t("overview.powerNone") : t(data.power_from === "supply" ? "overview.powerNote.supply" : "overview.powerNote.meters")} />
        <Tile icon={ClipboardList} title={t("overview.orders")} to={`${base}/orders`} value={n(data.orders_open)} tone={data.orders_overdue > 0 ? "bad" : "none"}
          note={data.orders_overdue > 0 ? t("overview.overdue", { count: data.orders_overdue }) : t("overview.verified", { count: data.orders_verified_30_days })} />
        <Tile icon={RadioTower} title={t("overview.points")} to={base} value={n(data.points_online)} unit={`/ ${n(data.points)}`}
          tone={online === null ? "none" : online > 0.95 ? "ok" : online > 0.8 ? "warn" : "bad"} note={t(online === null ? "overview.pointsNone" : "overview.pointsNote")}>
          {online === null ? null : <Meter share={online} />}
        </Tile>
      </div>
      <Recent />
    </>
  );
}

function Tile({ icon: Icon, title, value, unit = "", note, tone, to, children }: {
  icon: LucideIcon; title: string; value: string; unit?: string; note: string; tone: "ok" | "warn" | "bad" | "none"; to: string; children?: ReactNode;
}): ReactNode {
  return (
    <Link to={to} className={`tile tone-${tone}`}>
      <span className="tile-title"><Icon size={16} strokeWidth={1.7} aria-hidden />{title}</span>
      <span className="tile-value num">{value}{unit ? <small>{unit}</small> : null}</span>
      {children}
      <span className="tile-note">{note}</span>
    </Link>
  );
}

function Meter({ share }: { share: number }): ReactNode {
  return <span className="meter" aria-hidden><i style={{ width: `${Math.round(share * 100)}%` }} /></span>;
}

function Recent(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const text = useAlarmText();
  const alarms = useAlarms({ building: building.id, state: "open", limit: 100 });
  const items = itemsOf(alarms.data).slice(0, 5);
  if (items.length === 0) return null;
  return (
    <section className="card recent">
      <h2><Activity size={15} aria-hidden />{t("overview.recent")}</h2>
      {items.map((alarm) => (
        <Link key={alarm.id} to={`/b/${building.id}?alarm=${alarm.id}`} className="recent-row">
          <SeverityTag severity={alarm.severity} />
          <span className="recent-text"><b>{text(alarm)}</b><small>{placeText(alarm)}</small></span>
          <span className="muted"><Ago at={alarm.raised_at} /></span>
        </Link>
      ))}
    </section>
  );
}
