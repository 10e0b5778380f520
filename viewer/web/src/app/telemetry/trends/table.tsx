/** The chart in words: the values that it draws, as a table that a screen reader can walk through. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useValueText } from "./legend";
import type { Line } from "./plot";
import type { Span } from "./ranges";
import { joined } from "./series";

const ROW = 30;

export function TrendTable({ lines, span, zone, caption }: { lines: readonly Line[]; span: Span; zone: string; caption: string }): ReactNode {
  const { t, i18n } = useTranslation();
  const text = useValueText();
  const scroll = useRef<HTMLDivElement>(null);
  const all = useMemo(() => joined(lines.map((line) => line.samples)), [lines]);
  const shown = useMemo(
    () => all.ts.flatMap((ts, i) => (ts * 1000 >= span.from && ts * 1000 <= span.to && all.columns.some((column) => typeof column.mean[i] === "number") ? [i] : [])),
    [all, span],
  );
  const format = useMemo(() => new Intl.DateTimeFormat(i18n.language, { timeZone: zone, dateStyle: "short", timeStyle: "medium", hourCycle: "h23" }), [i18n.language, zone]);
  const rows = useVirtualizer({ count: shown.length, getScrollElement: () => scroll.current, estimateSize: () => ROW, overscan: 12 });
  const columns = `minmax(150px, 1.2fr) repeat(${lines.length}, minmax(110px, 1fr))`;
  return (
    <div className="trend-table" ref={scroll} tabIndex={0} role="table" aria-label={caption} aria-rowcount={shown.length + 1}>
      <div role="row" className="trend-table-row is-head" style={{ gridTemplateColumns: columns }}>
        <span role="columnheader">{t("telemetry.trends.time")}</span>
        {lines.map((line) => <span role="columnheader" key={line.id} className="num">{line.name}{line.unit ? ` (${line.unit})` : ""}</span>)}
      </div>
      <div style={{ height: rows.getTotalSize(), position: "relative" }} role="rowgroup">
        {rows.getVirtualItems().map((row) => {
          const i = shown[row.index] ?? 0;
          return (
            <div role="row" key={row.key} className="trend-table-row" aria-rowindex={row.index + 2} style={{ gridTemplateColumns: columns, transform: `translateY(${row.start}px)`, height: ROW }}>
              <span role="cell" className="num">{format.format((all.ts[i] ?? 0) * 1000)}</span>
              {lines.map((line, n) => {
                const column = all.columns[n];
                const [min, max] = [column?.min[i], column?.max[i]];
                const spread = typeof min === "number" && typeof max === "number" && max > min && line.kind === "number";
                return <span role="cell" key={line.id} className="num">{column?.mean[i] === undefined || column.mean[i] === null ? "" : text(column.mean[i], line, true)}{spread ? <small className="muted"> {text(min, line, true)} – {text(max, line, true)}</small> : null}</span>;
              })}
            </div>
          );
        })}
      </div>
    </div>
  );
}
