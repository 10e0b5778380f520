/** One box for everything: plain words or the search language, with what it finds and what one can do with that. */
import { useQuery } from "@tanstack/react-query";
import { AutoComplete, Button, Input, Tooltip, type InputRef } from "antd";
import { CircleAlert, CircleHelp, Crosshair, Download, EyeOff, Focus, Palette, Save, Search, SearchX } from "lucide-react";
import { useDeferredValue, useEffect, useMemo, useState, type ReactNode, type RefObject } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, get } from "../../api/client";
import type { Tree } from "../../api/types";
import { useBuilding } from "../context";
import { Empty, Failure, IconButton, Lines } from "../parts";
import { ElementList } from "../scene/element-list";
import { PALETTE } from "../scene/rules";
import { usePatch, useSceneState } from "../scene/state";
import { useActions } from "./actions";
import { useSaved, useWords, type Found } from "./queries";
import { SaveDialog } from "./save-dialog";
import { suggestions } from "./text";

export function SearchBox({ input }: { input: RefObject<InputRef | null> }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { query, leftTab } = useSceneState();
  const patch = usePatch();
  const [used, setUsed] = useState(false);
  const words = useWords(building.id, used);
  const saved = useSaved(building.id, used);
  const options = useMemo(() => {
    const searches = saved.data?.filter((one) => one.kind === "search").map((one) => one.name) ?? [];
    return words.data ? suggestions(query, { ...words.data, searches }).map((value) => ({ value })) : [];
  }, [query, words.data, saved.data]);
  return (
    <AutoComplete className="search-box" value={query} options={options} defaultActiveFirstOption={false} popupMatchSelectWidth={false}
      onChange={(text: string) => patch({ query: text, leftTab: text ? "search" : leftTab === "search" ? "structure" : leftTab })}>
      <Input ref={input} allowClear prefix={<Search size={14} aria-hidden />} placeholder={t("scene.searchPlaceholder")} aria-label={t("scene.search")}
        suffix={query ? null : <kbd>/</kbd>} onFocus={() => setUsed(true)} spellCheck={false}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }} />
    </AutoComplete>
  );
}

export function SearchPanel({ tree }: { tree: Tree }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { query } = useSceneState();
  const patch = usePatch();
  const asked = useSettled(query.trim());
  const found = useQuery({
    queryKey: ["elements", "query", building.id, asked],
    queryFn: ({ signal }) => get<Found>(`/buildings/${building.id}/search`, { q: asked, limit: 200 }, signal),
    enabled: asked.length > 0,
    placeholderData: (previous) => previous,
    retry: false,
  });
  if (!asked) {
    return (
      <Empty icon={Search} title={t("scene.searchEmpty")} hint={
        <>{t("workspace.searchHint")}{EXAMPLES.map((one) => <button type="button" key={one} className="query-example" onClick={() => patch({ query: one })}><code>{one}</code></button>)}</>
      } />
    );
  }
  if (found.isError) return found.error instanceof ApiError && found.error.status === 422 ? <Wrong message={found.error.message} /> : <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Lines />;
  if (found.data.count === 0) return <Empty icon={SearchX} title={t("scene.searchNone", { text: asked })} hint={t("workspace.noneHint")} />;
  return (
    <>
      <ResultActions query={asked} count={found.data.count} />
      <ElementList elements={found.data.items} tree={tree} more={found.data.next !== null} />
    </>
  );
}

const EXAMPLES = ["class:Wall *.FireRating:none", "has:alarm -class:Space", "class:Space area>20", "storey~1 (class:Door OR class:Window)"];

/** Where the query is wrong stands in the words of the server. */
function Wrong({ message }: { message: string }): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="query-wrong" role="status">
      <CircleAlert size={16} aria-hidden />
      <p>{message}</p>
      <p className="muted"><CircleHelp size={12} aria-hidden /> {t("workspace.searchHint")}</p>
    </div>
  );
}

function ResultActions({ query, count }: { query: string; count: number }): ReactNode {
  const { t } = useTranslation();
  const act = useActions();
  const [saving, setSaving] = useState(false);
  return (
    <div className="result-actions" role="toolbar" aria-label={t("workspace.withResults")}>
      <b className="num" data-testid="found-count">{t("workspace.found", { count })}</b>
      <span className="grow" />
      <IconButton size={15} icon={Focus} label={t("workspace.isolate")} onClick={() => void act.isolate(query, query)} />
      <IconButton size={15} icon={EyeOff} label={t("workspace.hide")} onClick={() => void act.hide(query)} />
      <IconButton size={15} icon={Palette} label={t("workspace.colour")} onClick={() => void act.paint([{ query, colour: PALETTE[0] ?? "#d55e00", label: query }], query, "ghost")} />
      <IconButton size={15} icon={Crosshair} label={t("workspace.fly")} onClick={() => void act.fly(query)} />
      <IconButton size={15} icon={Download} label={t("workspace.table")} onClick={() => act.table(query)} />
      <Tooltip title={t("workspace.saveSearch")}><Button size="small" type="text" icon={<Save size={15} />} aria-label={t("workspace.saveSearch")} onClick={() => setSaving(true)} /></Tooltip>
      {saving ? <SaveDialog kind="search" content={() => ({ query })} suggested={query} close={() => setSaving(false)} /> : null}
    </div>
  );
}

/** The text once the hand rests. */
function useSettled(text: string): string {
  const deferred = useDeferredValue(text);
  const [settled, setSettled] = useState(deferred);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(deferred), 250);
    return () => clearTimeout(timer);
  }, [deferred]);
  return settled;
}
