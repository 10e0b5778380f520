/** Energy and water: this month beside last year and the quota, and the last twelve months (8.4.8b-1, 8.4.8c). */
import { Skeleton } from "antd";
import { Droplets, Flame, Fuel, TrendingDown, TrendingUp, Zap, type LucideIcon } from "lucide-react";
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { UseQueryResult } from "@tanstack/react-query";
import { useBuilding } from "../context";
import { formatDay, unitText } from "../lib/format";
import { Failure } from "../parts";
import { BuildingPicture } from "./building-picture";
import { Card, Meter, type Tone } from "./cards";
import { scaled, useWords } from "./numbers";
import type { Compared, Consumption, Medium, Picture, Use } from "./queries";

const ICONS: Record<Medium, LucideIcon> = { electricity: Zap, heat: Flame, water: Droplets, gas: Fuel };
const NONE: readonly never[] = [];
const STATE_TONE: Record<NonNullable<Compared["state"]>, Tone> = { within: "ok", near: "warn", over: "bad" };

export function UseCards({ uses, power, picture }: { uses: UseQueryResult<Consumption>; power: number | null; picture: Picture | undefined }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  if (uses.isError) return <section className="card"><Failure error={uses.error} retry={() => void uses.refetch()} /></section>;
  if (!uses.data) return <section className="card"><Skeleton active /></section>;
  if (uses.data.media.length === 0) {
    return (
      <Card icon={Zap} title={t("overview.use.electricity")} to={`/b/${building.id}/telemetry/points`} tone="none" value="–" unit={t("overview.use.none")} picture={<BuildingPicture picture={picture} spots={NONE} />}>
        <p className="ov-note">{t("overview.use.noneHint")}</p>
      </Card>
    );
  }
  return <>{uses.data.media.map((use) => <UseCard key={use.medium} use={use} power={use.medium === "electricity" ? power : null} picture={picture} />)}</>;
}

function UseCard({ use, power, picture }: { use: Use; power: number | null; picture: Picture | undefined }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { amount, n } = useWords();
  const share = useMemo(() => {
    const most = Math.max(...use.storeys.map((storey) => storey.amount), 0);
    return most > 0 ? new Map(use.storeys.map((storey) => [storey.storey_id, storey.amount / most])) : null;
  }, [use.storeys]);
  const { month } = use;
  const [size, unit] = scaled(month.amount ?? 0, use.unit);
  const from = use.measured === "supply" ? t("overview.use.from.supply") : t("overview.use.from.meters", { count: use.meters });
  return (
    <Card icon={ICONS[use.medium]} title={t(`overview.use.${use.medium}`)} to={`/b/${building.id}/trends`} tone={month.state ? STATE_TONE[month.state] : "none"}
      value={month.amount === null ? "–" : size < 100 ? amount(month.amount, use.unit).replace(/ .*$/, "") : n(size)} unit={month.amount === null ? t("overview.use.noData") : <>{unit} {t("overview.use.thisMonth")}</>}
      picture={<BuildingPicture picture={picture} spots={NONE} share={share} label={share ? t("overview.use.storeys") : t("overview.whereNone")} />}>
      <Against compared={month} />
      <Limit compared={month} unit={use.unit} />
      <Months use={use} />
      <p className="ov-note">
        {use.year.amount === null ? null : <>{t("overview.use.year", { amount: amount(use.year.amount, use.unit) })}<YearQuota year={use.year} />{" · "}</>}
        {from}{power === null ? null : <>{" · "}{t("overview.use.power", { power: n(power) })}</>}
      </p>
    </Card>
  );
}

function YearQuota({ year }: { year: Compared }): ReactNode {
  const { t } = useTranslation();
  const { percent } = useWords();
  return year.quota === null || year.amount === null ? null : <>, {t("overview.use.yearQuota", { percent: percent(year.amount / year.quota) })}</>;
}

/** "7 % more than last year", or that nobody knows. */
export function Against({ compared }: { compared: Compared }): ReactNode {
  const { t, i18n } = useTranslation();
  const { percent } = useWords();
  if (compared.amount === null) return null;
  if (!compared.complete && compared.since) return <p className="ov-against">{t("overview.use.since", { when: formatDay(compared.since, i18n.language) })} · {t("overview.use.noLast")}</p>;
  if (compared.before === null || compared.before <= 0) return <p className="ov-against">{t("overview.use.noLast")}</p>;
  const change = compared.amount / compared.before - 1;
  if (Math.abs(change) < 0.005) return <p className="ov-against">{t("overview.use.same")}</p>;
  const more = change > 0;
  const Icon = more ? TrendingUp : TrendingDown;
  return <p className={`ov-against ${more ? "is-more" : "is-less"}`}><Icon size={15} aria-hidden />{t(more ? "overview.use.more" : "overview.use.less", { percent: percent(Math.abs(change)) })}</p>;
}

function Limit({ compared, unit }: { compared: Compared; unit: string }): ReactNode {
  const { t } = useTranslation();
  const { amount, percent } = useWords();
  if (compared.quota === null) return <p className="ov-note">{t("overview.use.noQuota")}</p>;
  if (compared.amount === null || compared.state === null) return <p className="ov-note">{t("overview.use.quota", { quota: amount(compared.quota, unit) })}</p>;
  return (
    <>
      <Meter share={compared.amount / compared.quota} />
      <p className="ov-note">
        <b className={`ov-state tone-${STATE_TONE[compared.state]}`}>{t(`overview.use.${compared.state === "over" && compared.amount <= compared.quota ? "heading" : compared.state}`)}</b>{" "}
        {t("overview.use.used", { percent: percent(compared.amount / compared.quota) })}
        {compared.expected === null ? null : <>{" · "}{t("overview.use.expected", { amount: amount(compared.expected, unit) })}</>}
      </p>
    </>
  );
}

/** Two bars a month: a year before behind, this year in front; the quota a line. */
function Months({ use }: { use: Use }): ReactNode {
  const { t } = useTranslation();
  const { amount, month, shortMonth } = useWords();
  const most = Math.max(...use.months.flatMap((one) => [one.amount ?? 0, one.before ?? 0, one.quota ?? 0]), 1e-9);
  const tall = (value: number | null): string => `${((value ?? 0) / most) * 100}%`;
  const missing = t("overview.use.noLast");
  return (
    <figure className="ov-months" aria-label={t("overview.use.months")}>
      <ol>
        {use.months.map((one) => (
          <li key={`${one.year}-${one.month}`} title={t("overview.use.month", {
            month: month(one.year, one.month), amount: one.amount === null ? "–" : amount(one.amount, use.unit), before: one.before === null ? missing : amount(one.before, use.unit),
          })}>
            <span className="ov-bars" aria-hidden>
              <i className="is-before" style={{ height: tall(one.before) }} />
              <i className={`is-now${one.quota !== null && (one.amount ?? 0) > one.quota ? " is-over" : ""}`} style={{ height: tall(one.amount) }} />
              {one.quota === null ? null : <u style={{ bottom: tall(one.quota) }} />}
            </span>
            <small aria-hidden>{shortMonth(one.year, one.month)}</small>
            <span className="sr-only">{t("overview.use.month", {
              month: month(one.year, one.month), amount: one.amount === null ? "–" : amount(one.amount, use.unit), before: one.before === null ? missing : amount(one.before, use.unit),
            })}</span>
          </li>
        ))}
      </ol>
      <figcaption aria-hidden><i className="is-now" />{t("overview.use.thisYear")}<i className="is-before" />{t("overview.use.lastYear")}{unitText(use.unit) ? <span className="muted">{unitText(use.unit)}</span> : null}</figcaption>
    </figure>
  );
}
