/** What one may ask of the spatial graph about the selected thing: in the inspector's head. */
import { Button } from "antd";
import { ArrowDownToDot, ArrowUpFromDot, Navigation, Radiation } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ElementDetail } from "../../api/types";
import { useBuilding } from "../context";
import { elementLabel, spaceLabel } from "../scene/tree-rows";
import { useAsk, useRouteEnd, type FlowMode } from "./state";

const FLOWS: { mode: FlowMode; icon: typeof Navigation }[] = [
  { mode: "upstream", icon: ArrowDownToDot }, { mode: "downstream", icon: ArrowUpFromDot }, { mode: "affected", icon: Radiation },
];
/** What carries no flow and is no place one goes to. */
const STRUCTURE = /^Ifc(Wall|Slab|Beam|Column|Roof|Covering|CurtainWall|Plate|Member|Footing|Pile|Railing|Window|Door|Stair|Ramp|Furni|Site|Building|Opening|Grid|Annotation|Space$)/;

export function SpatialTools({ element }: { element: ElementDetail }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const ask = useAsk();
  const end = useRouteEnd();
  const name = element.ifc_class === "IfcSpace" ? spaceLabel(element) : elementLabel(element);
  const stop = { globalId: element.global_id, name };
  return (
    <div className="spatial-tools" role="toolbar" aria-label={t("spatial.network")}>
      {STRUCTURE.test(element.ifc_class) ? null : FLOWS.map(({ mode, icon: Icon }) => (
        <Button key={mode} size="small" icon={<Icon size={13} aria-hidden />} title={t(`spatial.${mode}Hint`)}
          onClick={() => ask({ kind: "flow", mode, globalId: element.global_id, name })}>{t(`spatial.${mode}`)}</Button>
      ))}
      <Button size="small" icon={<Navigation size={13} aria-hidden />} onClick={() => end("to", stop, building.id)}>{t("spatial.route.toHere")}</Button>
      {element.ifc_class === "IfcSpace" ? (
        <Button size="small" onClick={() => end("from", stop, building.id)}>{t("spatial.route.fromHere")}</Button>
      ) : null}
    </div>
  );
}
