/** A system: its parts, and which way its medium goes. */
import { Waypoints } from "lucide-react";
import { useEffect, useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Rgb } from "../../engine";
import { Empty, Failure, Lines } from "../parts";
import { useScene, useSceneScope, useSceneState } from "../scene/state";
import { COLOURS, edgeLines } from "./flow";
import { Panel } from "./panel";
import { useSystem } from "./queries";
import { Rows } from "./element-rows";
import type { Row } from "./rows";
import type { Spatial } from "./state";
import type { SystemDetail } from "./types";

export function SystemPanel({ question }: { question: Extract<Spatial, { kind: "system" }> }): ReactNode {
  const { t } = useTranslation();
  const detail = useSystem(question.id);
  const members = useMemo(() => detail.data?.members ?? null, [detail.data]);
  const edges = detail.data?.edges.length ?? 0;
  useSystemPicture(detail.data);
  const rows = useMemo<Row[]>(() => (members ?? []).map(({ element, order, shuts }) => ({
    kind: "element", key: element.id, element, group: shuts ? "shut" : "equipment", ...(order === null ? {} : { distance: order }),
  })), [members]);
  return (
    <Panel title={question.name} sub={members ? (
      <div className="spatial-summary">
        <b>{t("spatial.elementsCount", { count: members.length })}</b>
        {(detail.data?.loops.length ?? 0) > 0 ? <span>{t("spatial.systems.loops", { count: detail.data?.loops.length ?? 0 })}</span> : null}
        {edges === 0 ? <span>{t("spatial.systems.noEdges")}</span> : null}
      </div>
    ) : null}>
      {detail.isError ? <Failure error={detail.error} retry={() => void detail.refetch()} />
        : !members ? <Lines count={8} />
        : members.length === 0 ? <Empty icon={Waypoints} title={t("spatial.none")} />
        : <Rows rows={rows} />}
    </Panel>
  );
}

function useSystemPicture(system: SystemDetail | undefined): void {
  const scene = useScene();
  const { store } = useSceneScope();
  const loading = useSceneState().progress !== null;
  useEffect(() => {
    if (!scene || !system) return;
    const members = system.members.map((one) => one.element);
    const colours = new Map<string, Rgb>(system.members.map(({ element, shuts }) => [element.global_id, shuts ? COLOURS.shut : COLOURS.equipment] as const));
    store.set((state) => ({ ...state, picture: {
      colours, only: [...colours.keys()], route: null, flow: edgeLines(members, system.edges, (id) => scene.boxOf(id)),
      labels: system.members.filter((one) => one.source).map(({ element }) => ({
        id: element.id, globalId: element.global_id, text: element.name ?? element.global_id, kind: "start" as const,
      })),
    } }));
  }, [scene, store, system, loading]);
  useEffect(() => {
    if (!scene || !system) return;
    store.set((state) => ({ ...state, storey: null }));
    void scene.ready.then(() => {
      const there = system.members.map((one) => one.element.global_id).filter((one) => scene.has(one));
      if (there.length > 0) void scene.flyTo(there, { margin: 1.2 });
    });
  }, [scene, store, system]);
}
