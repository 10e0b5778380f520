/** Points that no element is known of yet, with what they might belong to: why, how likely, where; confirmed one by one or many at once. */
import { App, Button, Checkbox, Drawer, Progress, Slider } from "antd";
import { Check, ChevronDown, Link2, MapPin, X } from "lucide-react";
import { lazy, Suspense, useMemo, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { post } from "../../api/client";
import { useBuilding } from "../context";
import { useClassName } from "../lib/names";
import { useMedia } from "../lib/prefs";
import { RowSkeletons } from "../pages/alarms";
import { Empty, Failure, LinkButton, PageHead } from "../parts";
import { itemsOf, usePaged, useWrite } from "../queries";

const PlaceMap = lazy(async () => ({ default: (await import("./place-map")).PlaceMap }));

interface Candidate {
  element: { id: string; global_id: string; name: string | null; ifc_class: string; space: string | null; storey: string | null };
  score: number;
  /** The one that the point gets when all points are decided together. */
  assigned: boolean;
  reasons: { code: string; text: string }[];
}

interface Suggestion {
  point: { id: string; key: string; name: string; unit: string | null; brick_class: string | null };
  candidates: Candidate[];
}

interface Pair {
  point: string;
  element: string;
}

const TOUCHED = ["points", "elements", "element"] as const;
const MOST = 200;
const HOVER = 180; // ms that a pointer rests on a row before the map goes there

export default function Suggestions(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const wide = useMedia("(min-width: 1100px)");
  const found = usePaged<Suggestion>(["points", "suggestions", building.id], "/points/suggestions", { building: building.id, limit: MOST });
  const { gone, bind, dismiss } = useDecisions();
  const items = useMemo(() => itemsOf(found.data).filter((one) => !gone.has(one.point.id)).map((one) => ({ ...one, candidates: one.candidates.filter((each) => !gone.has(`${one.point.id} ${each.element.id}`)) })).filter((one) => one.candidates.length > 0), [found.data, gone]);
  const [seen, setSeen] = useState<string | null>(null);
  const shown = seen ?? (wide ? (items[0]?.candidates[0]?.element.id ?? null) : null);
  const rest = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const look = (element: string | null, soon: boolean): void => {
    clearTimeout(rest.current);
    if (!soon) setSeen(element);
    else if (wide && element) rest.current = setTimeout(() => setSeen(element), HOVER);
  };
  const map = shown ? <Suspense fallback={<div className="place-map" />}><PlaceMap element={shown} /></Suspense> : null;
  return (
    <div className="page-body is-wide">
      <PageHead title={t("telemetry.section.suggestions")} sub={t("telemetry.suggestions.lead")} />
      {found.isError ? <Failure error={found.error} retry={() => void found.refetch()} /> : !found.data ? <RowSkeletons /> : items.length === 0 ? (
        <Empty icon={Link2} title={t("telemetry.suggestions.none")} hint={t("telemetry.suggestions.noneHint")} action={<LinkButton to={`/b/${building.id}/telemetry/points?bound=false`}>{t("telemetry.suggestions.unbound")}</LinkButton>} />
      ) : (
        <div className={`suggestion-layout${wide ? " has-map" : ""}`}>
          <List items={items} bind={bind} dismiss={dismiss} shown={shown} look={look} />
          {wide ? <aside>{map}</aside> : null}
        </div>
      )}
      {wide ? null : <Drawer open={seen !== null} onClose={() => setSeen(null)} placement="bottom" size="72%" title={t("telemetry.place.title")} classNames={{ body: "flush" }} destroyOnHidden>{map}</Drawer>}
    </div>
  );
}

/** Bound and dismissed ones leave the list at once: deciding all points anew takes the server a moment. */
function useDecisions(): { gone: ReadonlySet<string>; bind: { run: (pairs: Pair[]) => void; busy: boolean }; dismiss: (pair: Pair) => void } {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  const leave = (keys: readonly string[]): void => setGone((before) => new Set([...before, ...keys]));
  const bind = useWrite((bindings: Pair[]) => post<{ bound: number; problems: { point: string; message: string }[] }>("/points/bindings", { bindings }), TOUCHED, (done, pairs) => {
    const failed = new Set(done.problems.map((one) => one.point));
    leave(pairs.map((one) => one.point).filter((point) => !failed.has(point)));
    if (done.bound > 0) void message.success(t("telemetry.suggestions.bound", { count: done.bound }));
    for (const one of done.problems.slice(0, 3)) void message.warning(one.message, 6);
  });
  const dismiss = useWrite((one: Pair) => post("/points/suggestions/dismiss", one), ["points"], (_, one) => leave([`${one.point} ${one.element}`]));
  return { gone, bind: { run: bind.mutate, busy: bind.isPending }, dismiss: dismiss.mutate };
}

interface ListProps {
  items: readonly Suggestion[];
  bind: { run: (pairs: Pair[]) => void; busy: boolean };
  dismiss: (pair: Pair) => void;
  shown: string | null;
  look: (element: string | null, soon: boolean) => void;
}

function List({ items, bind, dismiss, shown, look }: ListProps): ReactNode {
  const { t } = useTranslation();
  const [picked, setPicked] = useState<Readonly<Record<string, string>>>({});
  const [sure, setSure] = useState(80);
  const here = new Set(items.map((one) => one.point.id));
  const chosen = Object.entries(picked).filter(([point]) => here.has(point)).map(([point, element]) => ({ point, element }));
  const pick = (point: string, element: string | null): void => setPicked((before) => {
    const rest = Object.fromEntries(Object.entries(before).filter(([one]) => one !== point));
    return element ? { ...rest, [point]: element } : rest;
  });
  const sureOnes = items.flatMap((one) => {
    const best = one.candidates[0];
    return best?.assigned && best.score * 100 >= sure ? [[one.point.id, best.element.id] as const] : [];
  });
  return (
    <div>
      <div className="suggestion-bar">
        <span className="suggestion-sure"><label htmlFor="sure">{t("telemetry.suggestions.sure", { percent: sure })}</label><Slider id="sure" min={50} max={100} step={5} value={sure} onChange={setSure} tooltip={{ open: false }} ariaLabelForHandle={t("telemetry.suggestions.sure", { percent: sure })} /></span>
        <Button disabled={sureOnes.length === 0} onClick={() => setPicked(Object.fromEntries(sureOnes))}>{t("telemetry.suggestions.pickSure", { count: sureOnes.length })}</Button>
        {chosen.length > 0 ? <Button type="text" onClick={() => setPicked({})}>{t("telemetry.suggestions.pickNone")}</Button> : null}
        <Button type="primary" icon={<Check size={15} aria-hidden />} disabled={chosen.length === 0} loading={bind.busy} onClick={() => bind.run(chosen)}>{t("telemetry.suggestions.confirm", { count: chosen.length })}</Button>
      </div>
      <ul className="rows" aria-label={t("telemetry.section.suggestions")}>
        {items.map((one) => (
          <Row key={one.point.id} of={one} picked={picked[one.point.id] ?? null} pick={(element) => pick(one.point.id, element)} busy={bind.busy} shown={shown} look={look}
            bind={(element) => bind.run([{ point: one.point.id, element }])} dismiss={(element) => dismiss({ point: one.point.id, element })} />
        ))}
        {items.length >= MOST ? <li className="rows-more muted">{t("telemetry.suggestions.more", { count: MOST })}</li> : null}
      </ul>
    </div>
  );
}

function Row({ of, picked, pick, bind, dismiss, busy, shown, look }: {
  of: Suggestion; picked: string | null; pick: (element: string | null) => void; bind: (element: string) => void; dismiss: (element: string) => void; busy: boolean; shown: string | null; look: ListProps["look"];
}): ReactNode {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  const others = of.candidates.length - 1;
  const open = all || (picked !== null && picked !== of.candidates[0]?.element.id);
  return (
    <li className="suggestion">
      <div className="suggestion-point"><b>{of.point.name}</b><code>{of.point.key}</code></div>
      <ol>
        {of.candidates.slice(0, open ? undefined : 1).map((one) => (
          <CandidateRow key={one.element.id} of={one} point={of.point.name} picked={picked === one.element.id} pick={(on) => pick(on ? one.element.id : null)} busy={busy} shown={shown === one.element.id} look={look}
            bind={() => bind(one.element.id)} dismiss={() => dismiss(one.element.id)} />
        ))}
      </ol>
      {others > 0 ? <button type="button" className="suggestion-others" aria-expanded={open} onClick={() => setAll(!open)}><ChevronDown size={14} aria-hidden className={open ? "is-open" : ""} />{t("telemetry.suggestions.others", { count: others })}</button> : null}
    </li>
  );
}

function CandidateRow({ of, point, picked, pick, bind, dismiss, busy, shown, look }: {
  of: Candidate; point: string; picked: boolean; pick: (on: boolean) => void; bind: () => void; dismiss: () => void; busy: boolean; shown: boolean; look: ListProps["look"];
}): ReactNode {
  const { t } = useTranslation();
  const className = useClassName();
  const { element } = of;
  const percent = Math.round(of.score * 100);
  const name = element.name ?? className(element.ifc_class);
  return (
    <li className={`suggestion-candidate${picked ? " is-picked" : ""}${shown ? " is-shown" : ""}`} onMouseEnter={() => look(element.id, true)} onMouseLeave={() => look(null, true)} onFocus={() => look(element.id, true)}>
      <Checkbox checked={picked} onChange={(event) => pick(event.target.checked)} aria-label={t("telemetry.suggestions.pick", { name, point })} />
      <span className="suggestion-score"><Progress type="circle" percent={percent} size={34} format={() => percent} strokeColor={percent >= 80 ? "var(--ok)" : percent >= 60 ? "var(--medium)" : "var(--text3)"} aria-label={t("telemetry.suggestions.score", { percent })} /></span>
      <span className="suggestion-text">
        <b>{name}</b> <small className="muted">{[className(element.ifc_class), element.space, element.storey].filter(Boolean).join(" · ")}</small>
        <span className="suggestion-reasons">{of.reasons.map((reason) => <span key={reason.code} className="chip">{reason.text}</span>)}</span>
      </span>
      <span className="suggestion-actions">
        <Button size="small" type="text" icon={<MapPin size={15} aria-hidden />} aria-pressed={shown} aria-label={t("telemetry.suggestions.where", { name })} onClick={() => look(element.id, false)} />
        <Button size="small" disabled={busy} icon={<Check size={14} aria-hidden />} onClick={bind}>{t("telemetry.suggestions.yes")}</Button>
        <Button size="small" type="text" icon={<X size={15} aria-hidden />} aria-label={t("telemetry.suggestions.no", { name })} onClick={dismiss} />
      </span>
    </li>
  );
}
