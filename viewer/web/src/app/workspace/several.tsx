/** Everything that several chosen elements have in common, where they differ, and what one does with all of them. */
import { useQueries } from "@tanstack/react-query";
import { Button, Tooltip } from "antd";
import { ChartLine, Crosshair, Download, EyeOff, Focus, Ghost, ListPlus, Save, X } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import type { ElementDetail, Tree } from "../../api/types";
import { useBuilding } from "../context";
import { formatNumber } from "../lib/format";
import { useClassName } from "../lib/names";
import { IconButton, Lines } from "../parts";
import { brief, valueText } from "../scene/inspector-properties";
import { usePatch, useScene, useSceneScope, useSceneState } from "../scene/state";
import { elementLabel, spaceLabel } from "../scene/tree-rows";
import { useActions } from "./actions";
import { useDraw } from "./charts";
import { SaveDialog } from "./save-dialog";
import { grouped, queryOf, shared, type Shared } from "./selection";
import { unitSign } from "./text";

export function SeveralPanel({ selection, tree }: { selection: readonly string[]; tree: Tree }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const patch = usePatch();
  const { adding } = useSceneState();
  const details = useQueries({
    queries: selection.map((id) => ({
      queryKey: ["element", id, building.id],
      queryFn: ({ signal }: { signal: AbortSignal }) => get<ElementDetail>(`/elements/${encodeURIComponent(id)}`, { building: building.id }, signal),
      staleTime: 60_000,
    })),
    combine: (all) => ({ known: all.flatMap((one) => one.data ?? []), waiting: all.some((one) => one.isPending), failed: all.filter((one) => one.isError).length }),
  });
  return (
    <aside className="panel panel-right several" aria-label={t("several.title")}>
      <header className="inspector-head">
        <div className="inspector-title">
          <h2 data-testid="chosen-count">{t("several.count", { count: selection.length })}</h2>
          <IconButton icon={ListPlus} size={15} active={adding} label={t("several.adding")} onClick={() => patch({ adding: !adding })} />
          <IconButton icon={X} size={16} label={t("action.close")} shortcut="Esc" onClick={() => patch({ selected: null })} />
        </div>
        <Bulk selection={selection} elements={details.known} />
      </header>
      <div className="sections several-body">
        {details.failed > 0 ? <p className="muted" role="status">{t("several.unknown", { count: details.failed })}</p> : null}
        <Chosen elements={details.known} tree={tree} />
        {details.waiting ? <Lines /> : <Common elements={details.known} tree={tree} />}
      </div>
    </aside>
  );
}

function Bulk({ selection, elements }: { selection: readonly string[]; elements: readonly ElementDetail[] }): ReactNode {
  const { t } = useTranslation();
  const { store } = useSceneScope();
  const scene = useScene();
  const act = useActions();
  const draw = useDraw();
  const [saving, setSaving] = useState(false);
  const query = queryOf(selection);
  const measured = elements.some((one) => one.points.some((point) => point.kind !== "text"));
  const also = (name: "hidden" | "ghosted") => (): void => store.set((state) => ({ ...state, [name]: [...new Set([...state[name], ...selection])] }));
  const fly = (): void => {
    const seen = selection.filter((one) => scene?.has(one));
    if (seen.length > 0) void scene?.flyTo(seen);
  };
  return (
    <div className="several-bulk" role="toolbar" aria-label={t("several.all")}>
      <IconButton size={15} icon={Crosshair} label={t("workspace.fly")} onClick={fly} />
      <IconButton size={15} icon={Focus} label={t("workspace.isolate")} shortcut="I" onClick={() => store.set((state) => ({ ...state, isolated: { ids: [...selection], title: t("scene.selection") } }))} />
      <IconButton size={15} icon={EyeOff} label={t("workspace.hide")} shortcut="H" onClick={also("hidden")} />
      <IconButton size={15} icon={Ghost} label={t("several.ghost")} shortcut="G" onClick={also("ghosted")} />
      <IconButton size={15} icon={Download} label={t("workspace.table")} onClick={() => act.table(query)} />
      <IconButton size={15} icon={ChartLine} label={t("several.toChart")} disabled={!measured} onClick={() => draw({ elements: selection })} />
      <span className="grow" />
      <Button size="small" icon={<Save size={14} />} onClick={() => setSaving(true)}>{t("several.save")}</Button>
      {saving ? <SaveDialog kind="search" content={() => ({ query })} suggested={t("several.count", { count: selection.length })} close={() => setSaving(false)} /> : null}
    </div>
  );
}

/** Which ones: each can be looked at alone, or taken out. */
function Chosen({ elements, tree }: { elements: readonly ElementDetail[]; tree: Tree }): ReactNode {
  const { t } = useTranslation();
  const className = useClassName();
  const patch = usePatch();
  const { selection } = useSceneState();
  const classes = useMemo(() => grouped(elements, (one) => one.ifc_class), [elements]);
  return (
    <details className="group" open={elements.length <= 8}>
      <summary><span>{[...classes].map(([name, all]) => `${all.length} × ${className(name)}`).join(", ")}</span></summary>
      {classes.size < 2 ? null : (
        <div className="several-classes">{[...classes].map(([name, all]) => (
          <Tooltip key={name} title={t("several.onlyThese")}>
            <button type="button" className="chip" onClick={() => patch({ selection: all.map((one) => one.global_id) })}>{className(name)} <b className="num">{all.length}</b></button>
          </Tooltip>
        ))}</div>
      )}
      <ul className="several-list">{elements.map((one) => (
        <li key={one.id}>
          <button type="button" title={t("several.onlyThis")} onClick={() => patch({ selected: one.global_id, selection: [one.global_id] })}>
            <b>{one.ifc_class === "IfcSpace" ? spaceLabel(one) : elementLabel(one)}</b>
            <small>{[className(one.ifc_class), tree.storeys.find((storey) => storey.id === one.location.storey_id)?.name].filter(Boolean).join(" · ")}</small>
          </button>
          <IconButton icon={X} size={13} label={t("several.out", { name: elementLabel(one) })} onClick={() => patch({ selection: selection.filter((id) => id !== one.global_id) })} />
        </li>
      ))}</ul>
    </details>
  );
}

function Common({ elements, tree }: { elements: readonly ElementDetail[]; tree: Tree }): ReactNode {
  const { t, i18n } = useTranslation();
  const className = useClassName();
  const [open, setOpen] = useState<string | null>(null);
  const facts = useMemo(() => {
    const main = t("several.facts");
    const text = (value: unknown): string => valueText(value, i18n.language, t("value.yes"), t("value.no"));
    return shared(elements.map((one) => {
      const of = new Map<string, string>();
      const put = (group: string, name: string, value: string | null | undefined): void => {
        if (value) of.set(`${group}\u0000${name}`, value);
      };
      put(main, t("inspector.class"), className(one.ifc_class));
      put(main, t("inspector.type"), one.type?.name);
      put(main, t("several.storey"), tree.storeys.find((storey) => storey.id === one.location.storey_id)?.name);
      put(main, t("inspector.materials"), one.materials.map((each) => brief(each)).join(", "));
      put(main, t("inspector.systems"), one.systems.map((each) => each.name).filter(Boolean).join(", "));
      put(main, t("inspector.model"), one.model);
      for (const sets of [one.quantities, one.psets])
        for (const [set, properties] of Object.entries(sets))
          for (const [name, property] of Object.entries(properties)) put(set, name, property.unit ? `${text(property.value)} ${unitSign(property.unit)}` : text(property.value));
      for (const [name, value] of Object.entries(one.own_properties)) put(t("inspector.own"), name, text(value));
      return of;
    }));
  }, [elements, tree, className, t, i18n.language]);
  const groups = [...grouped(facts, (one) => one.group)];
  return groups.map(([group, members], i) => (
    <details className="group" key={group} open={i < 3}>
      <summary><span>{group}</span><small>{members.length}</small></summary>
      <dl className="facts">{members.map((one) => <Fact key={one.name} fact={one} open={open === `${group}.${one.name}`} toggle={() => setOpen(open === `${group}.${one.name}` ? null : `${group}.${one.name}`)} />)}</dl>
    </details>
  ));
}

const SHOWN = 12;

function Fact({ fact, open, toggle }: { fact: Shared; open: boolean; toggle: () => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const [only] = fact.values;
  if (fact.values.length === 1 && only) return <div><dt title={fact.name}>{fact.name}</dt><dd>{only[0]}</dd></div>;
  return (
    <div className="is-varied">
      <dt title={fact.name}>{fact.name}</dt>
      <dd>
        <button type="button" className="varied" aria-expanded={open} onClick={toggle}>{t("several.varied", { count: fact.values.length })}</button>
        {open ? (
          <ul>
            {fact.values.slice(0, SHOWN).map(([value, count]) => <li key={value ?? ""}><span>{value ?? t("several.none")}</span><b className="num">{formatNumber(count, i18n.language)}</b></li>)}
            {fact.values.length > SHOWN ? <li className="muted">{t("several.more", { count: fact.values.length - SHOWN })}</li> : null}
          </ul>
        ) : null}
      </dd>
    </div>
  );
}
