/** One end of a route: typed, taken from the selection, or clicked in 3D. */
import { useQuery } from "@tanstack/react-query";
import { AutoComplete } from "antd";
import { Crosshair, LogOut, MapPin } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import type { ElementRow, Page, Tree } from "../../api/types";
import { useBuilding } from "../context";
import { useClassName } from "../lib/names";
import { IconButton } from "../parts";
import { usePatch, useSceneState } from "../scene/state";
import { elementLabel, spaceLabel } from "../scene/tree-rows";
import type { Stop } from "./state";

const SOON = 180; // ms after the last key

export function PlaceField({ end, value, tree, onChange }: { end: "from" | "to"; value: Stop | null; tree: Tree; onChange: (stop: Stop | null) => void }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { selected, picking } = useSceneState();
  const patch = usePatch();
  const className = useClassName();
  const [text, setText] = useState<string | null>(null);
  const [settled, setSettled] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSettled((text ?? "").trim()), SOON);
    return () => clearTimeout(timer);
  }, [text]);
  const found = useQuery({
    queryKey: ["elements", "search", building.id, settled],
    queryFn: ({ signal }) => get<Page<ElementRow>>("/elements", { building: building.id, q: settled, limit: 30 }, signal),
    enabled: settled.length > 0,
    placeholderData: (previous) => previous,
  });
  const items = settled ? (found.data?.items ?? []) : [];
  const storeyOf = (id: string | null): string => tree.storeys.find((one) => one.id === id)?.name ?? "";
  const nameOf = (one: ElementRow): string => (one.ifc_class === "IfcSpace" ? spaceLabel(one) : elementLabel(one));
  const shown = text ?? (value === "outside" ? t("spatial.route.exit") : (value?.name ?? ""));
  const picks = picking?.what === end;
  return (
    <div className="place-field">
      <label htmlFor={`route-${end}`}>{t(`spatial.route.${end}`)}</label>
      <AutoComplete id={`route-${end}`} value={shown} placeholder={t("spatial.route.where")} allowClear popupMatchSelectWidth={300}
        options={items.map((one) => ({ value: one.global_id, label: (
          <span className="place-option"><b>{nameOf(one)}</b><small>{[className(one.ifc_class), storeyOf(one.storey_id)].filter(Boolean).join(" · ")}</small></span>
        ) }))}
        onChange={(next: string | undefined) => {
          if (next) setText(next);
          else {
            setText(null);
            onChange(null);
          }
        }}
        onBlur={() => setText(null)}
        onSelect={(globalId) => {
          const one = items.find((item) => item.global_id === globalId);
          setText(null);
          if (one) onChange({ globalId: one.global_id, name: nameOf(one) });
        }} />
      {end === "to" ? <IconButton icon={LogOut} size={15} label={t("spatial.route.exit")} active={value === "outside"} onClick={() => onChange("outside")} /> : null}
      {selected && (value === null || value === "outside" || value.globalId !== selected) ? (
        <IconButton icon={MapPin} size={15} label={t("spatial.route.use")} onClick={() => void nameFor(building.id, selected).then(onChange)} />
      ) : null}
      <IconButton icon={Crosshair} size={15} active={picks} label={t("spatial.route.pick")} onClick={() => patch({
        picking: picks ? null : { what: end, done: (globalId) => void nameFor(building.id, globalId).then(onChange) },
      })} />
    </div>
  );
}

/** An element with its name, for a click that only knows its GlobalId. */
export async function nameFor(building: string, globalId: string): Promise<{ globalId: string; name: string }> {
  const element = await get<ElementRow>(`/elements/${encodeURIComponent(globalId)}`, { building });
  return { globalId, name: element.ifc_class === "IfcSpace" ? spaceLabel(element) : elementLabel(element) };
}
