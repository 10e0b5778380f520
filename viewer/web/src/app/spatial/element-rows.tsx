/** The list beside a flow: headings, elements one flies to, texts. Virtual, for systems with thousands of parts. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { Box, CircleDot, DoorOpen, ShieldAlert } from "lucide-react";
import { useEffect, useRef, type CSSProperties, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useClassName } from "../lib/names";
import { usePatch, useScene, useSceneState } from "../scene/state";
import { lookAt } from "../scene/look";
import { COLOURS } from "./flow";
import type { Row } from "./rows";
import { ShutIcon } from "./shut-icon";

const HEIGHT = { head: 34, element: 40, text: 30 } as const;

/** Select it and fly there, the answer stays. */
export function useShowInAnswer(): (globalId: string) => void {
  const patch = usePatch();
  const scene = useScene();
  return (globalId) => {
    patch({ selected: globalId });
    if (scene?.has(globalId)) void lookAt(scene, globalId);
  };
}

export function Rows({ rows }: { rows: readonly Row[] }): ReactNode {
  const holder = useRef<HTMLDivElement>(null);
  const { selected } = useSceneState();
  const list = useVirtualizer({
    count: rows.length, getScrollElement: () => holder.current, overscan: 12,
    estimateSize: (i) => HEIGHT[rows[i]?.kind ?? "text"],
  });
  const at = rows.findIndex((row) => row.kind === "element" && row.element.global_id === selected);
  useEffect(() => {
    // A click in 3D finds its line in the list.
    if (at >= 0) list.scrollToIndex(at, { align: "auto" });
  }, [at, list]);
  return (
    <div ref={holder} className="element-list spatial-list">
      <div style={{ height: list.getTotalSize(), position: "relative" }}>
        {list.getVirtualItems().map(({ index, start, size }) => {
          const row = rows[index];
          return row ? <OneRow key={row.key} row={row} selected={index === at} style={{ height: size, transform: `translateY(${start}px)` }} /> : null;
        })}
      </div>
    </div>
  );
}

const css = (rgb: readonly number[]): string => `rgb(${rgb.join(" ")})`;

function OneRow({ row, selected, style }: { row: Row; selected: boolean; style: CSSProperties }): ReactNode {
  const { t } = useTranslation();
  const className = useClassName();
  const show = useShowInAnswer();
  const scene = useScene();
  if (row.kind === "head") {
    return (
      <div className="spatial-head" style={style}>
        <b>{t(`spatial.${row.what}`)}</b><small>{row.count}</small>
        {row.note ? <em>{t("spatial.shutPartly")}</em> : null}
      </div>
    );
  }
  if (row.kind === "text") {
    const Icon = row.grave ? ShieldAlert : CircleDot;
    return (
      <div className={`spatial-text${row.grave ? " is-grave" : ""}`} style={style} title={row.title}>
        <Icon size={row.grave ? 14 : 12} aria-hidden />{row.text}{row.count ? <small className="num">{row.count}</small> : null}
      </div>
    );
  }
  const { element, group } = row;
  const colour = group === "rooms" ? COLOURS.room : group === "shut" ? COLOURS.shut : COLOURS.equipment;
  return (
    <button type="button" className={`element-row is-slim${selected ? " is-selected" : ""}`} style={style} onClick={() => show(element.global_id)}
      onMouseEnter={() => scene?.highlight([element.global_id])} onMouseLeave={() => scene?.highlight([])}>
      <i className="swatch" style={{ background: css(colour) }} />
      {group === "rooms" ? <DoorOpen size={14} strokeWidth={1.6} aria-hidden /> : group === "shut" ? <ShutIcon /> : <Box size={14} strokeWidth={1.6} aria-hidden />}
      <span>
        <b>{element.name ?? element.global_id}</b>
        <small>{row.reason === "located" || row.reason === "served" || row.reason === "fed" ? t(`spatial.${row.reason}`) : className(element.ifc_class)}</small>
      </span>
      {row.distance === undefined ? null : (
        <small className="num" title={row.derived ? t("spatial.derived") : t("spatial.away", { count: row.distance })}>{row.distance}{row.derived ? "*" : ""}</small>
      )}
    </button>
  );
}
