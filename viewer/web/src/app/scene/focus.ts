/** `?alarm=`, `?order=`, `?element=`, `?plan=` in the address: the camera goes there, the storey is shown alone. */
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { get } from "../../api/client";
import type { AlarmDetail, DueWork, ElementDetail, Place, Plan, WorkOrderDetail } from "../../api/types";
import type { Scene3D } from "../../engine";
import { useBuilding } from "../context";
import { lookAt, steppedBack } from "./look";
import { useScene, useSceneScope, type SceneState } from "./state";
import type { Store } from "../lib/store";

export function useFocus(shown: boolean): void {
  const scene = useScene();
  const { store } = useSceneScope();
  const { building } = useBuilding();
  const [params] = useSearchParams();
  const { t } = useTranslation();
  const dueTitle = t("plan.allDue");
  const done = useRef("");
  const wanted = ["alarm", "order", "element", "plan"].map((key) => [key, params.get(key)] as const).find(([, id]) => id);
  const [kind, id] = wanted ?? [null, null];
  useEffect(() => {
    const key = `${kind}:${id}`;
    if (!shown) {
      done.current = "";
      return;
    }
    if (!scene || !kind || !id || done.current === key) return;
    done.current = key;
    void scene.ready.then(async () => {
      if (kind === "alarm") {
        const alarm = await get<AlarmDetail>(`/alarms/${id}`);
        goTo(scene, store, alarm, alarm.id);
      } else if (kind === "order") {
        goTo(scene, store, await get<WorkOrderDetail>(`/work-orders/${id}`), null);
      } else if (kind === "element") {
        const element = await get<ElementDetail>(`/elements/${encodeURIComponent(id)}`, { building: building.id });
        store.set((state) => ({ ...state, selected: element.global_id, storey: element.location.storey_id, storeyMode: "cut" }));
        await lookAt(scene, element.global_id);
      } else await showPlan(scene, store, building.id, id, dueTitle);
    }).catch(() => undefined);
  }, [shown, scene, store, kind, id, building.id, dueTitle]);
}

function goTo(scene: Scene3D, store: Store<SceneState>, place: Place, alarm: string | null): void {
  store.set((state) => ({
    ...state, selected: place.global_id, focusAlarm: alarm, storey: place.storey_id, storeyMode: "cut", isolated: null,
  }));
  if (place.viewpoint) void scene.flyTo(steppedBack(place.viewpoint));
  else if (place.global_id) void lookAt(scene, place.global_id);
}

const WEEK = 7 * 86_400_000;
const YEAR = 366 * 86_400_000;

/** What a plan is about, or ("due") everything that falls due within a week. */
async function showPlan(scene: Scene3D, store: Store<SceneState>, building: string, id: string, dueTitle: string): Promise<void> {
  const to = new Date(Date.now() + (id === "due" ? WEEK : YEAR)).toISOString();
  const from = new Date(Date.now() - WEEK).toISOString();
  const due = (await get<{ items: DueWork[] }>("/plans/due", { building, from, to })).items.filter((one) => id === "due" || one.plan_id === id);
  const ids = [...new Set(due.flatMap((one) => one.elements.map((element) => element.global_id)))];
  const plan = id === "due" ? null : await get<Plan>(`/plans/${id}`);
  store.set((state) => ({ ...state, storey: null, isolated: { ids, title: plan?.name ?? dueTitle } }));
  const seen = ids.filter((one) => scene.has(one));
  if (seen.length > 0) void scene.flyTo(seen);
}
