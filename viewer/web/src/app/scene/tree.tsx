import { useQueries } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Box, ChevronRight, DoorOpen, Layers, Shapes } from "lucide-react";
import { useMemo, useRef, useState, type KeyboardEvent, type MouseEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ElementRow, Tree } from "../../api/types";
import { useBuilding } from "../context";
import { everything } from "../queries";
import { useClassName } from "../lib/names";
import { usePhone } from "../lib/prefs";
import { usePatch, useSceneState, useShowElement, useShowStorey } from "./state";
import { carry } from "../lib/dragged";
import { drawnWith, NodeButtons, useNodeOf } from "../workspace/node-actions";
import { asksMenu, below, menuPlace, useNodeMenu, type At } from "../workspace/node-menu";
import { clicked, type Click } from "../workspace/selection";
import { treeRows, type Branch, type TreeRow } from "./tree-rows";

const ROW = 30;
const ICON = { storey: Layers, space: DoorOpen, class: Shapes, element: Box, wait: Box } as const;

export function StructureTree({ tree }: { tree: Tree }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { selected, selection, adding, storey, hidden, ghosted } = useSceneState();
  const className = useClassName();
  const patch = usePatch();
  const showElement = useShowElement();
  const showStorey = useShowStorey(tree);
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set<string>());
  const [branches, setBranches] = useState<readonly Branch[]>([]);
  const [cursor, setCursor] = useState(0);
  const holder = useRef<HTMLDivElement>(null);
  const nodeOf = useNodeOf();
  const phone = usePhone(); // a long press is no drag there
  const { menu, open: openMenu } = useNodeMenu();

  const answers = useQueries({
    queries: branches.map((branch) => ({
      queryKey: ["elements", { building: building.id, ...branch }],
      queryFn: ({ signal }: { signal: AbortSignal }) => everything<ElementRow>("/elements", {
        building: building.id, storey: branch.storey, space: branch.space, ifc_class: branch.ifcClass,
      }, signal),
      staleTime: 5 * 60_000,
    })),
    combine: (results) => new Map(results.flatMap((result, i) => {
      const branch = branches[i];
      return branch && result.data ? [[branch.key, result.data] as const] : [];
    })),
  });
  const { rows } = useMemo(
    () => treeRows(tree, open, answers, { className, noStorey: t("scene.noStorey"), unnamed: t("scene.unnamed") }),
    [tree, open, answers, className, t],
  );
  const list = useVirtualizer({ count: rows.length, getScrollElement: () => holder.current, estimateSize: () => ROW, overscan: 12 });

  const toggle = (row: TreeRow): void => {
    const next = new Set(open);
    if (next.delete(row.key)) return setOpen(next);
    next.add(row.key);
    setOpen(next);
    const { wanted } = treeRows(tree, next, answers, { className, noStorey: "", unnamed: "" });
    setBranches((known) => [...known, ...wanted.filter((one) => !known.some((other) => other.key === one.key))]);
  };
  const choose = (row: TreeRow, click: Click): void => {
    if (row.globalId) {
      const several = clicked({ selected, selection, adding }, rows.flatMap((one) => (one.kind === "element" || one.kind === "space") && one.globalId ? [one.globalId] : []), row.globalId, click);
      patch(several ? { selection: several } : { selected: row.globalId, selection: [row.globalId] });
    } else if (row.kind === "storey") {
      if (row.storey) showStorey(row.storey === storey ? null : row.storey);
      if (!row.open) toggle(row);
    } else if (row.expandable) toggle(row);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const row = rows[cursor];
    const move = (to: number): void => {
      const next = Math.max(0, Math.min(rows.length - 1, to));
      setCursor(next);
      list.scrollToIndex(next);
    };
    if (event.key === "ArrowDown") move(cursor + 1);
    else if (event.key === "ArrowUp") move(cursor - 1);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(rows.length - 1);
    else if (event.key === "ArrowRight" && row?.expandable && !row.open) toggle(row);
    else if (event.key === "ArrowLeft" && row?.open) toggle(row);
    else if (event.key === "ArrowLeft" && row) move(rows.findLastIndex((one, i) => i < cursor && one.level < row.level));
    else if (asksMenu(event)) menuOf(cursor, below(document.getElementById(`tree-row-${cursor}`)));
    else if ((event.key === "Enter" || event.key === " ") && row) choose(row, event);
    else return;
    event.preventDefault();
  };
  const menuOf = (at: number, where: At): void => {
    const row = rows[at];
    const node = row ? nodeOf(row) : null;
    if (!node) return;
    setCursor(at);
    openMenu(node, where);
  };
  const onContextMenu = (event: MouseEvent): void => {
    const under = event.target instanceof Element ? event.target.closest("[role=treeitem]") : null;
    if (!under) return;
    event.preventDefault();
    menuOf(Number(under.id.slice("tree-row-".length)), menuPlace(event));
  };
  return (
    <>
    <div ref={holder} className="tree" role="tree" tabIndex={0} aria-multiselectable aria-label={t("scene.structure")} onKeyDown={onKeyDown} onContextMenu={onContextMenu}
      aria-activedescendant={`tree-row-${cursor}`}>
      <div style={{ height: list.getTotalSize(), position: "relative" }}>
        {list.getVirtualItems().map((item) => {
          const row = rows[item.index];
          if (!row) return null;
          const Icon = ICON[row.kind];
          const node = nodeOf(row);
          const isSelected = row.globalId ? selection.includes(row.globalId) : row.kind === "storey" && row.storey !== null && row.storey === storey;
          return (
            <div key={row.key} id={`tree-row-${item.index}`} role="treeitem" aria-level={row.level + 1} aria-selected={isSelected}
              {...(row.expandable ? { "aria-expanded": row.open === true } : {})}
              className={`tree-row is-${row.kind}${isSelected ? " is-selected" : ""}${cursor === item.index ? " is-cursor" : ""}`}
              style={{ height: ROW, transform: `translateY(${item.start}px)`, paddingLeft: 6 + row.level * 16 }} draggable={!phone && Boolean(row.globalId)}
              onDragStart={(event) => row.globalId && carry(event.dataTransfer, { elements: drawnWith(row.globalId, selection) })}
              onClick={(event) => {
                setCursor(item.index);
                choose(row, event);
              }}
              onDoubleClick={() => {
                if (row.globalId) showElement(row.globalId, row.storey);
              }}>
              <button type="button" tabIndex={-1} className={`chevron${row.open ? " is-open" : ""}`} aria-hidden={!row.expandable}
                disabled={!row.expandable} aria-label={t("scene.expand")}
                onClick={(event) => {
                  event.stopPropagation();
                  toggle(row);
                }}>
                {row.expandable ? <ChevronRight size={14} /> : null}
              </button>
              {row.kind === "wait" ? <span className="tree-wait" /> : (
                <>
                  <Icon size={14} strokeWidth={1.7} aria-hidden className="tree-icon" />
                  <span className={`tree-label${!row.globalId ? "" : hidden.includes(row.globalId) ? " is-hidden" : ghosted.includes(row.globalId) ? " is-ghost" : ""}`} title={row.label}>{row.label}</span>
                  {row.sub ? <span className="tree-sub">{row.sub}</span> : null}
                  {node ? <NodeButtons node={node} open={openMenu} /> : null}
                  {row.count === undefined ? null : <span className="tree-count">{row.count}</span>}
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
