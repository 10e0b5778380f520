/** The line between two moments, over the picture: dragged, or moved by arrow keys. */
import { useRef, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import { createPortal } from "react-dom";
import { useTranslation } from "react-i18next";
import { shortTime } from "../lib/format";
import { useScene } from "../scene/state";
import { usePast, useTimeline } from "./hooks";

const STEP = 0.02;
const clamp = (share: number): number => Math.min(1, Math.max(0, share));

export function Divider(): ReactNode {
  const { t, i18n } = useTranslation();
  const scene = useScene();
  const [{ earlier, compared, moment, share }, patch] = useTimeline();
  const { frames } = usePast();
  const dragged = useRef(false);
  const stage = scene?.canvas.parentElement;
  if (!stage || earlier === null || compared !== "split" || !frames.data) return null;
  const at = (event: PointerEvent): number => {
    const box = stage.getBoundingClientRect();
    return clamp((event.clientX - box.left) / box.width);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = { ArrowLeft: share - STEP, ArrowRight: share + STEP, Home: 0, End: 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    patch({ share: clamp(to) });
  };
  return createPortal(
    <div className="moment-line" style={{ left: `${share * 100}%` }}>
      <span className="moment-name is-earlier num">{shortTime(earlier, i18n.language)}</span>
      <span className="moment-name is-later num">{moment === null ? t("timeline.present") : shortTime(moment, i18n.language)}</span>
      <div className="moment-grip" role="slider" tabIndex={0} aria-label={t("timeline.line")} aria-orientation="horizontal" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          dragged.current = true;
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={(event) => dragged.current && patch({ share: at(event) })}
        onPointerUp={() => (dragged.current = false)}
        onPointerCancel={() => (dragged.current = false)} />
    </div>, stage);
}
