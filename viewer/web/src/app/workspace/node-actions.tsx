/** What one does with everything under a row of the tree: shown alone, hidden, seen through. */
import { useQueryClient } from "@tanstack/react-query";
import { EyeOff, Focus, Ghost } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ElementRow } from "../../api/types";
import { useBuilding } from "../context";
import { IconButton } from "../parts";
import { everything } from "../queries";
import { useSceneScope } from "../scene/state";
import type { TreeRow } from "../scene/tree-rows";

export function NodeActions({ row }: { row: TreeRow }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { store } = useSceneScope();
  const client = useQueryClient();
  if (row.kind === "wait" || (row.kind === "storey" && row.storey === null)) return null;
  const members = async (): Promise<string[]> => {
    if (row.kind === "element") return row.globalId ? [row.globalId] : [];
    const asked = { building: building.id, storey: row.kind === "space" ? null : row.storey, space: row.kind === "space" ? row.globalId : null, ifc_class: row.kind === "class" ? row.ifcClass : null };
    const found = await client.fetchQuery({
      queryKey: ["elements", "under", asked], staleTime: 5 * 60_000,
      queryFn: ({ signal }) => everything<ElementRow>("/elements", asked, signal, 100_000),
    });
    return [...new Set([...(row.globalId ? [row.globalId] : []), ...found.map((one) => one.global_id)])];
  };
  const also = (name: "hidden" | "ghosted") => (): void => void members().then((ids) => store.set((state) => ({ ...state, [name]: [...new Set([...state[name], ...ids])] }))).catch(() => undefined);
  const alone = (): void => void members().then((ids) => store.set((state) => ({ ...state, isolated: { ids, title: row.label }, painted: null, storey: null }))).catch(() => undefined);
  return (
    <span className="node-actions" onClick={(event) => event.stopPropagation()} onDoubleClick={(event) => event.stopPropagation()}>
      <IconButton size={14} icon={Focus} label={t("workspace.isolate")} onClick={alone} />
      <IconButton size={14} icon={EyeOff} label={t("workspace.hide")} onClick={also("hidden")} />
      <IconButton size={14} icon={Ghost} label={t("several.ghost")} onClick={also("ghosted")} />
    </span>
  );
}
