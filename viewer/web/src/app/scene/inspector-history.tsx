/** What became of an element: what each version of its model changed, and who wrote what about it. */
import { useQuery } from "@tanstack/react-query";
import { History as HistoryIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { get } from "../../api/client";
import type { AuditEntry } from "../../api/identity";
import type { components } from "../../api/schema.gen";
import type { ElementDetail, Page } from "../../api/types";
import { changesBetween, shown } from "../admin/diff";
import { useBuilding } from "../context";
import { Ago, Empty, Failure, Lines } from "../parts";
import { useMay } from "../session";
import { valueText } from "./inspector-properties";

type ElementVersion = components["schemas"]["ElementVersion"];

export function ElementHistory({ element }: { element: ElementDetail }): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  return (
    <div className="sections">
      <h4>{t("several.versions")}</h4>
      <Versions element={element} />
      {may("audit.read") ? <><h4>{t("several.audit")}</h4><Trail element={element} /></> : null}
    </div>
  );
}

function Versions({ element }: { element: ElementDetail }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const versions = useQuery({
    queryKey: ["element", "versions", element.id],
    queryFn: ({ signal }) => get<ElementVersion[]>(`/elements/${element.id}/versions`, {}, signal),
    staleTime: 60_000,
  });
  if (versions.isError) return <Failure error={versions.error} retry={() => void versions.refetch()} />;
  if (!versions.data) return <Lines count={2} />;
  return (
    <ol className="element-history">
      {element.current ? null : <li className="is-gone"><b>{t("several.until", { n: element.last_version + 1 })}</b></li>}
      {versions.data.map((one, i) => (
        <li key={one.since}>
          <span className="card-top">
            <Link to={`/b/${building.id}/models/${element.model_id}`}>{i === (versions.data.length - 1) ? t("several.since", { n: one.since }) : t("several.changedIn", { n: one.since })}</Link>
            <Ago at={one.imported_at} />
          </span>
          <small>{[element.model, one.imported_by].filter(Boolean).join(" · ")}</small>
          {one.changes.length > 0 ? <Changes version={one} /> : null}
        </li>
      ))}
    </ol>
  );
}

const SHOWN = 8;

function Changes({ version }: { version: ElementVersion }): ReactNode {
  const { t, i18n } = useTranslation();
  const text = (value: unknown): string => valueText(value, i18n.language, t("value.yes"), t("value.no"));
  const word = (change: string): string => (i18n.exists(`versions.change.${change}`) ? t(`versions.change.${change}` as "versions.change.shape") : change);
  return (
    <>
      <span className="history-chips">{version.changes.map((one) => <span key={one} className="chip">{word(one)}</span>)}</span>
      <dl className="facts">
        {version.differences.filter((one) => one.change !== "global_id").slice(0, SHOWN).map((one) => (
          <div key={`${one.change}${one.set}.${one.name}`}>
            <dt title={one.set ? `${one.set}.${one.name}` : one.name}>{one.name}</dt>
            <dd><del>{text(one.before)}</del> <span aria-hidden>→</span> {text(one.after)}</dd>
          </div>
        ))}
      </dl>
      {version.differences.length > SHOWN ? <small>{t("several.more", { count: version.differences.length - SHOWN })}</small> : null}
    </>
  );
}

function Trail({ element }: { element: ElementDetail }): ReactNode {
  const { t } = useTranslation();
  const entries = useQuery({
    queryKey: ["audit", "element", element.id],
    queryFn: ({ signal }) => get<Page<AuditEntry>>("/audit", { object: `element:${element.id}`, limit: 50 }, signal),
  });
  if (entries.isError) return <Failure error={entries.error} retry={() => void entries.refetch()} />;
  if (!entries.data) return <Lines count={2} />;
  if (entries.data.items.length === 0) return <Empty icon={HistoryIcon} title={t("several.noAudit")} />;
  return (
    <ol className="element-history">
      {entries.data.items.map((entry) => (
        <li key={entry.id}>
          <span className="card-top"><b>{entry.actor.replace(/^[a-z]+:/, "")}</b><Ago at={entry.at} /></span>
          <dl className="facts">
            {changesBetween(entry.before, entry.after).slice(0, SHOWN).map((one) => (
              <div key={one.field}><dt title={one.field}>{one.field}</dt><dd>{one.kind === "added" ? null : <><del>{shown(one.before)}</del> <span aria-hidden>→</span> </>}{one.kind === "removed" ? t("several.gone") : shown(one.after)}</dd></div>
            ))}
          </dl>
        </li>
      ))}
    </ol>
  );
}
