/** Left of the building: one search box, and what it is made of: as a tree, by systems, found, or saved. */
import { Segmented, Select, type InputRef } from "antd";
import { PanelLeftClose } from "lucide-react";
import { useMemo, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Tree } from "../../api/types";
import { useBuilding } from "../context";
import { useKey } from "../lib/keys";
import { IconButton } from "../parts";
import { SystemList } from "../spatial/system-list";
import { GroupedTree, GROUPS, isGroup } from "../workspace/grouped-tree";
import { changeLayout, useLayout } from "../workspace/layout";
import { useWords } from "../workspace/queries";
import { SavedPanel } from "../workspace/saved-panel";
import { SearchBox, SearchPanel } from "../workspace/search-panel";
import { propertyKey, withAnySet } from "../workspace/text";
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

/** The tree by storey and room, or by another order that one prefers: also by the values of any property. */
function Structure({ tree }: { tree: Tree }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const layout = useLayout();
  const [asked, setAsked] = useState(false);
  const words = useWords(building.id, asked);
  const by = isGroup(layout.group) ? layout.group : null;
  const property = by?.startsWith("property:") ? by.slice("property:".length) : null;
  const properties = useMemo(() => {
    const label = (path: string): string => {
      const dot = path.indexOf("."); // people look for the name, the set comes after it
      return `${path.slice(dot + 1)} · ${path.startsWith("*.") ? t("workspace.fact.anySet") : path.slice(0, dot)}`;
    };
    const known = withAnySet(words.data?.properties ?? []).map((path) => ({ value: `property:${propertyKey(path)}`, label: label(path) }));
    return property !== null && !known.some((one) => one.value === `property:${property}`) ? [{ value: `property:${property}`, label: label(property.replaceAll('"', "")) }, ...known] : known;
  }, [words.data, property, t]);
  return (
    <>
      <div className="tree-by">
        <span aria-hidden>{t("workspace.by")}</span>
        <Select size="small" variant="borderless" aria-label={t("workspace.by")} value={by ?? "storey"} onChange={(group: string) => changeLayout({ group })} onOpenChange={() => setAsked(true)}
          showSearch={{ optionFilterProp: "label" }} popupMatchSelectWidth={260}
          options={[
            { value: "storey", label: t("workspace.by_.storey") }, ...GROUPS.map((value) => ({ value, label: t(`workspace.by_.${value}`) })),
            ...(properties.length > 0 ? [{ label: t("workspace.fact.properties"), options: properties }] : []),
          ]} />
      </div>
      {by ? <GroupedTree key={by} by={by} /> : <StructureTree tree={tree} />}
    </>
  );
}
