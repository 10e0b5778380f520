/** A right click (or long press) in 3D: what one can do with what is there. */
import { Dropdown, type MenuProps } from "antd";
import { ArrowDownToDot, ArrowUpFromDot, EyeOff, Focus, Ghost, ListPlus, Crosshair, Navigation, Radiation } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Layer } from "../../engine";
import { useBuilding } from "../context";
import { lookAt } from "../scene/look";
import { useHide, usePatch, useScene, useSceneScope } from "../scene/state";
import { plainId } from "../versions/view";
import { toggled } from "../workspace/selection";
import { nameFor } from "./place-field";
import { useAsk, useRouteEnd, type FlowMode } from "./state";

interface Open {
  x: number;
  y: number;
  globalId: string;
  layer: Layer;
}

export function ContextMenu(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const scene = useScene();
  const patch = usePatch();
  const hide = useHide();
  const { store } = useSceneScope();
  const ask = useAsk();
  const end = useRouteEnd();
  const [open, setOpen] = useState<Open | null>(null);
  useEffect(() => scene?.on("menu", ({ hit, x, y }) => setOpen(hit ? { x, y, globalId: plainId(hit.globalId), layer: hit.layer } : null)), [scene]);
  // It hangs at a point of the picture: when that moves on, it goes.
  useEffect(() => scene?.on("camera", () => setOpen(null)), [scene]);
  if (!open) return null;
  const { globalId, layer } = open;
  const flow = (mode: FlowMode, icon: ReactNode): NonNullable<MenuProps["items"]>[number] => ({
    key: mode, icon, label: t(`spatial.${mode}`), onClick: () => void nameFor(building.id, globalId).then((one) => ask({ kind: "flow", mode, ...one })),
  });
  const route = (which: "from" | "to"): void => void nameFor(building.id, globalId).then((one) => end(which, one, building.id));
  const items: MenuProps["items"] = [
    { key: "from", icon: <Navigation size={14} />, label: t("spatial.route.fromHere"), onClick: () => route("from") },
    { key: "to", icon: <Navigation size={14} />, label: t("spatial.route.toHere"), onClick: () => route("to") },
    ...(layer === "services" || layer === "furniture" ? [
      { type: "divider" as const },
      flow("upstream", <ArrowDownToDot size={14} />), flow("downstream", <ArrowUpFromDot size={14} />), flow("affected", <Radiation size={14} />),
    ] : []),
    { type: "divider" },
    { key: "look", icon: <Crosshair size={14} />, label: t("spatial.menu.look"), onClick: () => {
      patch({ selected: globalId });
      if (scene) void lookAt(scene, globalId);
    } },
    { key: "alone", icon: <Focus size={14} />, label: t("spatial.menu.alone"), onClick: () => void nameFor(building.id, globalId).then(({ name }) => patch({ isolated: { ids: [globalId], title: name } })) },
    { key: "also", icon: <ListPlus size={14} />, label: t("several.also"), onClick: () => store.set((state) => ({ ...state, adding: true, selection: state.selection.includes(globalId) ? state.selection : toggled(state.selection, globalId), spatial: null })) },
    { key: "ghost", icon: <Ghost size={14} />, label: t("several.ghost"), onClick: () => store.set((state) => ({ ...state, ghosted: [...new Set([...state.ghosted, globalId])] })) },
    { key: "hide", icon: <EyeOff size={14} />, label: t("spatial.menu.hide"), onClick: () => hide(globalId) },
  ];
  return (
    <Dropdown open trigger={["click"]} menu={{ items, onClick: () => setOpen(null) }} onOpenChange={(next) => next || setOpen(null)} autoFocus>
      <span className="context-anchor" style={{ left: open.x, top: open.y }} aria-label={t("spatial.menu.title")} />
    </Dropdown>
  );
}
