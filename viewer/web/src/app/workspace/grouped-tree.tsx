/** The building as a tree by class, type, system, zone, room, discipline or model. Virtual: a hundred thousand rows cost what forty do. */
import { useQueries } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Box, ChevronRight, Layers2 } from "lucide-react";
import { useMemo, useRef, useState, type KeyboardEvent, type MouseEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ElementRow } from "../../api/types";
import { useBuilding } from "../context";
import { carry } from "../lib/dragged";
import { useClassName } from "../lib/names";
import { usePhone } from "../lib/prefs";
import { Empty, Failure, Lines } from "../parts";
import { everything } from "../queries";
import { usePatch, useSceneState, useShowElement } from "../scene/state";
import { clicked, type Click } from "./selection";
import { elementLabel } from "../scene/tree-rows";
import { drawnWith, NodeButtons } from "./node-actions";
import { asksMenu, below, menuPlace, useNodeMenu, type At, type Node } from "./node-menu";
import { natural } from "./by-value";
import { searchIds, useBranches, type Branch } from "./queries";

const ROW = 30;
export const GROUPS = ["class", "type", "system", "zone", "space", "discipline", "model"] as const;
export type Group = (typeof GROUPS)[number];

type Row = { kind: "branch"; branch: Branch; label: string; open: boolean } | { kind: "element"; element: ElementRow } | { kind: "wait"; key: string };

/** What a layout may keep as the order of the tree: one of these, or `property:` and a property as a query writes it. */
export const isGroup = (group: string | null | undefined): group is string => group?.startsWith("property:") === true || GROUPS.some((one) => one === group);

export function GroupedTree({ by }: { by: string }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const className = useClassName();
  const branches = useBranches(building.id, by);
  const { selected, selection, adding, hidden, ghosted } = useSceneState();
  const patch = usePatch();
  const showElement = useShowElement();
  const phone = usePhone(); // a long press is no drag there
  const { menu, open: openMenu } = useNodeMenu();
  const [open, setOpen] = useState<readonly string[]>([]);
  const [cursor, setCursor] = useState(0);
  const holder = useRef<HTMLDivElement>(null);
  const answers = useQueries({
    queries: open.map((query) => ({
      queryKey: ["elements", "branch", building.id, query],
      queryFn: ({ signal }: { signal: AbortSignal }) => everything<ElementRow>(`/buildings/${building.id}/search`, { q: query }, signal, 100_000),
      staleTime: 5 * 60_000,
    })),
    combine: (results) => new Map(results.flatMap((result, i) => (result.data ? [[open[i] ?? "", result.data] as const] : []))),
  });
  const sorted = useMemo(() => (by.startsWith("property:") ? branches.data?.toSorted((a, b) => Number(a.value === null) - Number(b.value === null) || natural(a.value ?? "", b.value ?? "")) : branches.data), [branches.data, by]);
  const rows = useMemo<Row[]>(() => (sorted ?? []).flatMap((branch): Row[] => {
    const isOpen = open.includes(branch.query);
    const label = branch.value === null ? t("workspace.without") : by === "class" ? className(branch.value) : branch.value;
    const head: Row = { kind: "branch", branch, label, open: isOpen };
    if (!isOpen) return [head];
    const inside = answers.get(branch.query);
    return [head, ...(inside ? inside.map((element): Row => ({ kind: "element", element })) : [{ kind: "wait" as const, key: branch.query }])];
  }), [sorted, open, answers, by, className, t]);
  const list = useVirtualizer({ count: rows.length, getScrollElement: () => holder.current, estimateSize: () => ROW, overscan: 12 });
  if (branches.isError) return <Failure error={branches.error} retry={() => void branches.refetch()} />;
  if (!branches.data) return <Lines />;
  if (branches.data.every((one) => one.value === null)) return <Empty icon={Layers2} title={t("workspace.noGroups")} />;
  const toggle = (query: string): void => setOpen(open.includes(query) ? open.filter((one) => one !== query) : [...open, query]);
  const choose = (row: Row, click: Click): void => {
    if (row.kind === "branch") return toggle(row.branch.query);
    if (row.kind !== "element") return;
    const id = row.element.global_id;
    const several = clicked({ selected, selection, adding }, rows.flatMap((one) => (one.kind === "element" ? [one.element.global_id] : [])), id, click);
    patch(several ? { selection: several } : { selected: id, selection: [id] });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const row = rows[cursor];
    const move = (to: number): void => {
      const next = Math.max(0, Math.min(rows.length - 1, to));
      setCursor(next);
      list.scrollToIndex(next);
    };
    const branch = row?.kind === "branch" ? row : null;
    if (event.key === "ArrowDown") move(cursor + 1);
    else if (event.key === "ArrowUp") move(cursor - 1);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(rows.length - 1);
    else if (event.key === "ArrowRight" && branch && !branch.open) toggle(branch.branch.query);
    else if (event.key === "ArrowLeft" && branch?.open) toggle(branch.branch.query);
    else if (event.key === "ArrowLeft") move(rows.findLastIndex((one, i) => i < cursor && one.kind === "branch"));
    else if (asksMenu(event)) menuOf(cursor, below(document.getElementById(`group-row-${cursor}`)));
    else if ((event.key === "Enter" || event.key === " ") && row) choose(row, event);
    else return;
    event.preventDefault();
  };
  const nodeOf = (row: Exclude<Row, { kind: "wait" }>): Node => {
    if (row.kind === "branch") return { label: row.label, one: null, drawn: null, members: async () => (await searchIds(building.id, row.branch.query)).global_ids };
    const id = row.element.global_id;
    return { label: elementLabel(row.element), one: id, drawn: drawnWith(id, selection), members: () => Promise.resolve([id]) };
  };
  const menuOf = (at: number, where: At): void => {
    const row = rows[at];
    if (!row || row.kind === "wait") return;
    setCursor(at);
    openMenu(nodeOf(row), where);
  };
  const onContextMenu = (event: MouseEvent): void => {
    const under = event.target instanceof Element ? event.target.closest("[role=treeitem]") : null;
    if (!under) return;
    event.preventDefault();
    menuOf(Number(under.id.slice("group-row-".length)), menuPlace(event));
  };
  return (
    <>
    <div ref={holder} className="tree grouped-tree" role="tree" tabIndex={0} aria-label={t("workspace.by")} onKeyDown={onKeyDown} onContextMenu={onContextMenu} aria-multiselectable aria-activedescendant={`group-row-${cursor}`}>
      <div style={{ height: list.getTotalSize(), position: "relative" }}>
        {list.getVirtualItems().map((item) => {
          const row = rows[item.index];
          if (!row) return null;
          const place = { height: ROW, transform: `translateY(${item.start}px)` };
          if (row.kind === "wait") return <div key={item.key} className="tree-row" style={{ ...place, paddingLeft: 30 }}><span className="tree-wait" /></div>;
          const is = row.kind === "branch" ? "is-branch" : "is-element";
          const isSelected = row.kind === "element" && selection.includes(row.element.global_id);
          return (
            <div key={item.key} id={`group-row-${item.index}`} role="treeitem" aria-level={row.kind === "branch" ? 1 : 2} aria-selected={isSelected}
              {...(row.kind === "branch" ? { "aria-expanded": row.open } : {})}
              className={`tree-row ${is}${isSelected ? " is-selected" : ""}${cursor === item.index ? " is-cursor" : ""}`} style={{ ...place, paddingLeft: row.kind === "branch" ? 6 : 30 }}
              draggable={!phone && row.kind === "element"} onDragStart={(event) => row.kind === "element" && carry(event.dataTransfer, { elements: drawnWith(row.element.global_id, selection) })}
              onClick={(event) => {
                setCursor(item.index);
                choose(row, event);
              }}
              onDoubleClick={() => row.kind === "element" && showElement(row.element.global_id, row.element.storey_id)}>
              {row.kind === "branch" ? (
                <>
                  <span className={`chevron${row.open ? " is-open" : ""}`} aria-hidden><ChevronRight size={14} /></span>
                  <span className="tree-label" title={row.label}>{row.label}</span>
                  <NodeButtons node={nodeOf(row)} open={openMenu} />
                  <span className="tree-count">{row.branch.count}</span>
                </>
              ) : (
                <>
                  <Box size={14} strokeWidth={1.7} aria-hidden className="tree-icon" />
                  <span className={`tree-label${hidden.includes(row.element.global_id) ? " is-hidden" : ghosted.includes(row.element.global_id) ? " is-ghost" : ""}`} title={elementLabel(row.element)}>{elementLabel(row.element)}</span>
                  {by === "class" ? null : <span className="tree-sub">{className(row.element.ifc_class)}</span>}
                  <NodeButtons node={nodeOf(row)} open={openMenu} />
                </>
              )}
            </div>
          );
        })}
      </div>
    </div>
    {menu}
    </>
  );
}
