/** From one fact of an element to all that share it: found, coloured by it, or the tree arranged by it. */
import { App, Dropdown, type MenuProps } from "antd";
import { Ellipsis, ListTree, Palette, Search, SearchX } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useBuilding } from "../context";
import { usePhone } from "../lib/prefs";
import { useErrorText } from "../parts";
import { usePatch } from "../scene/state";
import { useActions } from "./actions";
import { rulesByValue } from "./by-value";
import { changeLayout } from "./layout";
import { branchesOf } from "./queries";

export interface About {
  /** What it is called: "FireRating". */
  name: string;
  /** As a query writes it: `Pset_WallCommon.FireRating`. */
  key: string;
  /** The value as a query writes it; null: one cannot ask for it. */
  value: string | null;
  /** What trees are grouped by: "class", or "property:Pset_WallCommon.FireRating". */
  group: string;
}

export function FactMenu({ about }: { about: About }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const text = useErrorText();
  const phone = usePhone();
  const patch = usePatch();
  const act = useActions();
  const { key, value, name, group } = about;
  const find = (query: string): void => patch({ query, leftTab: "search", leftOpen: true });
  const colour = async (): Promise<void> => {
    try {
      const rules = rulesByValue(key, await branchesOf(building.id, group), t("workspace.fact.others"));
      await act.paint(rules, name, "ghost");
    } catch (error) {
      void message.error(text(error), 6);
    }
  };
  const items: MenuProps["items"] = [
    ...(value === null ? [] : [{ key: "same", icon: <Search size={14} />, label: t("workspace.fact.same"), onClick: () => find(`${key}:${value}`) }]),
    ...(key === "is" ? [] : [{ key: "without", icon: <SearchX size={14} />, label: t("workspace.fact.without", { name }), onClick: () => find(`${key}:none`) }]),
    { key: "colour", icon: <Palette size={14} />, label: t("workspace.fact.colour", { name }), onClick: () => void colour() },
    { key: "group", icon: <ListTree size={14} />, label: t("workspace.fact.group", { name }), onClick: () => {
      patch({ leftTab: "structure", leftOpen: true });
      changeLayout({ group, ...(phone ? {} : { left: { open: true } }) });
    } },
  ];
  return (
    <Dropdown trigger={["click"]} menu={{ items }} placement="bottomRight">
      <button type="button" className="icon-button fact-menu" aria-label={t("workspace.more", { name })}><Ellipsis size={14} aria-hidden /></button>
    </Dropdown>
  );
}
