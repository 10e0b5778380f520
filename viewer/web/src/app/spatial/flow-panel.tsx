/** What feeds an element, what it feeds, what its outage touches: beside the 3D view, which shows the same. */
import { Segmented } from "antd";
import { Link2Off } from "lucide-react";
import { useEffect, useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Rgb, Scene3D } from "../../engine";
import { Empty, Failure, Lines } from "../parts";
import { usePatch, useScene, useSceneScope, useSceneState } from "../scene/state";
import { COLOURS, flowLines } from "./flow";
import { Panel } from "./panel";
import { useFlow, type FlowAnswer } from "./queries";
import { Rows } from "./element-rows";
import { flowRows } from "./rows";
import type { FlowMode, Picture, SceneLabel, Spatial } from "./state";
import type { Brief } from "./types";

type Question = Extract<Spatial, { kind: "flow" }>;
export const MODES: readonly FlowMode[] = ["upstream", "downstream", "affected"];

export function FlowPanel({ question }: { question: Question }): ReactNode {
  const { t } = useTranslation();
  const patch = usePatch();
  const answer = useFlow(question.globalId, question.mode);
  useFlowPicture(question, answer.data);
  const { i18n } = useTranslation();
  const rows = useMemo(() => (answer.data ? flowRows(answer.data, i18n.language) : []), [answer.data, i18n.language]);
  return (
    <Panel title={question.name} sub={
      <div className="spatial-modes">
        <Segmented block size="small" value={question.mode} onChange={(mode) => patch({ spatial: { ...question, mode } })}
          options={MODES.map((mode) => ({ value: mode, label: t(`spatial.${mode}`), title: t(`spatial.${mode}Hint`) }))} />
      </div>
    }>
      {answer.isError ? <Failure error={answer.error} retry={() => void answer.refetch()} />
        : !answer.data ? <Lines count={8} />
        : rows.length === 0 ? <Empty icon={Link2Off} title={t(`spatial.${EMPTY[question.mode]}`)} hint={t("spatial.noneHint")} />
        : <><Summary answer={answer.data} /><Rows rows={rows} /></>}
    </Panel>
  );
}

const EMPTY = { upstream: "noUpstream", downstream: "noDownstream", affected: "noAffected" } as const;

function Summary({ answer }: { answer: FlowAnswer }): ReactNode {
  const { t } = useTranslation();
  const { items, affected } = answer;
  const circuit = affected?.circuit ?? 0;
  return (
    <div className="spatial-summary" aria-live="polite">
      {affected ? <b data-testid="affected-rooms">{t("spatial.roomsCount", { count: affected.rooms.length })}</b> : null}
      <span data-testid="reached">{t("spatial.equipmentCount", { count: items.length })}</span>
      {affected ? <span>{t("spatial.pointsCount", { count: affected.points.length })}</span> : null}
      {affected ? <span>{t("spatial.shutCount", { count: affected.isolation.elements.length })}</span> : null}
      {circuit > 1 ? <span>{t("spatial.circuit", { count: circuit })}</span> : null}
    </div>
  );
}

/** Draws the answer, and takes the camera to it once. */
function useFlowPicture({ globalId, mode, name }: Question, answer: FlowAnswer | undefined): void {
  const scene = useScene();
  const { store } = useSceneScope();
  // Lines follow boxes: with every tile that comes there may be more of them.
  const { progress } = useSceneState();
  const loading = progress !== null;
  useEffect(() => {
    if (!scene || !answer) return;
    const drawn = pictureOf(scene, { globalId, name }, answer, mode);
    store.set((state) => ({ ...state, picture: drawn }));
  }, [scene, store, answer, mode, globalId, name, loading]);
  useEffect(() => {
    if (!scene || !answer) return;
    store.set((state) => ({ ...state, storey: null }));
    const seen = [globalId, ...answer.items.map((one) => one.element.global_id), ...(answer.affected?.rooms.map((one) => one.room.global_id) ?? [])];
    void scene.ready.then(() => {
      const there = seen.filter((one) => scene.has(one));
      if (there.length > 0) void scene.flyTo(there, { margin: 1.2 });
    });
  }, [scene, store, answer, globalId]);
}

export function pictureOf(scene: Scene3D, start: { globalId: string; name: string }, answer: FlowAnswer, mode: FlowMode): Picture {
  const colours = new Map<string, Rgb>();
  const labels: SceneLabel[] = [];
  for (const { element } of answer.items) colours.set(element.global_id, COLOURS.equipment);
  for (const { room } of answer.affected?.rooms ?? []) {
    colours.set(room.global_id, COLOURS.room);
    labels.push({ id: room.id, globalId: room.global_id, text: room.name ?? room.global_id, kind: "room" });
  }
  for (const element of answer.affected?.isolation.elements ?? []) {
    colours.set(element.global_id, COLOURS.shut);
    labels.push({ id: `shut:${element.id}`, globalId: element.global_id, text: element.name ?? element.global_id, kind: "shut" });
  }
  colours.set(start.globalId, COLOURS.start);
  labels.push({ id: "start", globalId: start.globalId, text: start.name, kind: "start" });
  const self: Brief = { id: startId(answer), global_id: start.globalId, name: start.name, ifc_class: "", storey_id: null, space_id: null };
  const flow = flowLines(self, answer.items, (id) => scene.boxOf(id), mode === "upstream");
  return { colours, only: [...colours.keys()], flow, route: null, labels };
}

/** The server names what came before by its id; those directly joined name the start. */
function startId(answer: FlowAnswer): string {
  if (answer.affected) return answer.affected.element.id;
  return answer.items.find((one) => one.distance === 1)?.via[0] ?? "";
}
