/** Mouse, touch and wheel on a chart: drag selects, Shift or the middle button moves, Ctrl and the wheel or two fingers zoom. */
import type uPlot from "uplot";
import { moved, zoomed, type Span } from "./ranges";

export interface View {
  span: () => Span;
  show: (span: Span) => void;
  /** One step back. */
  back: () => void;
  /** s under the pointer, null when it leaves. */
  point: (at: number | null) => void;
}

const SLOP = 8; // px before a finger moves the chart

/** A plugin that turns what people do on the plot into spans. */
export function gestures(view: View): uPlot.Plugin {
  return {
    hooks: {
      init: (plot) => bind(plot, view),
      setSelect: (plot) => {
        const { left, width } = plot.select;
        if (width < 6) return;
        const from = plot.posToVal(left, "x") * 1000;
        const to = plot.posToVal(left + width, "x") * 1000;
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        if (to - from >= 60_000) view.show({ from: Math.round(from), to: Math.round(to) });
      },
    },
  };
}

function bind(plot: uPlot, view: View): void {
  const { over } = plot;
  over.style.touchAction = "pan-y";
  const at = (x: number): number => {
    const { from, to } = view.span();
    const box = over.getBoundingClientRect();
    return from + ((x - box.left) / Math.max(1, box.width)) * (to - from);
  };
  const move = (pixels: number, span: Span): void => view.show(moved(span, -pixels / Math.max(1, over.clientWidth), Date.now()));
  over.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "touch") view.point(at(event.clientX) / 1000);
  });
  over.addEventListener("pointerleave", () => view.point(null));
  over.addEventListener("dblclick", () => view.back());
  over.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey) view.show(zoomed(view.span(), 1.0018 ** Math.max(-300, Math.min(300, event.deltaY)), at(event.clientX), Date.now()));
    else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) move(-(event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX), view.span());
    else return;
    event.preventDefault();
  }, { passive: false });
  bindMoving(over, view, move);
  bindTouch(over, view, at, move);
}

/** Shift and drag, or the middle button: uPlot's own selection does not start. */
function bindMoving(over: HTMLElement, view: View, move: (pixels: number, span: Span) => void): void {
  over.addEventListener("mousedown", (event) => {
    if (!(event.button === 1 || (event.button === 0 && event.shiftKey))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const start = { x: event.clientX, span: view.span() };
    const drag = (next: MouseEvent): void => move(next.clientX - start.x, start.span);
    const end = (): void => {
      window.removeEventListener("mousemove", drag);
      window.removeEventListener("mouseup", end);
      over.classList.remove("is-moving");
    };
    over.classList.add("is-moving");
    window.addEventListener("mousemove", drag);
    window.addEventListener("mouseup", end);
  }, { capture: true });
}

function bindTouch(over: HTMLElement, view: View, at: (x: number) => number, move: (pixels: number, span: Span) => void): void {
  const fingers = new Map<number, number>();
  let start: { x: number; span: Span; wide: number; around: number; moving: boolean } | null = null;
  const begin = (): void => {
    const xs = [...fingers.values()];
    const x = xs.reduce((sum, one) => sum + one, 0) / Math.max(1, xs.length);
    start = xs.length === 0 ? null : { x, span: view.span(), wide: Math.abs((xs[1] ?? 0) - (xs[0] ?? 0)), around: at(x), moving: xs.length > 1 };
  };
  over.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    fingers.set(event.pointerId, event.clientX);
    begin();
    view.point(at(event.clientX) / 1000);
  });
  over.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId) || !start) return;
    fingers.set(event.pointerId, event.clientX);
    const xs = [...fingers.values()];
    if (xs.length > 1) {
      const wide = Math.max(24, Math.abs((xs[1] ?? 0) - (xs[0] ?? 0)));
      view.show(zoomed(start.span, Math.max(24, start.wide) / wide, start.around, Date.now()));
    } else if (start.moving || Math.abs(event.clientX - start.x) > SLOP) {
      start.moving = true;
      move(event.clientX - start.x, start.span);
    }
  });
  for (const name of ["pointerup", "pointercancel"] as const) {
    over.addEventListener(name, (event) => {
      if (fingers.delete(event.pointerId)) begin();
    });
  }
}
