/** One side of the view: its panels as tabs. A tab is dragged to another side, or moved by its menu. */
import { Dropdown } from "antd";
import { GripHorizontal } from "lucide-react";
import { useRef, useState, type CSSProperties, type PointerEvent, type ReactNode } from "react";
import { createPortal } from "react-dom";
import { useTranslation } from "react-i18next";
import { AT_FIRST, dropSide, movedTo, PANELS, placeOf, RESET, SIDES, type PanelName, type Side } from "./docks";
import { changeLayout, useLayout } from "./layout";

const DRAG = 6; // px until a press becomes a drag

interface Props {
  side: Side;
  panels: readonly PanelName[];
  front: PanelName;
  size: number;
  children: ReactNode;
  close: (panel: PanelName) => void;
  open: (panel: PanelName) => void;
}

export function Dock({ side, panels, front, size, children, close, open }: Props): ReactNode {
  const { t } = useTranslation();
  return (
    <section className={`dock is-${side}`} style={{ "--size": `${size}px` } as CSSProperties} aria-label={t(`several.sides.${side}`)}>
      <div className="dock-tabs">
        {panels.map((panel) => <Tab key={panel} panel={panel} only={panels.length === 1} active={panel === front} show={() => changeLayout({ front: { [side]: panel } })} close={() => close(panel)} open={open} />)}
      </div>
      {children}
    </section>
  );
}

function Tab({ panel, only, active, show, close, open }: { panel: PanelName; only: boolean; active: boolean; show: () => void; close: () => void; open: (panel: PanelName) => void }): ReactNode {
  const { t } = useTranslation();
  const layout = useLayout();
  const [over, setOver] = useState<Side | null | "none">("none");
  const start = useRef<{ x: number; y: number } | null>(null);
  const name = t(`several.panels.${panel}`);
  const drop = (event: PointerEvent): Side | null => {
    const box = event.currentTarget.closest(".scene-view")?.getBoundingClientRect();
    return box ? dropSide((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height) : null;
  };
  const drag = {
    onPointerDown: (event: PointerEvent): void => {
      if (event.button !== 0) return;
      start.current = { x: event.clientX, y: event.clientY };
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent): void => {
      if (!start.current || (over === "none" && Math.hypot(event.clientX - start.current.x, event.clientY - start.current.y) < DRAG)) return;
      setOver(drop(event));
    },
    onPointerUp: (event: PointerEvent): void => {
      const to = over === "none" ? null : drop(event);
      if (to) changeLayout(movedTo(panel, to));
      start.current = null;
      setOver("none");
    },
    onPointerCancel: (): void => {
      start.current = null;
      setOver("none");
    },
  };
  const items = [
    ...SIDES.filter((one) => placeOf(layout, panel) !== one).map((one) => ({ key: one, label: t(`several.sides.${one}`) })),
    ...(panel === "plan" && placeOf(layout, panel) !== "beside" ? [{ key: "beside", label: t("several.sides.beside") }] : []),
    { key: "close", label: t("several.close", { name }) },
    { type: "divider" as const },
    ...PANELS.filter((one) => AT_FIRST[one] === "closed" && placeOf(layout, one) === "closed").map((one) => ({ key: `open:${one}`, label: t("several.open", { name: t(`several.panels.${one}`) }) })),
    { key: "reset", label: t("several.reset") },
  ];
  const choose = (key: string): void => {
    if (key === "close") close();
    else if (key === "reset") changeLayout(RESET);
    else if (key.startsWith("open:")) open(key.slice(5) as PanelName);
    else changeLayout(movedTo(panel, key as Side | "beside"));
  };
  const scene = document.querySelector(".scene-view");
  return (
    <span className={`dock-tab${active ? " is-active" : ""}${only ? " is-only" : ""}`}>
      {only ? null : <button type="button" className="dock-name" aria-pressed={active} onClick={show} {...drag}>{name}</button>}
      <Dropdown trigger={["click"]} menu={{ items, onClick: ({ key }) => choose(key) }}>
        <button type="button" className="dock-grip" aria-label={t("several.move", { name })} title={t("several.move", { name })} {...(only ? drag : {})}><GripHorizontal size={14} aria-hidden /></button>
      </Dropdown>
      {over !== "none" && scene ? createPortal(<div className={`dock-target${over ? ` is-${over}` : ""}`} aria-hidden />, scene) : null}
    </span>
  );
}
