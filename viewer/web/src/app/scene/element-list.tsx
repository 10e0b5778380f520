/** Elements as a virtual list: a click selects one and takes the camera there. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { Box, DoorOpen } from "lucide-react";
import { useRef, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ElementRow, Tree } from "../../api/types";
import { carry } from "../lib/dragged";
import { useClassName } from "../lib/names";
import { usePhone } from "../lib/prefs";
import { drawnWith } from "../workspace/node-actions";
import { asksMenu, below, menuPlace, MoreButton, useNodeMenu, type Node } from "../workspace/node-menu";
import { clicked } from "../workspace/selection";
import { usePatch, useSceneState, useShowElement } from "./state";
import { elementLabel, spaceLabel } from "./tree-rows";

export function ElementList({ elements, tree, more = false }: { elements: readonly ElementRow[]; tree?: Tree; more?: boolean }): ReactNode {
  const { t } = useTranslation();
  const className = useClassName();
  const holder = useRef<HTMLDivElement>(null);
  const { selected, selection, adding } = useSceneState();
  const patch = usePatch();
  const showElement = useShowElement();
  const list = useVirtualizer({ count: elements.length, getScrollElement: () => holder.current, estimateSize: () => 46, overscan: 8 });
  const phone = usePhone(); // a long press is no drag there
  const { menu, open } = useNodeMenu();
  const nodeOf = (element: ElementRow): Node => ({
    label: elementLabel(element), one: element.global_id, drawn: drawnWith(element.global_id, selection), members: () => Promise.resolve(drawnWith(element.global_id, selection)),
  });
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
          const Icon = element.ifc_class === "IfcSpace" ? DoorOpen : Box;
          return (
            <div key={element.id} className={`element-row${selection.includes(element.global_id) ? " is-selected" : ""}`} style={{ height: 46, transform: `translateY(${item.start}px)` }}
              draggable={!phone} onDragStart={(event) => carry(event.dataTransfer, { elements: drawnWith(element.global_id, selection) })}
              onContextMenu={(event) => {
                event.preventDefault();
                open(nodeOf(element), menuPlace(event));
              }}
              onKeyDown={(event) => {
                if (!asksMenu(event)) return;
                event.preventDefault();
                open(nodeOf(element), below(event.currentTarget));
              }}>
              <Icon size={15} strokeWidth={1.6} aria-hidden />
              <button type="button" aria-pressed={selection.includes(element.global_id)}
                onClick={(event) => {
                  const several = clicked({ selected, selection, adding }, elements.map((one) => one.global_id), element.global_id, event);
                  if (several) patch({ selection: several });
                  else showElement(element.global_id, element.storey_id);
                }}>
                <b>{elementLabel(element)}</b>
                <small>{place(element)}</small>
              </button>
              <span className="node-actions"><MoreButton label={elementLabel(element)} open={(at) => open(nodeOf(element), at)} /></span>
            </div>
          );
        })}
      </div>
      {more ? <p className="muted pad">{t("scene.searchMore")}</p> : null}
      {menu}
    </div>
  );
}
