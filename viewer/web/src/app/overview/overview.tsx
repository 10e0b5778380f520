/** For owners: is it safe, comfortable, economical; what is being repaired and what comes next. Read in ten seconds. */
import { Button, Skeleton } from "antd";
import { Building2, Gauge, Printer } from "lucide-react";
import { lazy, Suspense, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Overview as Numbers } from "../../api/types";
import { useBuilding } from "../context";
import { formatTime } from "../lib/format";
import { Failure, LinkButton, PageHead } from "../parts";
import { useBuildings, useOverview } from "../queries";
import { useMay } from "../session";
import { ComfortCard, OrdersCard, SafetyCard, WorksCard } from "./cards";
import { useWords } from "./numbers";
import { useConsumption, usePicture } from "./queries";
import { UseCards } from "./use-card";
import "./overview.css";

const QuotaForm = lazy(() => import("./quota-form"));

export default function Overview(): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const overview = useOverview(building.id);
  const may = useMay();
  const several = (useBuildings(may("building.read")).data ?? []).length > 1;
  const [quotas, setQuotas] = useState(false);
  const data = overview.data;
  return (
    <div className="page-body overview">
      <PageHead title={building.name} sub={data ? <Size data={data} /> : " "}>
        {several ? <LinkButton to="/overview" icon={<Building2 size={15} aria-hidden />}>{t("overview.allBuildings")}</LinkButton> : null}
        {may("alarm_rule.write") && may("reading.read") ? <Button icon={<Gauge size={15} aria-hidden />} onClick={() => setQuotas(true)}>{t("overview.quota.button")}</Button> : null}
        <Button icon={<Printer size={15} aria-hidden />} onClick={() => window.print()}>{t("overview.print")}</Button>
      </PageHead>
      {overview.isError ? <Failure error={overview.error} retry={() => void overview.refetch()} /> : !data ? <Skeleton active paragraph={{ rows: 10 }} /> : <Cards data={data} />}
      {data ? <footer className="ov-foot muted"><Points data={data} /><span>{t("overview.asOf", { when: formatTime(data.at, i18n.language) })}</span></footer> : null}
      {quotas ? <Suspense fallback={null}><QuotaForm close={() => setQuotas(false)} /></Suspense> : null}
    </div>
  );
}

function Size({ data }: { data: Numbers }): ReactNode {
  const { t } = useTranslation();
  const { n } = useWords();
  return <>{t("overview.size", { spaces: n(data.spaces), elements: n(data.elements), area: data.area === null ? "–" : n(Math.round(data.area)) })}</>;
}

function Points({ data }: { data: Numbers }): ReactNode {
  const { t } = useTranslation();
  const { n } = useWords();
  return <span>{data.points === 0 ? t("overview.pointsNone") : t("overview.points", { online: n(data.points_online), all: n(data.points) })}</span>;
}

function Cards({ data }: { data: Numbers }): ReactNode {
  const { building } = useBuilding();
  const may = useMay();
  const picture = usePicture(building.id, may("model.read")).data;
  const uses = useConsumption(building.id, may("reading.read"));
  return (
    <div className="ov-cards">
      <SafetyCard data={data} picture={picture} />
      <ComfortCard data={data} picture={picture} />
      {may("reading.read") ? <UseCards uses={uses} power={data.power} picture={picture} /> : null}
      <OrdersCard data={data} picture={picture} />
      <WorksCard data={data} picture={picture} />
    </div>
  );
}
