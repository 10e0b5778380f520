/** What one does with a row of a tree or list, or with all that is under it: by its button, a right click, or Shift+F10. */
import { App, Dropdown, type MenuProps } from "antd";
import { ChartLine, Crosshair, Ellipsis, EyeOff, Focus, Ghost, ListPlus } from "lucide-react";
import { useState, type KeyboardEvent, type MouseEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useErrorText } from "../parts";
import { useScene, useSceneScope } from "../scene/state";
import { useDraw } from "./charts";
import { toggled } from "./selection";

export interface Node {
  label: string;
  /** Everything under it; of several chosen rows all of these. */
  members: () => Promise<readonly string[]>;
  /** The element or room that the row is; null: a group of some. */
  one: string | null;
  /** Whose points are meant where they are drawn; null: those of the members. */
  drawn: readonly string[] | null;
}

export interface At {
  x: number;
  y: number;
  /** A key asked for it: the first entry has the focus. */
  keyed?: boolean;
}

export interface NodeActions {
  alone: (node: Node) => void;
  hide: (node: Node) => void;
  ghost: (node: Node) => void;
}

/** Shown alone, hidden, seen through. */
export function useNodeActions(): NodeActions & { safely: (work: Promise<void>) => void } {
  const { store } = useSceneScope();
  const { message } = App.useApp();
  const text = useErrorText();
  const safely = (work: Promise<void>): void => void work.catch((error: unknown) => void message.error(text(error), 6));
  const also = (name: "hidden" | "ghosted") => (node: Node): void => safely(node.members().then((ids) => store.set((state) => ({ ...state, [name]: [...new Set([...state[name], ...ids])] }))));
  return {
    safely, hide: also("hidden"), ghost: also("ghosted"),
    alone: (node) => safely(node.members().then((ids) => store.set((state) => ({ ...state, isolated: { ids, title: node.label }, painted: null, storey: null })))),
  };
}

/** One menu for all rows of a tree. */
export function useNodeMenu(): { menu: ReactNode; open: (node: Node, at: At) => void } {
  const [shown, setShown] = useState<{ node: Node; at: At; from: Element | null } | null>(null);
  const close = (): void => {
    if (shown?.from instanceof HTMLElement) shown.from.focus({ preventScroll: true });
    setShown(null);
  };
  return { open: (node, at) => setShown({ node, at, from: document.activeElement }), menu: shown ? <NodeMenu {...shown} close={close} /> : null };
}

function NodeMenu({ node, at, close }: { node: Node; at: At; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const { store } = useSceneScope();
  const scene = useScene();
  const act = useNodeActions();
  const draw = useDraw();
  const { one } = node;
  const fly = async (): Promise<void> => {
    const seen = (await node.members()).filter((id) => scene?.has(id));
    if (seen.length > 0) await scene?.flyTo(seen);
  };
  const items: MenuProps["items"] = [
    { key: "fly", icon: <Crosshair size={14} />, label: t("workspace.fly"), onClick: () => act.safely(fly()) },
    { key: "alone", icon: <Focus size={14} />, label: t("workspace.isolate"), onClick: () => act.alone(node) },
    { key: "hide", icon: <EyeOff size={14} />, label: t("workspace.hide"), onClick: () => act.hide(node) },
    { key: "ghost", icon: <Ghost size={14} />, label: t("several.ghost"), onClick: () => act.ghost(node) },
    { type: "divider" },
    ...(one === null ? [] : [{ key: "also", icon: <ListPlus size={14} />, label: t("several.also"), onClick: () => store.set((state) => (state.selection.includes(one) ? state : { ...state, selection: toggled(state.selection, one), spatial: null })) }]),
    { key: "draw", icon: <ChartLine size={14} />, label: t("several.toChart"), onClick: () => (node.drawn ? draw({ elements: node.drawn }) : act.safely(node.members().then((elements) => draw({ elements })))) },
  ];
  return (
    <Dropdown open trigger={["click"]} menu={{ items, onClick: close, "aria-label": t("workspace.more", { name: node.label }) }} onOpenChange={(next) => next || close()} autoFocus={at.keyed ?? false}>
      <span className="node-anchor" style={{ left: at.x, top: at.y }} />
    </Dropdown>
  );
}

/** Where a right click or a long press opens it. */
export const menuPlace = (event: MouseEvent): At => ({ x: event.clientX, y: event.clientY });

/** Where it opens for a key: under the row. */
export function below(row: Element | null): At {
  const box = row?.getBoundingClientRect();
  return { x: (box?.left ?? 0) + 24, y: box?.bottom ?? 0, keyed: true };
}

export const asksMenu = (event: KeyboardEvent): boolean => event.key === "ContextMenu" || (event.shiftKey && event.key === "F10");

/** The button of a row. Keys have the menu itself, so it is no stop for Tab. */
export function MoreButton({ label, open }: { label: string; open: (at: At) => void }): ReactNode {
  const { t } = useTranslation();
  return (
    <button type="button" tabIndex={-1} className="icon-button" aria-label={t("workspace.more", { name: label })} onClick={(event) => {
      const box = event.currentTarget.getBoundingClientRect();
      open({ x: box.left, y: box.bottom });
    }}><Ellipsis size={14} aria-hidden /></button>
  );
}
