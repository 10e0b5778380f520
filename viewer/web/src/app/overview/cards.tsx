/** The cards of safety, comfort, repairs and what comes next: a word or a number, the reason, the place. */
import { ArrowUpDown, Bell, CalendarClock, CircleCheck, ClipboardList, Flame, ShieldCheck, Star, Thermometer, TriangleAlert, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Overview } from "../../api/types";
import { useBuilding } from "../context";
import { formatDay } from "../lib/format";
import { serverNow } from "../lib/clock";
import { BuildingPicture } from "./building-picture";
import { useWords } from "./numbers";
import type { Picture } from "./queries";

export type Tone = "ok" | "warn" | "bad" | "none";
interface CardProps {
  data: Overview;
  picture: Picture | undefined;
}

/** `value`: large; `unit`: behind it, in words. */
export function Card({ icon: Icon, title, to, tone, value, unit, picture, wide = false, children }: {
  icon: LucideIcon; title: string; to: string; tone: Tone; value: ReactNode; unit?: ReactNode; picture: ReactNode; wide?: boolean; children?: ReactNode;
}): ReactNode {
  return (
    <section className={`card ov-card tone-${tone}${wide ? " is-wide" : ""}`}>
      {picture}
      <div className="ov-text">
        <h2><Link to={to}><Icon size={16} strokeWidth={1.7} aria-hidden />{title}</Link></h2>
        <p className="ov-value"><b className="num">{value}</b>{unit ? <span>{unit}</span> : null}</p>
        {children}
      </div>
    </section>
  );
}

function Line({ icon: Icon, tone, name, children }: { icon: LucideIcon; tone: Tone; name?: string; children: ReactNode }): ReactNode {
  return (
    <li className={`ov-line tone-${tone}`}>
      <Icon size={15} strokeWidth={1.8} aria-hidden />
      <span>{name ? <b>{name}</b> : null}{children}</span>
    </li>
  );
}

/** The first thing that is wrong, the gravest first. */
function useVerdict(data: Overview): { tone: Tone; text: string } {
  const { t } = useTranslation();
  const open = data.alarms.reduce((sum, one) => sum + one.count, 0);
  const grave = data.alarms.some((one) => one.severity === "critical" || one.severity === "high");
  const out = data.safety.lifts.filter((lift) => lift.state === "fault").length;
  if (data.safety.fire.alarms > 0) return { tone: "bad", text: t("overview.safety.fireNow") };
  if (open > 0) return { tone: grave ? "bad" : "warn", text: t("overview.safety.attention", { count: open }) };
  if (out > 0) return { tone: "bad", text: t("overview.safety.liftOut", { count: out }) };
  if (data.points === 0) return { tone: "none", text: t("overview.safety.unknown") };
  return { tone: "ok", text: t("overview.safety.safe") };
}

export function SafetyCard({ data, picture }: CardProps): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { tone, text } = useVerdict(data);
  const open = data.alarms.reduce((sum, one) => sum + one.count, 0);
  const unacked = data.alarms.reduce((sum, one) => sum + one.unacked, 0);
  return (
    <Card icon={ShieldCheck} title={t("overview.safety.title")} to={`/b/${building.id}/alarms`} tone={tone} value={text}
      picture={<BuildingPicture picture={picture} spots={[...data.spots.alarms, ...data.safety.spots]} />}>
      <ul className="ov-lines">
        <Line icon={open > 0 ? Bell : CircleCheck} tone={open === 0 ? "ok" : unacked > 0 ? "bad" : "warn"} name={t("overview.safety.alarms")}>
          {open === 0 ? t("overview.safety.alarmsNone") : [t("overview.safety.alarmsOpen", { count: open }), ...(unacked > 0 ? [t("overview.safety.unacked", { count: unacked })] : [])].join(" · ")}
        </Line>
        <FireLine fire={data.safety.fire} />
        <LiftLine lifts={data.safety.lifts} />
      </ul>
    </Card>
  );
}

function FireLine({ fire }: { fire: Overview["safety"]["fire"] }): ReactNode {
  const { t } = useTranslation();
  const { n } = useWords();
  const [tone, text] = ((): [Tone, string] => {
    if (fire.alarms > 0) return ["bad", t("overview.safety.fireAlarm", { count: fire.alarms })];
    if (fire.points > 0) return [fire.speaking === fire.points ? "ok" : "warn", t("overview.safety.fireOk", { speaking: n(fire.speaking), points: n(fire.points) })];
    return ["none", fire.devices > 0 ? t("overview.safety.fireSilent", { devices: n(fire.devices) }) : t("overview.safety.fireNone")];
  })();
  return <Line icon={Flame} tone={tone} name={t("overview.safety.fire")}>{text}</Line>;
}

function LiftLine({ lifts }: { lifts: Overview["safety"]["lifts"] }): ReactNode {
  const { t, i18n } = useTranslation();
  const names = (state: string): string[] => lifts.filter((lift) => lift.state === state).map((lift) => lift.name);
  const list = new Intl.ListFormat(i18n.language, { type: "conjunction" });
  const [fault, silent, unwatched] = [names("fault"), names("silent"), names("unwatched")];
  const [tone, text] = ((): [Tone, string] => {
    if (lifts.length === 0) return ["none", t("overview.safety.liftNone")];
    if (fault.length > 0) return ["bad", t("overview.safety.liftFault", { names: list.format(fault) })];
    if (silent.length > 0) return ["warn", t("overview.safety.liftSilent", { names: list.format(silent) })];
    if (unwatched.length === lifts.length) return ["none", t("overview.safety.liftUnwatched", { count: lifts.length })];
    return ["ok", t("overview.safety.liftsOk", { count: lifts.length - unwatched.length })];
  })();
  return <Line icon={ArrowUpDown} tone={tone} name={t("overview.safety.lifts")}>{text}</Line>;
}

export function ComfortCard({ data, picture }: CardProps): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { n, percent } = useWords();
  const { comfort } = data;
  const share = comfort.rooms > 0 ? comfort.comfortable / comfort.rooms : null;
  const tone: Tone = share === null ? "none" : share > 0.9 ? "ok" : share > 0.7 ? "warn" : "bad";
  return (
    <Card icon={Thermometer} title={t("overview.comfort.title")} to={`/b/${building.id}`} tone={tone} value={share === null ? "–" : percent(share)} unit={share === null ? null : t("overview.comfort.value")}
      picture={<BuildingPicture picture={picture} spots={data.spots.comfort} />}>
      {share === null ? <p className="ov-note">{t("overview.comfort.none")}</p> : (
        <>
          <Meter share={share} />
          <p className="ov-note">{t("overview.comfort.note", { comfortable: n(comfort.comfortable), rooms: n(comfort.rooms), low: comfort.low, high: comfort.high })}</p>
          {comfort.mean === null ? null : <p className="ov-note">{t("overview.comfort.mean", { mean: comfort.mean.toFixed(1) })}</p>}
        </>
      )}
    </Card>
  );
}

export function Meter({ share }: { share: number }): ReactNode {
  return <span className="meter" aria-hidden><i style={{ width: `${Math.round(Math.min(1, share) * 100)}%` }} /></span>;
}

export function OrdersCard({ data, picture }: CardProps): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const { n, percent } = useWords();
  const { service } = data;
  const stars = service.stars === null ? null : new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 }).format(service.stars);
  const tone: Tone = data.orders_overdue > 0 ? "bad" : data.orders_open > 0 ? "none" : "ok";
  return (
    <Card icon={ClipboardList} title={t("overview.orders.title")} to={`/b/${building.id}/orders`} tone={tone}
      value={data.orders_open === 0 ? t("overview.orders.none") : n(data.orders_open)} unit={data.orders_open === 0 ? null : t("overview.orders.open", { count: data.orders_open })}
      picture={<BuildingPicture picture={picture} spots={data.spots.orders} />}>
      <ul className="ov-lines">
        {data.orders_overdue > 0 ? <Line icon={TriangleAlert} tone="bad">{t("overview.orders.overdue", { count: data.orders_overdue })}</Line> : null}
        <Line icon={CircleCheck} tone={data.orders_verified_30_days > 0 ? "ok" : "none"}>{t("overview.orders.verified", { count: data.orders_verified_30_days })}</Line>
        {service.timed > 0 ? <Line icon={CalendarClock} tone={service.in_time / service.timed >= 0.9 ? "ok" : "warn"}>{t("overview.orders.inTime", { percent: percent(service.in_time / service.timed) })}</Line> : null}
        {stars === null ? null : <Line icon={Star} tone={(service.stars ?? 0) >= 4 ? "ok" : (service.stars ?? 0) >= 3 ? "warn" : "bad"}>{t("overview.orders.stars", { stars, count: service.ratings })}</Line>}
      </ul>
    </Card>
  );
}

export function WorksCard({ data, picture }: CardProps): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const { n } = useWords();
  const now = serverNow();
  const late = data.works.some((work) => Date.parse(work.due_at) < now);
  return (
    <Card icon={CalendarClock} title={t("overview.works.title")} to={`/b/${building.id}/plans`} tone={late ? "bad" : "none"}
      value={data.works.length === 0 ? "–" : n(data.works.length)} unit={data.works.length === 0 ? t("overview.works.none") : t("overview.works.value", { count: data.works.length })}
      picture={<BuildingPicture picture={picture} spots={data.spots.works} />}>
      <ul className="ov-works">
        {data.works.map((work) => (
          <li key={work.kind + work.id}>
            <time dateTime={work.due_at} className={Date.parse(work.due_at) < now ? "sev-text-critical" : "muted"}>{formatDay(work.due_at, i18n.language)}</time>
            <Link to={work.kind === "order" ? `/b/${building.id}/orders/${work.id}` : `/b/${building.id}/plans`}>{work.title}</Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}
