import { App, Checkbox, Dropdown, Popover, Segmented, type MenuProps } from "antd";
import { Camera, ChevronDown, EyeOff, History, Layers, Maximize, Palette, PanelsTopLeft, SquareStack, Tags } from "lucide-react";
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Tree } from "../../api/types";
import { useBuilding } from "../context";
import { serverNow } from "../lib/clock";
import { useKey } from "../lib/keys";
import { labelsShown } from "../lib/prefs";
import { useQuantityName } from "../lib/names";
import { useStore } from "../lib/store";
import { unitText } from "../lib/format";
import { NewIssueButton } from "../issues/new-issue";
import { RouteButton } from "../spatial/route-button";
import { IconButton } from "../parts";
import { useTimeline } from "../timeline/hooks";
import { CLOSED, opened } from "../timeline/state";
import { ToolsButton } from "../tools/tools-button";
import { useColourings } from "./effects";
import { lookAt } from "./look";
import { HistoryButtons } from "../workspace/history-buttons";
import { usePatch, useScene, useSceneState, useShowStorey, type StoreyMode } from "./state";

const LAYERS = ["shell", "spaces", "services", "furniture"] as const;

export function Toolbar({ tree, shown }: { tree: Tree; shown: boolean }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const scene = useScene();
  const state = useSceneState();
  const patch = usePatch();
  const labels = useStore(labelsShown);
  const [timeline, setTimeline] = useTimeline();
  const fit = (): void => void (state.selected && scene?.has(state.selected) ? lookAt(scene, state.selected) : scene?.fit());
  useKey("f", fit, shown);
  useKey("l", () => labelsShown.set(!labels), shown);
  useKey("i", () => state.selection.length > 0 && patch({ isolated: { ids: state.selection, title: t("scene.selection") } }), shown);
  useKey("h", () => patch({ hidden: [...new Set([...state.hidden, ...state.selection])] }), shown);
  useKey("g", () => patch({ ghosted: [...new Set([...state.ghosted, ...state.selection])] }), shown);
  useKey("Escape", () => {
    if (state.picking) return patch({ picking: null });
    if (state.spatial) return patch({ spatial: null, picture: null });
    patch({ selected: null, isolated: null, focusAlarm: null, painted: null, hidden: [], ghosted: [] });
  }, shown);
  const screenshot = async (): Promise<void> => {
    if (!scene) return;
    const blob = await scene.screenshot();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${building.name} ${new Date().toISOString().slice(0, 16).replace(":", "-")}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    void message.success(t("scene.screenshotDone"));
  };
  return (
    <div className="toolbar" role="toolbar" aria-label={t("scene.tools")}>
      <div className="toolbar-group"><StoreyPicker tree={tree} /></div>
      <i className="toolbar-line" />
      <div className="toolbar-group">
        <IconButton icon={Maximize} label={t("scene.fit")} shortcut="F" onClick={fit} />
        <LayerPicker />
        <ColourPicker tree={tree} />
        <IconButton icon={Tags} label={t("scene.labels")} shortcut="L" active={labels} onClick={() => labelsShown.set(!labels)} />
        <ToolsButton />
      <RouteButton />
        <IconButton icon={PanelsTopLeft} label={t("spatial.plan.open")} active={state.floorPlan} onClick={() => patch(floorPlanChange(state.floorPlan))} />
        <IconButton icon={History} label={t("timeline.title")} active={timeline.open} onClick={() => setTimeline((before) => (before.open ? { ...CLOSED, span: before.span, speed: before.speed } : opened(before, serverNow())))} />
        <HistoryButtons shown={shown} />
        <NewIssueButton />
        <span className="wide-only">
          <IconButton icon={Camera} label={t("scene.screenshot")} onClick={() => void screenshot()} />
        </span>
      </div>
    </div>
  );
}

const ROOMY = 1440; // px that tree, plan, 3D view and inspector need side by side

/** Where there is no room for all of them, the tree makes way for the plan. */
function floorPlanChange(shown: boolean): { floorPlan: boolean; leftOpen?: boolean } {
  return { floorPlan: !shown, ...(!shown && window.innerWidth < ROOMY ? { leftOpen: false } : {}) };
}

function StoreyPicker({ tree }: { tree: Tree }): ReactNode {
  const { t } = useTranslation();
  const { storey, storeyMode } = useSceneState();
  const patch = usePatch();
  const current = tree.storeys.find((one) => one.id !== null && one.id === storey);
  const choose = useShowStorey(tree);
  const items: MenuProps["items"] = [
    { key: "all", label: t("scene.allStoreys") },
    { type: "divider" },
    ...tree.storeys.filter((one) => one.id !== null).toReversed().map((one) => ({
      key: one.id ?? "",
      label: <span className="menu-row">{one.name}<small className="num">{one.elevation === null ? "" : `${one.elevation.toFixed(1)} m`}</small></span>,
    })),
  ];
  return (
    <>
      <Dropdown trigger={["click"]} placement="top" menu={{
        items, selectedKeys: [storey ?? "all"], onClick: ({ key }) => choose(key === "all" ? null : key), className: "storey-menu",
      }}>
        <button type="button" className="tool-select" aria-label={`${t("scene.storey")}: ${current?.name ?? t("scene.allStoreys")}`}>
          <SquareStack size={16} strokeWidth={1.7} aria-hidden />
          <span>{current?.name ?? t("scene.allStoreys")}</span>
          <ChevronDown size={13} aria-hidden />
        </button>
      </Dropdown>
      {current ? (
        <Segmented size="small" value={storeyMode} onChange={(mode) => patch({ storeyMode: mode as StoreyMode })} options={[
          { value: "cut", label: t("scene.cut") },
          { value: "isolate", label: t("scene.isolate") },
          { value: "ghost", label: t("scene.ghost") },
        ]} />
      ) : null}
    </>
  );
}

function LayerPicker(): ReactNode {
  const { t } = useTranslation();
  const scene = useScene();
  const { hiddenLayers } = useSceneState();
  const patch = usePatch();
  return (
    <Popover trigger="click" placement="top" content={
      <div className="check-list">
        {LAYERS.filter((layer) => !scene || scene.layers.length === 0 || scene.layers.includes(layer)).map((layer) => (
          <Checkbox key={layer} checked={!hiddenLayers.includes(layer)} onChange={(event) => patch({
            hiddenLayers: event.target.checked ? hiddenLayers.filter((one) => one !== layer) : [...hiddenLayers, layer],
          })}>{t(`layer.${layer}`)}</Checkbox>
        ))}
      </div>
    }>
      <span><IconButton icon={hiddenLayers.length > 0 ? EyeOff : Layers} label={t("scene.layers")} /></span>
    </Popover>
  );
}

function ColourPicker({ tree }: { tree: Tree }): ReactNode {
  const { t } = useTranslation();
  const name = useQuantityName();
  const all = useColourings(tree);
  const { colouring } = useSceneState();
  const patch = usePatch();
  const items = useMemo<MenuProps["items"]>(() => {
    const group = (target: "room" | "equipment"): NonNullable<MenuProps["items"]> => {
      const members = all.filter((one) => one.target === target);
      if (members.length === 0) return [];
      return [{
        type: "group", key: target, label: t(`scene.target.${target}`),
        children: members.map((one) => ({
          key: one.key,
          label: <span className="menu-row">{name(one.name, one.label)}<small className="num">{unitText(one.unit)} · {one.points.length}</small></span>,
        })),
      }];
    };
    const groups = [...group("room"), ...group("equipment")];
    if (groups.length === 0) return [{ key: "none", disabled: true, label: t("scene.noPoints") }];
    return [{ key: "off", label: t("scene.colourOff") }, { type: "divider" }, ...groups];
  }, [all, name, t]);
  return (
    <Dropdown trigger={["click"]} placement="top" menu={{
      items, selectedKeys: [colouring?.key ?? "off"], className: "storey-menu",
      onClick: ({ key }) => patch({ colouring: all.find((one) => one.key === key) ?? null, limits: null }),
    }}>
      <span><IconButton icon={Palette} label={t("scene.colour")} active={colouring !== null} /></span>
    </Dropdown>
  );
}
