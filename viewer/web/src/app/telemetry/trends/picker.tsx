/** The points that can be drawn: searched by the server, dragged into a chart or added with a click. */
import { Button, Input } from "antd";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Check, GripVertical, Plus, Search } from "lucide-react";
import { useDeferredValue, useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useBuilding } from "../../context";
import { carry } from "../../lib/dragged";
import { shortName } from "../../lib/names";
import { Empty, Failure, Lines } from "../../parts";
import { itemsOf, usePaged } from "../../queries";
import { symbolOf, type FullPoint } from "../types";

const ROW = 46;

export function PointPicker({ chosen, add, autoFocus }: { chosen: ReadonlySet<string>; add: (point: FullPoint) => void; autoFocus?: boolean }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const [q, setQ] = useState("");
  const wanted = useDeferredValue(q.trim());
  const points = usePaged<FullPoint>(["points", "picker", building.id, wanted], "/points", { building: building.id, q: wanted, limit: 200 });
  const items = itemsOf(points.data);
  const scroll = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count: items.length, getScrollElement: () => scroll.current, estimateSize: () => ROW, overscan: 8 });
  const last = rows.getVirtualItems().at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = points;
  useEffect(() => {
    if (last >= items.length - 30 && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [last, items.length, hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <div className="trend-picker">
      <div className="trend-picker-search">
        <Input prefix={<Search size={14} aria-hidden />} allowClear value={q} onChange={(event) => setQ(event.target.value)} placeholder={t("telemetry.points.search")} aria-label={t("telemetry.points.search")} autoFocus={autoFocus ?? false} />
      </div>
      {points.isError ? <Failure error={points.error} retry={() => void points.refetch()} /> : !points.data ? <Lines count={8} /> : items.length === 0 ? (
        <Empty icon={Search} title={t("telemetry.points.noneFound")} hint={t("telemetry.points.noneFoundHint")} />
      ) : (
        <div className="trend-picker-list" ref={scroll} tabIndex={0} role="group" aria-label={t("telemetry.points.title")}>
          <ul style={{ height: rows.getTotalSize(), position: "relative" }}>
            {rows.getVirtualItems().map((row) => {
              const point = items[row.index];
              return point ? <PickerRow key={point.id} point={point} top={row.start} added={chosen.has(point.id)} add={() => add(point)} /> : null;
            })}
          </ul>
        </div>
      )}
    </div>
  );
}

function PickerRow({ point, top, added, add }: { point: FullPoint; top: number; added: boolean; add: () => void }): ReactNode {
  const { t } = useTranslation();
  const drawn = point.kind !== "text";
  return (
    <li className={`trend-picker-row${added ? " is-added" : ""}`} style={{ transform: `translateY(${top}px)`, height: ROW }} draggable={drawn} onDragStart={(event) => {
      carry(event.dataTransfer, { points: [point.id] });
    }}>
      {drawn ? <GripVertical size={13} aria-hidden className="trend-grip" /> : <span className="trend-grip" />}
      <span className="trend-picker-text">
        <b title={point.name}>{shortName(point.name, point.element?.name ?? null)}</b>
        <small title={point.key}>{[point.element?.name, symbolOf(point), point.key].filter(Boolean).join(" · ")}</small>
      </span>
      <Button type="text" size="small" disabled={!drawn} icon={added ? <Check size={14} aria-hidden /> : <Plus size={14} aria-hidden />} onClick={add} title={drawn ? "" : t("telemetry.trends.textPoint")}
        aria-label={t("telemetry.trends.addPoint", { name: point.name })} />
    </li>
  );
}
