/** Where an element is: the plan of its storey around it, with a ring on it. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { Box, FileX, Maximize2, Minimize2 } from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../../api/client";
import type { ElementDetail } from "../../api/types";
import { useBuilding, useModeValue } from "../context";
import { useClassName } from "../lib/names";
import { Empty, Failure, LinkButton } from "../parts";
import { useElement } from "../queries";
import { mark, mount, sheet } from "../spatial/plan-sheet";
import { fitted, parseFrame, written, type Frame } from "../spatial/plan-view";

const NEAREST = 56; // mm of the sheet that are seen at least
const AROUND = 1.7; // as wide as the room
const RING = "#d9480f";

export function PlaceMap({ element }: { element: string }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const mode = useModeValue();
  const className = useClassName();
  const [whole, setWhole] = useState(false);
  const detail = useElement(element, building.id);
  const one = detail.data;
  const storey = one?.location.storey_id ?? null;
  const lang = i18n.language.startsWith("zh") ? "zh" : "en";
  const plan = useQuery({ // the key of the plan beside the model: one sheet serves both
    queryKey: ["tree", "plan", building.id, storey, lang, mode], enabled: storey !== null, staleTime: 5 * 60_000, retry: false, placeholderData: keepPreviousData,
    queryFn: ({ signal }) => sheet(building.id, storey ?? "", { theme: mode === "dark" ? "dark" : "screen", lang }, signal),
  });
  if (detail.isError) return <Failure error={detail.error} retry={() => void detail.refetch()} />;
  const unknown = one && (storey === null || (plan.error instanceof ApiError && plan.error.status === 404));
  return (
    <section className="place-map" aria-label={t("telemetry.place.title")}>
      <div className="place-map-sheet" aria-busy={!one || plan.isFetching}>
        {unknown ? <Empty icon={FileX} title={t("telemetry.place.none")} hint={t("telemetry.place.noneHint")} /> : plan.isError ? <Failure error={plan.error} retry={() => void plan.refetch()} />
          : one && plan.data && !plan.isPlaceholderData ? <Sheet svg={plan.data} element={one} whole={whole} /> : <p className="muted" role="status">{t("telemetry.place.drawing")}</p>}
      </div>
      <footer>
        <div>
          <b>{one ? (one.name ?? className(one.ifc_class)) : " "}</b>
          <small className="muted">{one ? [className(one.ifc_class), one.location.space_name, one.location.storey_name].filter(Boolean).join(" · ") : ""}</small>
        </div>
        <span className="place-map-tools">
          <Button size="small" icon={whole ? <Minimize2 size={14} aria-hidden /> : <Maximize2 size={14} aria-hidden />} disabled={!plan.data || Boolean(unknown)} onClick={() => setWhole(!whole)}>{t(whole ? "telemetry.place.near" : "telemetry.place.whole")}</Button>
          <LinkButton size="small" icon={<Box size={14} aria-hidden />} to={`/b/${building.id}?element=${element}`}>{t("telemetry.points.to3d")}</LinkButton>
        </span>
      </footer>
    </section>
  );
}

function Sheet({ svg, element, whole }: { svg: string; element: ElementDetail; whole: boolean }): ReactNode {
  const { t } = useTranslation();
  const host = useRef<HTMLDivElement>(null);
  const drawing = useRef<SVGSVGElement | null>(null);
  const sheetFrame = useRef<Frame>({ x: 0, y: 0, width: 1, height: 1 });
  const [drawn, setDrawn] = useState(true);
  useEffect(() => {
    if (!host.current) return;
    drawing.current = mount(host.current, svg);
    if (drawing.current) sheetFrame.current = parseFrame(drawing.current.getAttribute("viewBox"));
  }, [svg]);
  useEffect(() => {
    const [node, sheetNow] = [host.current, drawing.current];
    if (!node || !sheetNow) return;
    const place = (): void => {
      const box = node.getBoundingClientRect();
      if (box.height > 0) setDrawn(show(sheetNow, element, sheetFrame.current, whole, box.width / box.height));
    };
    const observer = new ResizeObserver(place);
    observer.observe(node);
    place();
    return () => observer.disconnect();
  }, [svg, element, whole]);
  return (
    <>
      <div ref={host} className="place-map-drawing" data-testid="place-map" role="img" aria-label={t("telemetry.place.of", { name: element.name ?? element.ifc_class })} />
      {drawn ? null : <p className="place-map-note muted">{t("telemetry.place.notDrawn")}</p>}
    </>
  );
}

/** The sheet around the element, with a ring on it; false where nothing of it is drawn and nobody knows its place. */
function show(drawing: SVGSVGElement, element: ElementDetail, all: Frame, whole: boolean, aspect: number): boolean {
  drawing.setAttribute("viewBox", written(all));
  drawing.querySelector("g[data-ring]")?.remove();
  const own = boxOf(drawing, mark(drawing, element.global_id).filter((one) => one.tagName !== "text"));
  const room = element.location.space_id === null ? null : boxOf(drawing, [...drawing.querySelectorAll<SVGGraphicsElement>(`path[data-id="${CSS.escape(element.location.space_id)}"]`)]);
  const at = own ?? pointOf(drawing, element.location.position) ?? room;
  if (!at) {
    drawing.setAttribute("viewBox", written(fitted(all, aspect)));
    return false;
  }
  const [x, y] = [at.x + at.width / 2, at.y + at.height / 2];
  const wanted = Math.min(all.width, Math.max(NEAREST, AROUND * Math.max(at.width, at.height * aspect, room?.width ?? 0, (room?.height ?? 0) * aspect)));
  const frame = whole ? fitted(all, aspect) : fitted({ x: x - wanted / 2, y: y - wanted / aspect / 2, width: wanted, height: wanted / aspect }, aspect);
  drawing.setAttribute("viewBox", written(frame));
  drawing.append(ring(x, y, Math.max(at.width, at.height) * 0.62, frame.width));
  return true;
}

/** In the sheet's millimetres; null where nothing is drawn. */
function boxOf(drawing: SVGSVGElement, shapes: readonly SVGGraphicsElement[]): Frame | null {
  const matrix = drawing.getScreenCTM()?.inverse();
  if (!matrix || shapes.length === 0) return null;
  const boxes = shapes.map((one) => one.getBoundingClientRect());
  const corner = (x: number, y: number): DOMPoint => new DOMPoint(x, y).matrixTransform(matrix);
  const low = corner(Math.min(...boxes.map((one) => one.left)), Math.min(...boxes.map((one) => one.top)));
  const high = corner(Math.max(...boxes.map((one) => one.right)), Math.max(...boxes.map((one) => one.bottom)));
  return { x: low.x, y: low.y, width: high.x - low.x, height: high.y - low.y };
}

/** A place in the building, on the sheet: what is too small to be drawn is somewhere all the same. */
function pointOf(drawing: SVGSVGElement, position: readonly number[] | null): Frame | null {
  const matrix = drawing.getAttribute("data-matrix")?.split(" ").map(Number);
  const [x, y] = position ?? [];
  if (matrix?.length !== 6 || x === undefined || y === undefined) return null;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = matrix;
  return { x: a * x + c * y + e, y: b * x + d * y + f, width: 0, height: 0 };
}

function ring(x: number, y: number, size: number, seen: number): SVGGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "g");
  made.setAttribute("data-ring", "");
  const radius = Math.max(size, seen * 0.035);
  for (const [stroke, width] of [["#ffffff", 5], [RING, 2.5]] as const) {
    const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    const attributes = { cx: x, cy: y, r: radius, fill: "none", stroke, "stroke-width": width, "vector-effect": "non-scaling-stroke", opacity: stroke === RING ? 1 : 0.8 };
    for (const [name, value] of Object.entries(attributes)) circle.setAttribute(name, String(value));
    made.append(circle);
  }
  return made;
}
