/** What the element under a resting mouse says now, and said in the last day. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState, type ReactNode } from "react";
import { createPortal } from "react-dom";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import type { Point, Tree } from "../../api/types";
import { useBuilding } from "../context";
import { serverNow } from "../lib/clock";
import { formatNumber, unitText } from "../lib/format";
import { useQuantityName } from "../lib/names";
import { useValue } from "../lib/values";
import { usePoints } from "../queries";
import { quantityName } from "../scene/colour";
import { useScene } from "../scene/state";
import { spaceLabel } from "../scene/tree-rows";
import { useTimeline } from "../timeline/hooks";
import { sparkPath } from "./spark";
import "./equipment.css";

const REST = 220; // ms that the mouse stays before anything is shown
const ROWS = 4;
const DAY = 86_400_000;
const [WIDTH, HEIGHT] = [212, 38];

interface Over {
  globalId: string;
  x: number;
  y: number;
}

/** The element on which the mouse rests; none while a button is down or the camera moves. */
function useOver(): Over | null {
  const scene = useScene();
  const [over, setOver] = useState<Over | null>(null);
  useEffect(() => {
    if (!scene) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const clear = (): void => {
      clearTimeout(timer);
      setOver(null);
    };
    const offs = [
      scene.on("hover", ({ hit, x, y }) => {
        clear();
        if (hit) timer = setTimeout(() => setOver({ globalId: hit.globalId, x, y }), REST);
      }),
      scene.on("camera", clear),
    ];
    return () => {
      for (const off of offs) off();
      clearTimeout(timer);
    };
  }, [scene]);
  return over;
}

export function HoverCard({ tree }: { tree: Tree }): ReactNode {
  const scene = useScene();
  const { building } = useBuilding();
  const over = useOver();
  const points = usePoints(building.id);
  const said = useMemo(() => (points.data ?? []).filter((one) => one.element && !one.writable && !one.retired_at), [points.data]);
  const rooms = useMemo(() => new Map(tree.storeys.flatMap((storey) => storey.spaces.map((space) => [space.global_id, space] as const))), [tree]);
  const stage = scene?.canvas.parentElement;
  if (!over || !stage) return null;
  const room = rooms.get(over.globalId);
  const own = said.filter((one) => one.element?.global_id === over.globalId);
  const shown = room ? [...own, ...said.filter((one) => one.space_id === room.id && one.element?.global_id !== over.globalId && one.kind === "number")] : own;
  if (shown.length === 0) return null;
  const name = room ? (room.name ?? spaceLabel(room)) : (own[0]?.element?.name ?? "");
  const left = over.x + 250 > stage.clientWidth ? over.x - 246 : over.x + 14;
  const top = Math.max(8, Math.min(over.y + 14, stage.clientHeight - 150));
  return createPortal(
    <div className="hover-card" role="tooltip" data-testid="hover-card" style={{ left, top }}>
      <b>{name}</b>
      {shown.slice(0, ROWS).map((point) => <Row key={point.id} point={point} />)}
      <Spark point={shown.find((one) => one.kind === "number") ?? null} />
    </div>, stage);
}

function Row({ point }: { point: Point }): ReactNode {
  const { t, i18n } = useTranslation();
  const quantity = useQuantityName();
  const value = useValue(point.handle)?.value ?? null;
  const text = ((): string => {
    if (value === null) return "–";
    if (point.kind === "bool") return point.labels?.[value ? "1" : "0"] ?? t(value ? "value.on" : "value.off");
    return typeof value === "number" && point.kind === "number" ? `${formatNumber(value, i18n.language)} ${unitText(point.unit)}` : (point.labels?.[String(value)] ?? String(value));
  })();
  return <p><span>{quantity(quantityName(point), point.name)}</span><b>{text}</b></p>;
}

/** The last day before the moment that is shown. */
function Spark({ point }: { point: Point | null }): ReactNode {
  const { t } = useTranslation();
  const [{ moment }] = useTimeline();
  const to = Math.floor((moment ?? serverNow()) / 300_000) * 300_000 + 300_000;
  const from = to - DAY;
  const { data } = useQuery({
    queryKey: ["spark", point?.id, to], enabled: point !== null, staleTime: Infinity, gcTime: 300_000,
    queryFn: ({ signal }) => get<{ items: { ts: string; mean: number | null }[] }>(`/points/${point?.id}/readings`, {
      from: new Date(from).toISOString(), to: new Date(to).toISOString(), bucket: "15m", agg: "mean",
    }, signal),
  });
  const path = data ? sparkPath(data.items.map((one) => ({ at: Date.parse(one.ts), value: one.mean })), from, to, WIDTH, HEIGHT) : "";
  if (!path) return null;
  return (
    <>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden><path d={path} fill="none" stroke="var(--accent)" strokeWidth="1.5" strokeLinejoin="round" /></svg>
      <small>{t("timeline.lastDay")}</small>
    </>
  );
}
