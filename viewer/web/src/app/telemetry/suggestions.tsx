/** Points that no element is known of yet, with what they might belong to: why, how likely; confirmed one by one or many at once. */
import { App, Button, Checkbox, Progress, Slider } from "antd";
import { Box, Check, Link2, X } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { post } from "../../api/client";
import { useBuilding } from "../context";
import { useClassName } from "../lib/names";
import { RowSkeletons } from "../pages/alarms";
import { Empty, Failure, LinkButton, PageHead } from "../parts";
import { itemsOf, usePaged, useWrite } from "../queries";

type Named = string | { id?: string; name?: string | null } | null | undefined;

interface Candidate {
  element: { id: string; global_id: string; name: string | null; ifc_class: string; space?: Named; storey?: Named };
  score: number;
  /** The one that the point gets when all points are decided together. */
  assigned?: boolean;
  reasons: { code: string; text: string }[];
}

interface Suggestion {
  point: { id: string; key: string; name: string; unit: string | null; brick_class: string | null };
  candidates: Candidate[];
}

const nameOf = (one: Named): string | null => (typeof one === "string" ? one : (one?.name ?? null));
const TOUCHED = ["points", "elements", "element"] as const;

export default function Suggestions(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const found = usePaged<Suggestion>(["points", "suggestions", building.id], "/points/suggestions", { building: building.id, limit: 200 });
  const items = useMemo(() => itemsOf(found.data), [found.data]);
  const [picked, setPicked] = useState<Record<string, string>>({});
  const [sure, setSure] = useState(80);
  const bind = useWrite((bindings: { point: string; element: string }[]) => post<{ bound: number; problems: { point?: string; message: string }[] }>("/points/bindings", { bindings }), TOUCHED, (done) => {
    setPicked({});
    void message.success(t("telemetry.suggestions.bound", { count: done.bound }));
    for (const one of done.problems.slice(0, 3)) void message.warning(one.message, 6);
  });
  const dismiss = useWrite((one: { point: string; element: string }) => post("/points/suggestions/dismiss", one), ["points"]);
  const pick = (point: string, element: string | null): void => setPicked((before) => {
    const rest = Object.fromEntries(Object.entries(before).filter(([one]) => one !== point));
    return element ? { ...rest, [point]: element } : rest;
  });
  const pickSure = (): void => setPicked(Object.fromEntries(items.flatMap((one) => {
    const best = one.candidates[0];
    return best && best.assigned !== false && best.score * 100 >= sure ? [[one.point.id, best.element.id]] : [];
  })));
  const chosen = Object.entries(picked).map(([point, element]) => ({ point, element }));
  return (
    <div className="page-body">
      <PageHead title={t("telemetry.section.suggestions")} sub={t("telemetry.suggestions.lead")} />
      {found.isError ? <Failure error={found.error} retry={() => void found.refetch()} /> : !found.data ? <RowSkeletons /> : items.length === 0 ? (
        <Empty icon={Link2} title={t("telemetry.suggestions.none")} hint={t("telemetry.suggestions.noneHint")} action={<LinkButton to={`/b/${building.id}/telemetry/points?bound=false`}>{t("telemetry.suggestions.unbound")}</LinkButton>} />
      ) : (
        <>
          <div className="suggestion-bar">
            <span className="suggestion-sure"><label htmlFor="sure">{t("telemetry.suggestions.sure", { percent: sure })}</label><Slider id="sure" min={50} max={100} step={5} value={sure} onChange={setSure} tooltip={{ open: false }} ariaLabelForHandle={t("telemetry.suggestions.sure", { percent: sure })} /></span>
            <Button onClick={pickSure}>{t("telemetry.suggestions.pickSure")}</Button>
            <Button type="primary" icon={<Check size={15} aria-hidden />} disabled={chosen.length === 0} loading={bind.isPending} onClick={() => bind.mutate(chosen)}>{t("telemetry.suggestions.confirm", { count: chosen.length })}</Button>
          </div>
          <ul className="rows" aria-label={t("telemetry.section.suggestions")}>
            {items.map((one) => (
              <SuggestionRow key={one.point.id} of={one} picked={picked[one.point.id] ?? null} pick={(element) => pick(one.point.id, element)} busy={bind.isPending}
                bind={(element) => bind.mutate([{ point: one.point.id, element }])} dismiss={(element) => dismiss.mutate({ point: one.point.id, element })} />
            ))}
            {found.hasNextPage ? <li className="rows-more"><Button loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{t("action.more")}</Button></li> : null}
          </ul>
        </>
      )}
    </div>
  );
}

function SuggestionRow({ of, picked, pick, bind, dismiss, busy }: {
  of: Suggestion; picked: string | null; pick: (element: string | null) => void; bind: (element: string) => void; dismiss: (element: string) => void; busy: boolean;
}): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const className = useClassName();
  return (
    <li className="suggestion">
      <div className="suggestion-point"><b>{of.point.name}</b><code>{of.point.key}</code></div>
      <ol>
        {of.candidates.map((one) => {
          const percent = Math.round(one.score * 100);
          const place = [nameOf(one.element.space), nameOf(one.element.storey)].filter(Boolean).join(" · ");
          const name = one.element.name ?? className(one.element.ifc_class);
          return (
            <li key={one.element.id} className={`suggestion-candidate${picked === one.element.id ? " is-picked" : ""}`}>
              <Checkbox checked={picked === one.element.id} onChange={(event) => pick(event.target.checked ? one.element.id : null)} aria-label={t("telemetry.suggestions.pick", { name })} />
              <span className="suggestion-score"><Progress type="circle" percent={percent} size={34} format={() => percent} strokeColor={percent >= 80 ? "var(--ok)" : percent >= 60 ? "var(--medium)" : "var(--text3)"} aria-label={t("telemetry.suggestions.score", { percent })} /></span>
              <span className="suggestion-text">
                <b>{name}</b> <small className="muted">{[className(one.element.ifc_class), place].filter(Boolean).join(" · ")}</small>
                <span className="suggestion-reasons">{one.reasons.map((reason) => <span key={reason.code} className="chip">{reason.text}</span>)}</span>
              </span>
              <span className="suggestion-actions">
                <LinkButton type="text" size="small" icon={<Box size={15} aria-label={t("telemetry.points.to3d")} />} to={`/b/${building.id}?element=${one.element.id}`} />
                <Button size="small" disabled={busy} icon={<Check size={14} aria-hidden />} onClick={() => bind(one.element.id)}>{t("telemetry.suggestions.yes")}</Button>
                <Button size="small" type="text" icon={<X size={15} aria-hidden />} aria-label={t("telemetry.suggestions.no", { name })} onClick={() => dismiss(one.element.id)} />
              </span>
            </li>
          );
        })}
      </ol>
    </li>
  );
}
