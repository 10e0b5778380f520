/** Elements as a virtual list: a click selects one and takes the camera there. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { Box } from "lucide-react";
import { useRef, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ElementRow, Tree } from "../../api/types";
import { useClassName } from "../lib/names";
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
            <button type="button" key={element.id} className={`element-row${selection.includes(element.global_id) ? " is-selected" : ""}`}
              style={{ height: 46, transform: `translateY(${item.start}px)` }}
              aria-pressed={selection.includes(element.global_id)}
              onClick={(event) => {
                const several = clicked({ selected, selection, adding }, elements.map((one) => one.global_id), element.global_id, event);
                if (several) patch({ selection: several });
                else showElement(element.global_id, element.storey_id);
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
