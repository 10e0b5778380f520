/** Left of the building: one search box, and what it is made of: as a tree, by systems, found, or saved. */
import { Segmented, Select, type InputRef } from "antd";
import { PanelLeftClose } from "lucide-react";
import { useRef, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Tree } from "../../api/types";
import { useKey } from "../lib/keys";
import { IconButton } from "../parts";
import { SystemList } from "../spatial/system-list";
import { GroupedTree, GROUPS, type Group } from "../workspace/grouped-tree";
import { changeLayout, useLayout } from "../workspace/layout";
import { SavedPanel } from "../workspace/saved-panel";
import { SearchBox, SearchPanel } from "../workspace/search-panel";
import { usePatch, useSceneState, type LeftTab } from "./state";
import { StructureTree } from "./tree";

export function LeftPanel({ tree, close }: { tree: Tree; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const { leftTab } = useSceneState();
  const patch = usePatch();
  const input = useRef<InputRef>(null);
  useKey("/", () => {
    patch({ leftTab: "search" });
    requestAnimationFrame(() => input.current?.focus());
  });
  return (
    <aside className="panel panel-left" aria-label={t("scene.structure")}>
      <div className="panel-tools">
        <SearchBox input={input} />
        <IconButton icon={PanelLeftClose} label={t("scene.closePanel")} onClick={close} />
      </div>
      <div className="panel-tabs">
        <Segmented block size="small" value={leftTab} onChange={(tab) => patch({ leftTab: tab as LeftTab })} options={[
          { value: "structure", label: t("scene.structure") },
          { value: "systems", label: t("scene.systems") },
          { value: "search", label: t("scene.search") },
          { value: "saved", label: t("workspace.saved") },
        ]} />
      </div>
      {leftTab === "structure" ? <Structure tree={tree} /> : leftTab === "systems" ? <SystemList /> : leftTab === "search" ? <SearchPanel tree={tree} /> : <SavedPanel tree={tree} />}
    </aside>
  );
}

/** The tree by storey and room, or by another order that one prefers. */
function Structure({ tree }: { tree: Tree }): ReactNode {
  const { t } = useTranslation();
  const layout = useLayout();
  const by = GROUPS.find((one) => one === layout.group) ?? null;
  return (
    <>
      <label className="tree-by">
        {t("workspace.by")}
        <Select size="small" variant="borderless" aria-label={t("workspace.by")} value={by ?? "storey"} onChange={(group: Group | "storey") => changeLayout({ group })}
          options={[{ value: "storey", label: t("workspace.by_.storey") }, ...GROUPS.map((value) => ({ value, label: t(`workspace.by_.${value}`) }))]} />
      </label>
      {by ? <GroupedTree key={by} by={by} /> : <StructureTree tree={tree} />}
    </>
  );
}
