/** The edge of a panel: dragged, or moved by arrow keys; a double click gives the usual size. */
import type { KeyboardEvent, PointerEvent, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { changeLayout, clampSize, DEFAULT_SIZE, type DockName } from "./layout";

const STEP = 16; // px

export function Splitter({ dock, size }: { dock: DockName; size: number }): ReactNode {
  const { t } = useTranslation();
  const flat = dock === "bottom";
  const sign = dock === "right" || flat ? -1 : 1;
  const set = (next: number): void => changeLayout({ [dock]: { size: clampSize(dock, next, flat ? window.innerHeight : window.innerWidth) } });
  const down = (event: PointerEvent<HTMLDivElement>): void => {
    const { clientX, clientY, currentTarget, pointerId } = event;
    currentTarget.setPointerCapture(pointerId);
    const move = (now: globalThis.PointerEvent): void => set(size + sign * (flat ? now.clientY - clientY : now.clientX - clientX));
    currentTarget.addEventListener("pointermove", move);
    currentTarget.addEventListener("lostpointercapture", () => currentTarget.removeEventListener("pointermove", move), { once: true });
  };
  const key = (event: KeyboardEvent): void => {
    const way = event.key === (flat ? "ArrowDown" : "ArrowRight") ? sign : event.key === (flat ? "ArrowUp" : "ArrowLeft") ? -sign : 0;
    if (way === 0) return;
    event.preventDefault();
    event.stopPropagation();
    set(size + way * STEP);
  };
  return (
    <div role="separator" aria-orientation={flat ? "horizontal" : "vertical"} aria-valuenow={size} aria-valuemin={0} aria-valuemax={10_000} tabIndex={0} className={flat ? "splitter is-flat" : "splitter"}
      aria-label={flat ? t("several.splitterBottom") : t(`workspace.splitter.${dock}`)} onPointerDown={down} onKeyDown={key} onDoubleClick={() => set(DEFAULT_SIZE[dock])} />
  );
}
