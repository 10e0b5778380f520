/** A storey's plan beside the 3D view (alone on a phone): what is chosen in one is chosen in the other. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Select } from "antd";
import { Maximize, Minus, Plus, Printer, X, FileX } from "lucide-react";
import { useCallback, useEffect, useRef, useState, type DOMAttributes, type PointerEvent, type ReactNode, type RefObject } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../../api/client";
import type { Tree } from "../../api/types";
import { useBuilding, useModeValue } from "../context";
import { lookAt } from "../scene/look";
import { Empty, Failure, IconButton } from "../parts";
import { usePatch, useScene, useSceneState } from "../scene/state";
import { clicked, type Click } from "../workspace/selection";
import { mark, mount, sheet } from "./plan-sheet";
import { fitted, moved, parseFrame, written, zoomed, type Frame } from "./plan-view";

const CLICK = 5; // px the pointer may tremble
const STEP = 0.7;
export function PlanPanel({ tree }: { tree: Tree }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const mode = useModeValue();
  const patch = usePatch();
  const { storey: shown } = useSceneState();
  const placed = tree.storeys.filter((one) => one.id !== null);
  const storey = shown ?? (placed.find((one) => (one.elevation ?? -1) >= -0.5 && one.spaces.length > 0) ?? placed[0])?.id ?? null;
  const lang = i18n.language.startsWith("zh") ? "zh" : "en";
  const plan = useQuery({
    queryKey: ["tree", "plan", building.id, storey, lang, mode],
    queryFn: ({ signal }) => sheet(building.id, storey ?? "", { theme: mode === "dark" ? "dark" : "screen", lang }, signal),
    enabled: storey !== null,
    staleTime: 5 * 60_000,
    retry: false,
    placeholderData: keepPreviousData, // the sheet before stays, pale, until the next one is drawn
  });
  const name = placed.find((one) => one.id === storey)?.name ?? "";
  return (
    <section className="plan-panel" aria-label={t("spatial.plan.title")}>
      <header>
        <Select size="small" aria-label={t("spatial.plan.storey")} value={storey} popupMatchSelectWidth={false} className="plan-storey"
          onChange={(id) => patch({ storey: id, storeyMode: "cut" })}
          options={placed.toReversed().map((one) => ({ value: one.id, label: one.name ?? one.id }))} />
        <span className="grow" />
        <IconButton icon={Printer} size={15} label={t("spatial.plan.print")} disabled={!plan.data || plan.isPlaceholderData}
          onClick={() => storey && void sheet(building.id, storey, { theme: "print", lang }).then(print)} />
        <IconButton icon={X} size={16} label={t("spatial.plan.close")} onClick={() => patch({ floorPlan: false })} />
      </header>
      {plan.isError ? (
        plan.error instanceof ApiError && plan.error.status === 404
          ? <Empty icon={FileX} title={t("spatial.plan.none")} hint={t("spatial.plan.noneHint")} />
          : <Failure error={plan.error} retry={() => void plan.refetch()} />
      ) : (
        <div className={`plan-body${plan.isPlaceholderData ? " is-old" : ""}`} aria-busy={plan.isFetching}>
          {plan.data ? <Drawing key={plan.isPlaceholderData ? "old" : `${storey}:${mode}:${lang}`} svg={plan.data} storey={storey} /> : <BlankSheet />}
          {plan.data && !plan.isPlaceholderData ? null : <p className="plan-note" role="status">{t("spatial.plan.drawing", { storey: name })}</p>}
        </div>
      )}
    </section>
  );
}

/** A sheet with its frame, its title block and rooms to come. */
function BlankSheet(): ReactNode {
  return (
    <svg className="plan-blank" viewBox="0 0 420 297" aria-hidden>
      <rect x="8" y="8" width="404" height="281" />
      <path d="M270 289v-38h142" />
      <path className="is-wall" d="M50 40h300v180H50zM50 110h110M160 40v70M160 140v80M240 40v95h110M240 165v55M50 165h80" />
    </svg>
  );
}

/** The sheet on paper: an image of its own, so that neither the page's styles nor its layout touch it. */
function print(svg: string): void {
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  const holder = document.createElement("div");
  holder.className = "plan-print";
  const image = document.createElement("img");
  image.alt = "";
  holder.append(image);
  document.body.append(holder);
  image.onload = () => {
    window.print();
    holder.remove();
    URL.revokeObjectURL(address);
  };
  image.src = address;
}

function Drawing({ svg, storey }: { svg: string; storey: string | null }): ReactNode {
  const { t } = useTranslation();
  const scene = useScene();
  const patch = usePatch();
  const { selected, selection, adding } = useSceneState();
  const host = useRef<HTMLDivElement>(null);
  const drawing = useRef<SVGSVGElement | null>(null);
  const [bad, setBad] = useState(false);
  const whole = useRef<Frame>({ x: 0, y: 0, width: 1, height: 1 });
  const frame = useRef<Frame>({ x: 0, y: 0, width: 1, height: 1 });

  const show = useCallback((next: Frame) => {
    frame.current = next;
    drawing.current?.setAttribute("viewBox", written(next));
  }, []);
  const fit = useCallback(() => {
    const box = host.current?.getBoundingClientRect();
    if (box && box.height > 0) show(fitted(whole.current, box.width / box.height));
  }, [show]);
  const zoom = (factor: number): void => show(zoomed(frame.current, whole.current, factor, 0.5, 0.5));

  useEffect(() => {
    const node = host.current;
    if (!node) return;
    drawing.current = mount(node, svg);
    if (!drawing.current) return setBad(true);
    whole.current = parseFrame(drawing.current.getAttribute("viewBox"));
    fit();
    const observer = new ResizeObserver(fit);
    observer.observe(node);
    const wheel = (event: WheelEvent): void => {
      event.preventDefault(); // React listens passively, and could not keep the page from scrolling
      const box = node.getBoundingClientRect();
      const factor = Math.exp(Math.max(-0.5, Math.min(0.5, event.deltaY * 0.0016)));
      show(zoomed(frame.current, whole.current, factor, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height));
    };
    node.addEventListener("wheel", wheel, { passive: false });
    return () => {
      observer.disconnect();
      node.removeEventListener("wheel", wheel);
    };
  }, [svg, fit, show]);

  useEffect(() => {
    if (drawing.current) mark(drawing.current, ...selection);
  }, [selection, svg]);

  const choose = (under: Element, click: Click): void => {
    const globalId = under.closest("[data-global-id]")?.getAttribute("data-global-id");
    if (!globalId) return;
    const several = clicked({ selected, selection, adding }, [], globalId, { ...click, ctrlKey: click.ctrlKey || click.shiftKey, shiftKey: false });
    if (several) return patch({ selection: several });
    patch({ selected: globalId, storey, storeyMode: "cut", spatial: null, picture: null });
    if (scene?.has(globalId)) void lookAt(scene, globalId);
  };
  const drag = useDrag(host, frame, whole, show, choose);
  if (bad) return <Empty icon={FileX} title={t("spatial.plan.none")} />;
  return (
    <div className="plan-drawing">
      <div ref={host} className="plan-sheet" data-testid="plan" {...drag} />
      <div className="plan-zoom">
        <IconButton icon={Plus} size={15} label={t("spatial.plan.zoomIn")} onClick={() => zoom(STEP)} />
        <IconButton icon={Minus} size={15} label={t("spatial.plan.zoomOut")} onClick={() => zoom(1 / STEP)} />
        <IconButton icon={Maximize} size={15} label={t("spatial.plan.fit")} onClick={fit} />
      </div>
    </div>
  );
}

type Handlers = Pick<DOMAttributes<HTMLDivElement>, "onPointerDown" | "onPointerMove" | "onPointerUp" | "onPointerCancel">;

/** Drag with one finger or the mouse, pinch with two; a press that stays where it is is a click. */
function useDrag(host: RefObject<HTMLDivElement | null>, frame: RefObject<Frame>, whole: RefObject<Frame>, show: (frame: Frame) => void, click: (under: Element, how: Click) => void): Handlers {
  const down = useRef(new Map<number, { x: number; y: number }>());
  const way = useRef(0);
  const lift = (event: PointerEvent): void => void down.current.delete(event.pointerId);
  return {
    onPointerDown: (event) => {
      if (down.current.size === 0) way.current = 0;
      down.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event) => {
      const before = down.current.get(event.pointerId);
      const box = host.current?.getBoundingClientRect();
      if (!before || !box) return;
      const [dx, dy] = [event.clientX - before.x, event.clientY - before.y];
      way.current += Math.hypot(dx, dy);
      const other = [...down.current].find(([id]) => id !== event.pointerId)?.[1];
      down.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (way.current < CLICK) return;
      if (!other) return show(moved(frame.current, whole.current, dx / box.width, dy / box.height));
      const far = (p: { x: number; y: number }): number => Math.max(10, Math.hypot(p.x - other.x, p.y - other.y));
      const middle = { x: (event.clientX + other.x) / 2, y: (event.clientY + other.y) / 2 };
      show(zoomed(frame.current, whole.current, far(before) / far({ x: event.clientX, y: event.clientY }), (middle.x - box.left) / box.width, (middle.y - box.top) / box.height));
    },
    onPointerUp: (event) => {
      lift(event);
      if (way.current >= CLICK || down.current.size > 0) return;
      // The pointer is captured by the host: ask what lies under it.
      const inner = host.current?.shadowRoot?.elementFromPoint(event.clientX, event.clientY);
      if (inner) click(inner, { ctrlKey: event.ctrlKey, metaKey: event.metaKey, shiftKey: event.shiftKey });
    },
    onPointerCancel: lift,
  };
}
