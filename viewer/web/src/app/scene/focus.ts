/** `?alarm=`, `?order=`, `?element=`, `?plan=` in the address: the camera goes there, the storey is shown alone. */
import { useEffect, useRef } from "react";
import { useSearchParams } from "react-router";
import { get } from "../../api/client";
import type { AlarmDetail, ElementRow, Place, Plan, WorkOrderDetail } from "../../api/types";
import type { Scene3D } from "../../engine";
import { everything } from "../queries";
import { useBuilding } from "../context";
import { useScene, useSceneScope, type SceneState } from "./state";
import type { Store } from "../lib/store";

export function useFocus(shown: boolean): void {
  const scene = useScene();
  const { store } = useSceneScope();
  const { building } = useBuilding();
  const [params] = useSearchParams();
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
        store.set((state) => ({ ...state, selected: id }));
        await scene.flyTo(id);
      } else await showPlan(scene, store, building.id, id);
    }).catch(() => undefined);
  }, [shown, scene, store, kind, id, building.id]);
}

function goTo(scene: Scene3D, store: Store<SceneState>, place: Place, alarm: string | null): void {
  store.set((state) => ({
    ...state, selected: place.global_id, focusAlarm: alarm, storey: place.storey_id, storeyMode: "ghost", isolated: null,
  }));
  if (place.viewpoint) void scene.flyTo({ eye: place.viewpoint.eye, target: place.viewpoint.target });
  else if (place.global_id) void scene.flyTo(place.global_id);
}

/** What a plan, or every plan that is due ("due"), has to be done on. */
async function showPlan(scene: Scene3D, store: Store<SceneState>, building: string, id: string): Promise<void> {
  const plans = (await everything<Plan>("/plans", { building })).filter((plan) => plan.id === id);
  const ids = new Set<string>();
  for (const plan of plans) {
    for (const element of await planElements(building, plan)) if (scene.has(element.global_id)) ids.add(element.global_id);
  }
  const all = [...ids];
  store.set((state) => ({ ...state, storey: null, isolated: { ids: all, title: plans[0]?.name ?? "" } }));
  if (all.length > 0) void scene.flyTo(all);
}

export async function planElements(building: string, plan: Plan): Promise<ElementRow[]> {
  if (plan.target_kind === "element" && plan.element_id) return [await get<ElementRow>(`/elements/${plan.element_id}`)];
  if (plan.target_kind === "system" && plan.group_id) return everything<ElementRow>("/elements", { building, system: plan.group_id });
  if (plan.target_kind === "class" && plan.ifc_class) return everything<ElementRow>("/elements", { building, ifc_class: plan.ifc_class });
  return [];
}
