import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Input, Segmented, type InputRef } from "antd";
import { Box, PanelLeftClose, Search, SearchX } from "lucide-react";
import { useDeferredValue, useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import type { ElementRow, Page, Tree } from "../../api/types";
import { useBuilding } from "../context";
import { useKey } from "../lib/keys";
import { useClassName } from "../lib/names";
import { Empty, Failure, IconButton, Lines } from "../parts";
import { SystemList } from "../spatial/system-list";
import { usePatch, useSceneState, useShowElement, type LeftTab } from "./state";
import { StructureTree } from "./tree";
import { elementLabel, spaceLabel } from "./tree-rows";

export function LeftPanel({ tree }: { tree: Tree }): ReactNode {
  const { t } = useTranslation();
  const { leftTab } = useSceneState();
  const patch = usePatch();
  const input = useRef<InputRef>(null);
  const [text, setText] = useState("");
  useKey("/", () => {
    patch({ leftOpen: true, leftTab: "search" });
    requestAnimationFrame(() => input.current?.focus());
  });
  return (
    <aside className="panel panel-left" aria-label={t("scene.structure")}>
      <div className="panel-tools">
        <Input ref={input} allowClear prefix={<Search size={14} aria-hidden />} placeholder={t("scene.searchPlaceholder")} value={text}
          aria-label={t("scene.search")} suffix={text ? null : <kbd>/</kbd>}
          onChange={(event) => {
            setText(event.target.value);
            patch({ leftTab: event.target.value ? "search" : "structure" });
          }}
          onKeyDown={(event) => {
            if (event.key === "Escape") event.currentTarget.blur();
          }} />
        <IconButton icon={PanelLeftClose} label={t("scene.closePanel")} onClick={() => patch({ leftOpen: false })} />
      </div>
      <div className="panel-tabs">
        <Segmented block size="small" value={leftTab} onChange={(tab) => patch({ leftTab: tab as LeftTab })} options={[
          { value: "structure", label: t("scene.structure") },
          { value: "systems", label: t("scene.systems") },
          { value: "search", label: t("scene.search") },
        ]} />
      </div>
      {leftTab === "structure" ? <StructureTree tree={tree} /> : leftTab === "systems" ? <SystemList /> : <Results text={text} tree={tree} />}
    </aside>
  );
}

function Results({ text, tree }: { text: string; tree: Tree }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const q = useDeferredValue(text.trim());
  const [settled, setSettled] = useState(q);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(q), 180);
    return () => clearTimeout(timer);
  }, [q]);
  const found = useQuery({
    queryKey: ["elements", "search", building.id, settled],
    queryFn: ({ signal }) => get<Page<ElementRow>>("/elements", { building: building.id, q: settled, limit: 200 }, signal),
    enabled: settled.length > 0,
    placeholderData: (previous) => previous,
  });
  if (!settled) return <Empty icon={Search} title={t("scene.searchEmpty")} hint={t("scene.searchHint")} />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Lines />;
  if (found.data.items.length === 0) return <Empty icon={SearchX} title={t("scene.searchNone", { text: settled })} hint={t("scene.searchNoneHint")} />;
  return <ElementList elements={found.data.items} tree={tree} more={found.data.next !== null} />;
}

export function ElementList({ elements, tree, more = false }: { elements: readonly ElementRow[]; tree?: Tree; more?: boolean }): ReactNode {
  const { t } = useTranslation();
  const className = useClassName();
  const holder = useRef<HTMLDivElement>(null);
  const { selected } = useSceneState();
  const showElement = useShowElement();
  const list = useVirtualizer({ count: elements.length, getScrollElement: () => holder.current, estimateSize: () => 46, overscan: 8 });
  const place = (element: ElementRow): string => {
    const storey = tree?.storeys.find((one) => one.id === element.storey_id);
    const space = storey?.spaces.find((one) => one.id === element.space_id);
    return [className(element.ifc_class), storey?.name, space ? spaceLabel(space) : null].filter(Boolean).join(" · ");
  };
  return (
    <div ref={holder} className="element-list">
      <div style={{ height: list.getTotalSize(), position: "relative" }}>
        {list.getVirtualItems().map((item) => {
          const element = elements[item.index];
          if (!element) return null;
          return (
            <button type="button" key={element.id} className={`element-row${element.global_id === selected ? " is-selected" : ""}`}
              style={{ height: 46, transform: `translateY(${item.start}px)` }}
              onClick={() => {
                showElement(element.global_id, element.storey_id);
              }}>
              <Box size={15} strokeWidth={1.6} aria-hidden />
              <span>
                <b>{elementLabel(element)}</b>
                <small>{place(element)}</small>
              </span>
            </button>
          );
        })}
      </div>
      {more ? <p className="muted pad">{t("scene.searchMore")}</p> : null}
    </div>
  );
}
