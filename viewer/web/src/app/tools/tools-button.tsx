/** Measuring, sections, walking and other ways to look: one button of the toolbar. */
import { App, Dropdown, type MenuProps } from "antd";
import { Box as BoxIcon, Contrast, Layers2, MemoryStick, Footprints, Link2, PencilRuler, Ruler, Scan, Slice, Spline, Square, SquareStack, Triangle } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "../parts";
import { usePictureItems } from "../picture/notices";
import { useScene, useSceneScope, useSceneState } from "../scene/state";
import { sectionBox, useTools } from "./hooks";
import { MEASURES, type MeasureKind } from "./state";
import { encodeView } from "./view-link";

const ICONS: Record<MeasureKind, ReactNode> = {
  distance: <Ruler size={15} aria-hidden />, clear: <Spline size={15} aria-hidden />, angle: <Triangle size={15} aria-hidden />, area: <Square size={15} aria-hidden />,
};
const APART = 4; // m

export function ToolsButton(): ReactNode {
  const { t } = useTranslation();
  const scene = useScene();
  const { selected, storey } = useSceneState();
  const [tools, patch] = useTools();
  const copy = useCopyLink();
  const picture = usePictureItems();
  const { tool, section, apart, orthographic } = tools;
  const items: MenuProps["items"] = [
    { type: "group", label: t("tools.measure"), children: MEASURES.map((what) => ({ key: what, icon: ICONS[what], label: t(`tools.what.${what}`) })) },
    { type: "group", label: t("tools.section"), children: [
      { key: "box", icon: <BoxIcon size={15} aria-hidden />, label: t(selected ? "tools.boxSelected" : storey ? "tools.boxStorey" : "tools.box") },
      { key: "plane", icon: <Slice size={15} aria-hidden />, label: t("tools.plane") },
    ] },
    { type: "group", label: t("tools.look"), children: [
      { key: "walk", icon: <Footprints size={15} aria-hidden />, label: t("tools.walk") },
      { key: "through", icon: <Layers2 size={15} aria-hidden />, label: t("tools.through") },
      { key: "apart", icon: <SquareStack size={15} aria-hidden />, label: t("tools.apart") },
      { key: "orthographic", icon: <Scan size={15} aria-hidden />, label: t("tools.orthographic") },
      { key: "link", icon: <Link2 size={15} aria-hidden />, label: t("tools.link") },
    ] },
    { type: "group", label: t("tools.picture.title"), children: [
      { key: "ambient", icon: <Contrast size={15} aria-hidden />, label: t(`tools.picture.ambient.${picture.ambient}`), children: picture.children },
      { key: "memory", icon: <MemoryStick size={15} aria-hidden />, label: t("tools.picture.memory"), children: picture.memory },
    ] },
  ];
  const choose = (key: string): void => {
    if (!scene || picture.choose(key)) return;
    if (key === "through") void scene.throughStoreys();
    else if (key === "box") {
      const box = sectionBox(scene, selected, storey);
      if (box) patch({ tool: null, section: { kind: "box", box } });
    } else if (key === "plane") patch({ tool: { kind: "plane" }, points: [] });
    else if (key === "walk") patch({ tool: { kind: "walk", started: false }, points: [] });
    else if (key === "apart") {
      patch({ apart: apart > 0 ? 0 : APART });
      requestAnimationFrame(() => void scene.fit()); // it is taller now, or was
    }
    else if (key === "orthographic") patch({ orthographic: !orthographic });
    else if (key === "link") copy();
    else patch({ tool: { kind: "measure", what: key as MeasureKind }, points: [] });
  };
  const on = [...(tool?.kind === "measure" ? [tool.what] : tool ? [tool.kind] : []), ...(section ? [section.kind] : []), ...(apart > 0 ? ["apart"] : []), ...(orthographic ? ["orthographic"] : [])];
  return (
    <Dropdown trigger={["click"]} placement="top" menu={{ items, selectedKeys: [...on, ...picture.selected], onClick: ({ key }) => choose(key), className: "storey-menu" }}>
      <span><IconButton icon={PencilRuler} label={t("tools.title")} active={on.length > 0} /></span>
    </Dropdown>
  );
}

function useCopyLink(): () => void {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const scene = useScene();
  const { store, tools } = useSceneScope();
  return () => {
    if (!scene) return;
    const { storey, storeyMode, selected, colouring, hiddenLayers } = store.get();
    const { section, apart } = tools.get();
    const to = new URL(location.pathname, location.href);
    to.searchParams.set("view", encodeView({ view: scene.view(), storey, storeyMode, selected, colouring: colouring?.key ?? null, hiddenLayers, section, apart }));
    // No clipboard without https or permission: then it is shown to be copied by hand.
    void navigator.clipboard.writeText(to.href).then(() => message.success(t("tools.linkCopied")), () => message.info(to.href, 20));
  };
}
