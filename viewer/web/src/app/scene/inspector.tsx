/** Everything known of the selected element or room. */
import { Copy, Crosshair, Focus, X } from "lucide-react";
import { App } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ElementDetail, Tree } from "../../api/types";
import { useBuilding } from "../context";
import { useClassName } from "../lib/names";
import { Failure, IconButton, Lines } from "../parts";
import { useElement } from "../queries";
import { useOpenAlarms } from "./effects";
import { ElementHistory } from "./inspector-history";
import { ElementIssues } from "./inspector-issues";
import { LivePoints } from "./inspector-live";
import { Properties } from "./inspector-properties";
import { PanelTabs } from "./panel-tabs";
import { RoomContents } from "../spatial/room";
import { SpatialTools } from "../spatial/tools";
import { usePatch, useShowElement, useShowStorey } from "./state";
import { elementLabel, spaceLabel } from "./tree-rows";

export function Inspector({ globalId, tree }: { globalId: string; tree: Tree }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const patch = usePatch();
  const element = useElement(globalId, building.id);
  return (
    <aside className="panel panel-right" aria-label={t("inspector.title")}>
      {element.isError ? (
        <>
          <div className="inspector-close"><IconButton icon={X} label={t("action.close")} onClick={() => patch({ selected: null })} /></div>
          <Failure error={element.error} retry={() => void element.refetch()} />
        </>
      ) : element.data ? (
        <Body element={element.data} tree={tree} />
      ) : <Lines count={9} />}
    </aside>
  );
}

function Body({ element, tree }: { element: ElementDetail; tree: Tree }): ReactNode {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const className = useClassName();
  const patch = usePatch();
  const showElement = useShowElement();
  const showStorey = useShowStorey(tree);
  const isRoom = element.ifc_class === "IfcSpace";
  const alarms = useOpenAlarms().filter((one) => one.element_id === element.id || one.space_id === element.id);
  const place = element.location;
  const room = tree.storeys.flatMap((storey) => storey.spaces).find((space) => space.id === place.space_id);
  const crumbs = [
    place.storey_name ? { text: place.storey_name, derived: element.storey_derived, go: () => showStorey(place.storey_id) } : null,
    room && !isRoom ? { text: spaceLabel(room), derived: element.space_derived, go: () => patch({ selected: room.global_id }) } : null,
  ].filter((one) => one !== null);
  const issues = alarms.length + element.orders.length;
  const own = element.points;
  return (
    <>
      <header className="inspector-head">
        <div className="inspector-title">
          <h2>{isRoom ? spaceLabel(element) : elementLabel(element)}</h2>
          <IconButton icon={Crosshair} size={15} label={t("scene.flyTo")} onClick={() => showElement(element.global_id, place.storey_id)} />
          <IconButton icon={Focus} size={15} label={t("scene.isolateThis")} shortcut="I"
            onClick={() => patch({ isolated: { ids: [element.global_id], title: elementLabel(element) } })} />
          <IconButton icon={X} size={16} label={t("action.close")} shortcut="Esc" onClick={() => patch({ selected: null })} />
        </div>
        <div className="inspector-sub">
          <span className="chip">{className(element.ifc_class)}</span>
          {crumbs.map((crumb) => (
            <button type="button" key={crumb.text} className="crumb" onClick={crumb.go}
              {...(crumb.derived ? { title: t("inspector.derived") } : {})}>{crumb.text}{crumb.derived ? "*" : ""}</button>
          ))}
          <button type="button" className="guid" title={t("inspector.copy")} onClick={() => {
            void navigator.clipboard.writeText(element.global_id).then(() => message.success(t("inspector.copied")));
          }}><Copy size={11} aria-hidden />{element.global_id}</button>
        </div>
        <SpatialTools element={element} />
      </header>
      <PanelTabs key={element.id} label={t("inspector.title")} first={own.length > 0 ? "live" : isRoom ? "room" : "properties"}
        items={[
          ...(own.length > 0 ? [{ key: "live", label: <>{t("inspector.live")}<Count n={own.length} /></>, children: <LivePoints points={own} owner={element.name} /> }] : []),
          ...(isRoom ? [{ key: "room", label: t("inspector.contents"), children: <RoomContents element={element} /> }] : []),
          { key: "properties", label: t("inspector.properties"), children: <Properties element={element} /> },
          { key: "issues", label: <>{t("inspector.issues")}<Count n={issues} alert={alarms.length > 0} /></>,
            children: <ElementIssues element={element} alarms={alarms} /> },
          { key: "history", label: t("several.history"), children: <ElementHistory element={element} /> },
        ]} />
    </>
  );
}

function Count({ n, alert = false }: { n: number; alert?: boolean }): ReactNode {
  return n > 0 ? <span className={`tab-count${alert ? " is-alert" : ""}`}>{n}</span> : null;
}
