/** A system: its parts, and which way its medium goes. */
import { Waypoints } from "lucide-react";
import { useEffect, useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ElementRow } from "../../api/types";
import { useBuilding } from "../context";
import { Empty, Failure, Lines } from "../parts";
import { useElements } from "../queries";
import { useScene, useSceneScope, useSceneState } from "../scene/state";
import { COLOURS, edgeLines } from "./flow";
import { Panel } from "./panel";
import { useSystem } from "./queries";
import { Rows } from "./element-rows";
import type { Row } from "./rows";
import type { Spatial } from "./state";
import type { Brief, SystemDetail } from "./types";

export function SystemPanel({ question }: { question: Extract<Spatial, { kind: "system" }> }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const detail = useSystem(question.id);
  // A server that knows no edges still knows the members.
  const plain = useElements({ building: building.id, system: question.id }, detail.isError);
  const members = useMemo(() => membersOf(detail.data, plain.data), [detail.data, plain.data]);
  const edges = useMemo(() => detail.data?.edges ?? [], [detail.data]);
  useSystemPicture(members, edges);
  const rows = useMemo<Row[]>(() => (members ?? []).map((element) => ({ kind: "element", key: element.id, element, group: "equipment" })), [members]);
  return (
    <Panel title={question.name} sub={members ? (
      <div className="spatial-summary">
        <b>{t("spatial.elementsCount", { count: members.length })}</b>
        {edges.length === 0 ? <span>{t("spatial.systems.noEdges")}</span> : null}
      </div>
    ) : null}>
      {plain.isError ? <Failure error={plain.error} retry={() => void plain.refetch()} />
        : !members ? <Lines count={8} />
        : members.length === 0 ? <Empty icon={Waypoints} title={t("spatial.none")} />
        : <Rows rows={rows} />}
    </Panel>
  );
}

function membersOf(detail: SystemDetail | undefined, plain: ElementRow[] | undefined): Brief[] | null {
  const found = detail?.members ?? detail?.elements;
  if (found) return found.map((one) => ("element" in one ? one.element : one));
  return plain ?? null;
}

function useSystemPicture(members: readonly Brief[] | null, edges: readonly { from: string; to: string }[]): void {
  const scene = useScene();
  const { store } = useSceneScope();
  const loading = useSceneState().progress !== null;
  useEffect(() => {
    if (!scene || !members) return;
    const ids = members.map((one) => one.global_id);
    store.set((state) => ({ ...state, picture: {
      colours: new Map(ids.map((id) => [id, COLOURS.equipment] as const)), only: ids, route: null, labels: [],
      flow: edgeLines(members, edges, (id) => scene.boxOf(id)),
    } }));
  }, [scene, store, members, edges, loading]);
  useEffect(() => {
    if (!scene || !members) return;
    store.set((state) => ({ ...state, storey: null }));
    void scene.ready.then(() => {
      const there = members.map((one) => one.global_id).filter((one) => scene.has(one));
      if (there.length > 0) void scene.flyTo(there, { margin: 1.2 });
    });
  }, [scene, store, members]);
}
