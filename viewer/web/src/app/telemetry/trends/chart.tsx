/** One chart of the trends page: its canvas, the marks over it, and what mouse, touch and keyboard do with it. */
import { useEffect, useMemo, useRef, type KeyboardEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import uPlot from "uplot";
import { useModeValue } from "../../context";
import { gestures } from "./gestures";
import { dataOf, optionsOf, type Line, type Sides } from "./plot";
import { moved, zoomed, type Span } from "./ranges";
import { joined, type Joined } from "./series";
import type { Shown } from "./shown";

export interface ChartProps {
  lines: readonly Line[];
  shown: Shown;
  show: (span: Span) => void;
  back: () => void;
  width: number;
  height: number;
  zone: string;
  bands: boolean;
  sides: Sides;
  /** What it shows, in words: for those who do not see it. */
  label: string;
  help: string;
  onPlot?: (plot: uPlot | null) => void;
}

const STEP = 12; // px that an arrow key moves the cursor

export function TrendChart({ lines, shown, show, back, width, height, zone, bands, sides, label, help, onPlot }: ChartProps): ReactNode {
  const { t, i18n } = useTranslation();
  const mode = useModeValue();
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const all = useMemo<Joined>(() => joined([...lines.map((line) => line.samples), ...lines.flatMap((line) => (line.compared ? [line.compared] : []))]), [lines]);
  // What uPlot cannot change in place makes a new chart: which lines, how they look, the theme, the language.
  const shape = JSON.stringify([lines.map((line) => [line.id, line.unit, line.kind, line.labels, line.stepped, line.colour, line.compared !== null]), mode, i18n.language, zone, bands, sides, height]);
  const now = useRef({ lines, all, show, back, onPlot, width });
  useEffect(() => {
    now.current = { lines, all, show, back, onPlot, width };
  });
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const given = now.current;
    const look = { width: given.width, height, mode, language: i18n.language, zone, bands, sides, on: t("value.on"), off: t("value.off") };
    const plugin = gestures({ span: shown.span.get, show: (span) => now.current.show(span), back: () => now.current.back(), point: (at) => shown.cursor.set(at) });
    const made = new uPlot(optionsOf(given.lines, look, shown.span.get(), () => now.current.all, plugin), dataOf(given.all, given.lines), element);
    plot.current = made;
    given.onPlot?.(made);
    const stops = [
      shown.span.subscribe(() => {
        const { from, to } = shown.span.get();
        made.setScale("x", { min: from / 1000, max: to / 1000 });
      }),
      shown.cursor.subscribe(() => {
        const at = shown.cursor.get();
        const left = at === null ? -10 : made.valToPos(at, "x");
        made.setCursor({ left: left > made.over.clientWidth ? -10 : left, top: left < 0 ? -10 : 1 }, false);
      }),
    ];
    return () => {
      for (const stop of stops) stop();
      made.destroy();
      plot.current = null;
      now.current.onPlot?.(null);
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `shape` says everything that the chart is made of
  }, [shape, shown]);
  useEffect(() => {
    const made = plot.current;
    if (!made) return;
    made.setData(dataOf(all, lines), false);
    const { from, to } = shown.span.get();
    made.setScale("x", { min: from / 1000, max: to / 1000 });
  }, [all, lines, shown, shape]);
  useEffect(() => plot.current?.setSize({ width, height }), [width, height, shape]);
  return (
    <div ref={holder} className="trend-plot" style={{ height }} tabIndex={0} role="application" aria-roledescription={t("telemetry.trends.chart")} aria-label={label} title=""
      aria-description={help} onKeyDown={(event) => keyed(event, shown, show, back, plot.current)} onBlur={() => shown.cursor.set(null)} />
  );
}

/** Arrows move the cursor, with Shift the chart; + and - zoom; Home and End; Backspace goes a step back. */
function keyed(event: KeyboardEvent, shown: Shown, show: (span: Span) => void, back: () => void, plot: uPlot | null): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const span = shown.span.get();
  const length = span.to - span.from;
  const at = shown.cursor.get();
  const around = at === null ? span.from + length / 2 : at * 1000;
  const step = (STEP / Math.max(1, plot?.over.clientWidth ?? 600)) * length;
  const to = (ms: number): void => shown.cursor.set(Math.min(span.to, Math.max(span.from, ms)) / 1000);
  const actions: Record<string, () => void> = {
    ArrowLeft: () => (event.shiftKey ? show(moved(span, -0.25, Date.now())) : to(at === null ? span.to : around - step)),
    ArrowRight: () => (event.shiftKey ? show(moved(span, 0.25, Date.now())) : to(at === null ? span.from : around + step)),
    Home: () => to(span.from),
    End: () => to(span.to),
    "+": () => show(zoomed(span, 0.5, around, Date.now())),
    "=": () => show(zoomed(span, 0.5, around, Date.now())),
    "-": () => show(zoomed(span, 2, around, Date.now())),
    Backspace: back,
    Escape: () => shown.cursor.set(null),
  };
  const act = actions[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}
