/** One finding, and one specification with the elements that fail it. */
import { Button } from "antd";
import { AlertOctagon, AlertTriangle, Box, CircleCheck, CircleX, Info, Minus, Palette, type LucideIcon } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useBuilding } from "../context";
import { formatNumber } from "../lib/format";
import { useClassName } from "../lib/names";
import { IconLink, LinkButton } from "../parts";
import { itemsOf } from "../queries";
import { isPlace, useFailing, type Finding, type Level, type Specification } from "./queries";

const ICON: Record<Level, LucideIcon> = { error: AlertOctagon, warning: AlertTriangle, info: Info };
const TAG: Record<Level, string> = { error: "sev-critical", warning: "sev-medium", info: "sev-low" };

export function FindingView({ finding, language }: { finding: Finding; language: "en" | "zh" }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const Icon = ICON[finding.severity];
  const places = finding.where;
  return (
    <article className="check-item">
      <h3>
        <span className={`tag ${TAG[finding.severity]}`}><Icon size={13} aria-hidden />{t(`checks.severity.${finding.severity}`)}</span>
        {finding.explanation?.[language] ?? finding.message}
      </h3>
      {finding.fix ? <p className="muted"><b>{t("checks.fix")}</b> {finding.fix[language]}</p> : null}
      {places.length > 0 ? (
        <div className="check-places">
          {places.map((place) => isPlace(place) ? (
            <Link key={place} className="text-link" title={place} to={`/b/${building.id}?element=${encodeURIComponent(place)}`}>
              <Box size={12} aria-label={t("checks.flyTo", { id: "" }).trim()} role="img" /><span className="id-tail">{place.slice(-6)}</span>
            </Link>
          ) : <code key={place} className="code">{place}</code>)}
          {finding.count > places.length ? <span className="muted">{t("checks.more", { count: finding.count - places.length })}</span> : null}
        </div>
      ) : null}
    </article>
  );
}

/** Passed, failed; null: nothing in the model that it speaks of. */
export function Outcome({ status }: { status: string | null }): ReactNode {
  const { t } = useTranslation();
  if (status === null) return <span className="tag is-plain"><Minus size={13} aria-hidden />{t("checks.none_of")}</span>;
  return status === "fail" ? <span className="tag sev-high"><CircleX size={13} aria-hidden />{t("checks.fail")}</span> : <span className="tag is-ok"><CircleCheck size={13} aria-hidden />{t("checks.pass")}</span>;
}

export function SpecificationResult({ check, specification }: { check: string; specification: Specification }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const [open, setOpen] = useState(false);
  const n = (value: number): string => formatNumber(value, i18n.language);
  const { passed, failed, applicable } = specification;
  return (
    <article className="check-item">
      <h3>
        <Outcome status={applicable === 0 && specification.status !== "fail" ? null : specification.status} />
        {specification.name}
        {specification.other_schema ? <small className="muted">{t("checks.other")}</small> : null}
      </h3>
      {specification.description ? <p className="muted">{specification.description}</p> : null}
      {applicable > 0 ? (
        <div className="check-bar" role="img" aria-label={t("checks.of", { passed: n(passed), applicable: n(applicable) })}>
          <i style={{ width: `${(passed / applicable) * 100}%` }} /><b style={{ width: `${(failed / applicable) * 100}%` }} />
        </div>
      ) : null}
      <p className="num muted">{applicable > 0 ? t("checks.of", { passed: n(passed), applicable: n(applicable) }) : t("checks.notApplicable")}</p>
      <ul className="check-requirements">{specification.requirements.map((one, i) => <li key={i}>{one.text}{one.failed > 0 ? <span className="muted num"> · {t("checks.elements", { count: one.failed })}</span> : null}</li>)}</ul>
      {applicable > 0 ? (
        <div className="check-actions">
          <LinkButton to={`/b/${building.id}?check=${check}&specification=${specification.n}`} size="small" icon={<Palette size={14} />}>{t("checks.colour")}</LinkButton>
          {failed > 0 ? <Button size="small" aria-expanded={open} onClick={() => setOpen(!open)}>{t("checks.elements", { count: failed })}</Button> : null}
        </div>
      ) : null}
      {open ? <Failing check={check} specification={specification.n} /> : null}
    </article>
  );
}

function Failing({ check, specification }: { check: string; specification: number }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const className = useClassName();
  const page = useFailing(check, specification, i18n.language, true);
  return (
    <>
      <table className="check-elements">
        <thead><tr><th scope="col">{t("inspector.class")}</th><th scope="col">{t("checks.element")}</th><th scope="col">{t("report.reason")}</th><td /></tr></thead>
        <tbody>
          {itemsOf(page.data).map((one, i) => (
            <tr key={one.element_id ?? `${one.global_id}${i}`}>
              <td>{className(one.ifc_class)}</td>
              <td>{one.name ?? one.global_id}{one.storey ? <small className="muted"> · {one.storey}</small> : null}</td>
              <td>{one.failures.map((why) => <div key={why.requirement}>{why.text ? `${why.text}: ` : ""}{why.reason}</div>)}</td>
              <td>{one.element_id ? <IconLink icon={Box} size={15} to={`/b/${building.id}?element=${one.element_id}`} label={t("checks.flyTo", { id: one.name ?? one.global_id ?? "" })} /> : null}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {page.hasNextPage ? <Button size="small" loading={page.isFetchingNextPage} onClick={() => void page.fetchNextPage()}>{t("action.more")}</Button> : null}
    </>
  );
}
