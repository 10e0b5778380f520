/** For owners of several buildings: the same few figures of each. */
import { Button, Skeleton } from "antd";
import { Bell, ClipboardList, Droplets, Thermometer, Zap, type LucideIcon } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Building } from "../../api/types";
import { Failure, PageHead } from "../parts";
import { useBuildings, useOverview } from "../queries";
import { useMay } from "../session";
import { BuildingPicture } from "./building-picture";
import { useWords } from "./numbers";
import { useConsumption, usePicture, type Medium } from "./queries";
import { Against } from "./use-card";
import "./overview.css";

const AT_ONCE = 12; // buildings: each asks for its own numbers

export default function BuildingList(): ReactNode {
  const { t } = useTranslation();
  const buildings = useBuildings();
  const [most, setMost] = useState(AT_ONCE);
  const all = buildings.data ?? [];
  return (
    <div className="page-body overview">
      <PageHead title={t("overview.list.title")} sub={buildings.data ? t("overview.list.sub", { count: all.length }) : " "} />
      {buildings.isError ? <Failure error={buildings.error} retry={() => void buildings.refetch()} /> : buildings.isPending ? <Skeleton active /> : null}
      <div className="ov-list">{all.slice(0, most).map((building) => <Row key={building.id} building={building} />)}</div>
      {all.length > most ? <Button onClick={() => setMost(most + AT_ONCE)}>{t("overview.list.more")}</Button> : null}
    </div>
  );
}

function Row({ building }: { building: Building }): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const { n, percent } = useWords();
  const overview = useOverview(building.id);
  const uses = useConsumption(building.id, may("reading.read"));
  const picture = usePicture(building.id, may("model.read"));
  const data = overview.data;
  const alarms = data?.alarms.reduce((sum, one) => sum + one.count, 0) ?? 0;
  const share = data && data.comfort.rooms > 0 ? data.comfort.comfortable / data.comfort.rooms : null;
  return (
    <article className="card ov-row">
      <BuildingPicture picture={picture.data} spots={data ? [...data.spots.alarms, ...data.safety.spots] : []} />
      <div>
        <h2><Link to={`/b/${building.id}/overview`} aria-label={t("overview.list.open", { building: building.name })}>{building.name}</Link></h2>
        {overview.isError ? <Failure error={overview.error} retry={() => void overview.refetch()} /> : !data ? <Skeleton active title={false} /> : (
          <dl className="ov-figures">
            <Figure icon={Bell} name={t("overview.safety.alarms")} tone={alarms === 0 ? "ok" : "bad"}>{n(alarms)}</Figure>
            <Figure icon={Thermometer} name={t("overview.comfort.title")} tone={share === null ? "none" : share > 0.9 ? "ok" : "warn"}>{share === null ? "–" : percent(share)}</Figure>
            <Figure icon={ClipboardList} name={t("nav.orders")} tone={data.orders_overdue > 0 ? "bad" : "none"}>{n(data.orders_open)}</Figure>
            {(["electricity", "water"] as const).map((medium) => <Used key={medium} medium={medium} building={building.id} />)}
          </dl>
        )}
        {uses.isError ? <Failure error={uses.error} retry={() => void uses.refetch()} /> : null}
      </div>
    </article>
  );
}

function Used({ medium, building }: { medium: Medium; building: string }): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const { amount } = useWords();
  const use = useConsumption(building, may("reading.read")).data?.media.find((one) => one.medium === medium);
  if (!use) return null;
  const { month } = use;
  return (
    <Figure icon={medium === "water" ? Droplets : Zap} name={`${t(`overview.use.${medium}`)}, ${t("overview.use.thisMonth")}`} tone={month.state === "over" ? "bad" : month.state === "near" ? "warn" : "none"} note={<Against compared={month} />}>
      {month.amount === null ? "–" : amount(month.amount, use.unit)}
    </Figure>
  );
}

function Figure({ icon: Icon, name, tone, note, children }: { icon: LucideIcon; name: string; tone: string; note?: ReactNode; children: ReactNode }): ReactNode {
  return (
    <div className={`tone-${tone}`}>
      <dt><Icon size={14} aria-hidden />{name}</dt>
      <dd className="num">{children}</dd>
      {note ? <dd className="ov-figure-note">{note}</dd> : null}
    </div>
  );
}
