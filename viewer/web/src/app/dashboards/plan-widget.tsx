/** A storey's plan with its rooms coloured by a quantity, as their values change. */
import { useQuery } from "@tanstack/react-query";
import { FileX } from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../../api/client";
import type { Tree } from "../../api/types";
import { useBuilding, useModeValue } from "../context";
import { asNumber } from "../lib/values";
import { Empty, Failure } from "../parts";
import { Painter, type Colouring } from "../scene/colour";
import { useColourings } from "../scene/effects";
import { mount, sheet } from "../spatial/plan-sheet";
import { Scale, useLimits } from "./scale";
import type { PlaceWidget } from "./types";

export function PlanWidget({ widget, tree }: { widget: PlaceWidget; tree: Tree }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const mode = useModeValue();
  const lang = i18n.language.startsWith("zh") ? "zh" : "en";
  const placed = tree.storeys.filter((one) => one.id !== null);
  const storey = widget.storey ? placed.find((one) => one.id === widget.storey) : (placed.find((one) => one.spaces.length > 0) ?? placed[0]);
  const known = useColourings(tree);
  const colouring = known.find((one) => one.key === widget.quantity) ?? (widget.quantity ? null : (known.find((one) => one.target === "room") ?? null));
  const plan = useQuery({
    queryKey: ["tree", "plan", building.id, storey?.id ?? null, lang, mode],
    queryFn: ({ signal }) => sheet(building.id, storey?.id ?? "", { theme: mode === "dark" ? "dark" : "screen", lang }, signal),
    enabled: storey !== undefined, staleTime: 5 * 60_000, retry: false,
  });
  if (!storey) return <Empty icon={FileX} title={t("dashboards.storeyGone")} />;
  if (plan.isError) return plan.error instanceof ApiError && plan.error.status === 404 ? <Empty icon={FileX} title={t("spatial.plan.none")} /> : <Failure error={plan.error} retry={() => void plan.refetch()} />;
  return (
    <div className="db-plan">
      <div className="db-place"><span>{storey.name}</span>{colouring ? <QuantityScale colouring={colouring} /> : widget.quantity ? <span className="db-lost">{t("dashboards.quantityGone")}</span> : null}</div>
      {plan.data ? <Sheet svg={plan.data} colouring={colouring} label={`${t("dashboards.kind.plan")}: ${storey.name ?? ""}`} /> : <div className="db-wait" aria-busy />}
    </div>
  );
}

function QuantityScale({ colouring }: { colouring: Colouring }): ReactNode {
  return <Scale colouring={colouring} limits={useLimits(colouring)} />;
}

function Sheet({ svg, colouring, label }: { svg: string; colouring: Colouring | null; label: string }): ReactNode {
  const { live } = useBuilding();
  const host = useRef<HTMLDivElement>(null);
  const limits = useLimits(colouring);
  const [drawn, setDrawn] = useState<SVGSVGElement | null>(null);
  useEffect(() => {
    if (!host.current) return;
    const made = mount(host.current, svg);
    if (made) showRoomsOnly(made);
    setDrawn(made);
  }, [svg]);
  useEffect(() => {
    if (!drawn || !colouring) return;
    const painter = new Painter(colouring, { limits: limits ?? [0, 1], classes: false });
    const rooms = new Map<string, SVGElement[]>();
    for (const one of drawn.querySelectorAll<SVGElement>("path[data-global-id]")) {
      const id = one.dataset["globalId"] ?? "";
      rooms.set(id, [...(rooms.get(id) ?? []), one]);
    }
    const paint = (): void => {
      for (const [id, colour] of painter.changed((handle) => asNumber(live.values.get(handle)))) {
        for (const one of rooms.get(id) ?? []) one.style.setProperty("fill", colour ? `rgb(${colour.join(" ")})` : "none", "important");
      }
    };
    paint();
    const stop = live.onAnyValue(paint);
    return () => {
      stop();
      for (const one of [...rooms.values()].flat()) one.style.removeProperty("fill");
    };
  }, [drawn, colouring, limits, live]);
  return <div ref={host} className="db-sheet" role="img" aria-label={label} />;
}

/** The frame and title block of paper are of no use on a board: as much as the drawing needs is shown. */
function showRoomsOnly(drawing: SVGSVGElement): void {
  let box: { x: number; y: number; right: number; bottom: number } | null = null;
  const toSheet = drawing.getScreenCTM()?.inverse();
  for (const one of drawing.querySelectorAll<SVGGraphicsElement>("path[data-global-id]")) {
    const [own, there] = [one.getBBox(), one.getScreenCTM()];
    if (!toSheet || !there || own.width === 0) continue;
    const matrix = toSheet.multiply(there);
    for (const [x, y] of [[own.x, own.y], [own.x + own.width, own.y + own.height], [own.x, own.y + own.height], [own.x + own.width, own.y]] as const) {
      const p = new DOMPoint(x, y).matrixTransform(matrix);
      box = box ? { x: Math.min(box.x, p.x), y: Math.min(box.y, p.y), right: Math.max(box.right, p.x), bottom: Math.max(box.bottom, p.y) } : { x: p.x, y: p.y, right: p.x, bottom: p.y };
    }
  }
  if (!box || box.right <= box.x || box.bottom <= box.y) return;
  const pad = Math.max(box.right - box.x, box.bottom - box.y) * 0.03;
  const [x, y, width, height] = [box.x - pad, box.y - pad, box.right - box.x + 2 * pad, box.bottom - box.y + 2 * pad].map(String) as [string, string, string, string];
  const view = [x, y, width, height].join(" ");
  // In a drawing of its own, which cuts off what lies beside it: the proportions of the widget are others.
  const inner = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries({ x, y, width, height, viewBox: view })) inner.setAttribute(name, value);
  inner.append(...drawing.childNodes);
  drawing.append(inner);
  drawing.setAttribute("viewBox", view);
}
