/** The grid with its widgets: to look at, or to arrange with mouse, touch and keyboard. */
import { GripVertical, Settings2, Trash2 } from "lucide-react";
import { useRef, useState, type CSSProperties, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { usePhone } from "../lib/prefs";
import { COLUMNS, fitted, inOrder, keyed, placed, rowsOf } from "./grid";
import type { Layout, Widget } from "./types";
import { useTitle, WidgetBody } from "./widget";

export const ROW = 62; // px
const GAP = 10; // px

export interface Arranging {
  change: (layout: Layout) => void;
  open: (id: string) => void;
}

type Gesture = { kind: "move" | "size"; id: string; x: number; y: number; from: Layout };

export function Board({ layout, arrange, row = ROW }: { layout: Layout; arrange: Arranging | null; row?: number }): ReactNode {
  const { t } = useTranslation();
  const phone = usePhone();
  const holder = useRef<HTMLDivElement>(null);
  const gesture = useRef<Gesture | null>(null);
  const [preview, setPreview] = useState<{ layout: Layout; id: string } | null>(null);
  const [said, setSaid] = useState("");
  const shown = preview?.layout ?? layout;
  const put = (changed: Widget, from: Layout): Layout => ({ widgets: placed(from.widgets, changed) });

  const start = (kind: Gesture["kind"], id: string, event: PointerEvent<HTMLElement>): void => {
    if (!arrange || event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    gesture.current = { kind, id, x: event.clientX, y: event.clientY, from: layout };
  };
  const move = (event: PointerEvent<HTMLElement>): void => {
    const now = gesture.current;
    const box = now?.from.widgets.find((one) => one.id === now.id);
    if (!now || !box || !holder.current) return;
    const dx = Math.round((event.clientX - now.x) / ((holder.current.clientWidth + GAP) / COLUMNS));
    const dy = Math.round((event.clientY - now.y) / (row + GAP));
    const next = now.kind === "move" ? { ...box, x: box.x + dx, y: box.y + dy } : { ...box, w: Math.min(box.w + dx, COLUMNS - box.x), h: box.h + dy };
    setPreview({ layout: put(fitted(next), now.from), id: now.id });
  };
  const end = (): void => {
    if (preview && arrange) arrange.change(preview.layout);
    gesture.current = null;
    setPreview(null);
  };
  const cancel = (): void => {
    gesture.current = null;
    setPreview(null);
  };
  const key = (widget: Widget, event: KeyboardEvent): void => {
    if (!arrange) return;
    if (event.key === "Escape" && gesture.current) return cancel();
    const next = keyed(widget, event.key, event.shiftKey);
    if (!next) return;
    event.preventDefault();
    const after = put(next, layout);
    arrange.change(after);
    const box = after.widgets.find((one) => one.id === widget.id) ?? next;
    setSaid(t("dashboards.placed", { x: box.x + 1, y: box.y + 1, w: box.w, h: box.h }));
  };
  const widgets = phone ? inOrder(shown.widgets) : shown.widgets;
  return (
    <div ref={holder} className={`db-board${arrange ? " is-arranged" : ""}${phone ? " is-stacked" : ""}`} style={{ "--db-row": `${row}px`, "--db-rows": rowsOf(shown.widgets) + (arrange ? 2 : 0) } as CSSProperties}>
      {widgets.map((widget) => (
        <Frame key={widget.id} widget={widget} phone={phone} row={row} moving={preview?.id === widget.id} tools={arrange ? {
          grip: { onPointerDown: (event) => start("move", widget.id, event), onPointerMove: move, onPointerUp: end, onPointerCancel: cancel, onKeyDown: (event) => key(widget, event) },
          corner: { onPointerDown: (event) => start("size", widget.id, event), onPointerMove: move, onPointerUp: end, onPointerCancel: cancel },
          open: () => arrange.open(widget.id), remove: () => arrange.change({ widgets: layout.widgets.filter((one) => one.id !== widget.id) }),
        } : null} />
      ))}
      <div className="sr-only" aria-live="polite">{said}</div>
    </div>
  );
}

interface Tools {
  grip: Pick<React.DOMAttributes<HTMLElement>, "onPointerDown" | "onPointerMove" | "onPointerUp" | "onPointerCancel" | "onKeyDown">;
  corner: Pick<React.DOMAttributes<HTMLElement>, "onPointerDown" | "onPointerMove" | "onPointerUp" | "onPointerCancel">;
  open: () => void;
  remove: () => void;
}

/** On a phone: below each other, as high as they are wide at most, but never too low to be read. */
const stackedHeight = ({ kind, h }: Widget, row: number): number => Math.min(kind === "alarms" || kind === "orders" ? 280 : 420, Math.max(kind === "text" ? 60 : 120, h * (row + GAP) - GAP));

function Frame({ widget, tools, phone, row, moving }: { widget: Widget; tools: Tools | null; phone: boolean; row: number; moving: boolean }): ReactNode {
  const { t } = useTranslation();
  const title = useTitle(widget);
  const style: CSSProperties = phone ? { height: stackedHeight(widget, row) } : { gridColumn: `${widget.x + 1} / span ${widget.w}`, gridRow: `${widget.y + 1} / span ${widget.h}` };
  return (
    <section className={`db-widget is-${widget.kind}${moving ? " is-moving" : ""}`} style={style} aria-label={title} data-testid={`widget-${widget.kind}`}>
      {widget.kind === "text" && !tools && !widget.title ? null : (
        <header>
          {tools ? (
            <button type="button" className="db-grip" {...tools.grip} aria-label={t("dashboards.grip", { title })} title={t("dashboards.gripHint")}><GripVertical size={14} aria-hidden /><span>{title}</span></button>
          ) : <h3 title={title}>{title}</h3>}
          {tools ? (
            <span className="db-tools">
              <button type="button" onClick={tools.open} aria-label={t("dashboards.settingsOf", { title })}><Settings2 size={14} aria-hidden /></button>
              <button type="button" onClick={tools.remove} aria-label={t("dashboards.removeWidget", { title })}><Trash2 size={14} aria-hidden /></button>
            </span>
          ) : null}
        </header>
      )}
      <div className="db-body"><WidgetBody widget={widget} /></div>
      {tools && !phone ? <span className="db-corner" {...tools.corner} aria-hidden /> : null}
    </section>
  );
}
