/** What one does with everything under a row of the tree by storey and room. */
import { useQueryClient } from "@tanstack/react-query";
import { EyeOff, Focus } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ElementRow } from "../../api/types";
import { useBuilding } from "../context";
import { IconButton } from "../parts";
import { everything } from "../queries";
import { useSceneState } from "../scene/state";
import type { TreeRow } from "../scene/tree-rows";
import { MoreButton, useNodeActions, type At, type Node } from "./node-menu";

/** What a row stands for; null where nothing can be done with it. */
export function useNodeOf(): (row: TreeRow) => Node | null {
  const { building } = useBuilding();
  const client = useQueryClient();
  const { selection } = useSceneState();
  return (row) => {
    if (row.kind === "wait" || (row.kind === "storey" && row.storey === null)) return null;
    const { globalId } = row;
    const members = async (): Promise<readonly string[]> => {
      if (row.kind === "element") return globalId ? [globalId] : [];
      const asked = { building: building.id, storey: row.kind === "space" ? null : row.storey, space: row.kind === "space" ? globalId : null, ifc_class: row.kind === "class" ? row.ifcClass : null };
      const found = await client.fetchQuery({
        queryKey: ["elements", "under", asked], staleTime: 5 * 60_000,
        queryFn: ({ signal }) => everything<ElementRow>("/elements", asked, signal, 100_000),
      });
      return [...new Set([...(globalId ? [globalId] : []), ...found.map((one) => one.global_id)])];
    };
    return { label: row.label, one: globalId ?? null, members, drawn: globalId ? drawnWith(globalId, selection) : null };
  };
}

/** Whose points are meant by a row: with a chosen one all that are chosen, as with every drag. */
export const drawnWith = (globalId: string, selection: readonly string[]): readonly string[] => (selection.length > 1 && selection.includes(globalId) ? selection : [globalId]);

/** The two that are wanted most, and the rest in a menu. */
export function NodeButtons({ node, open }: { node: Node; open: (node: Node, at: At) => void }): ReactNode {
  const { t } = useTranslation();
  const act = useNodeActions();
  return (
    <span className="node-actions" onClick={(event) => event.stopPropagation()} onDoubleClick={(event) => event.stopPropagation()}>
      <span className="node-quick">
        <IconButton size={14} icon={Focus} label={t("workspace.isolate")} onClick={() => act.alone(node)} />
        <IconButton size={14} icon={EyeOff} label={t("workspace.hide")} onClick={() => act.hide(node)} />
      </span>
      <MoreButton label={node.label} open={(at) => open(node, at)} />
    </span>
  );
}
