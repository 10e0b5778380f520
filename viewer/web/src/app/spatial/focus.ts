/**
 * `?route=TO&from=…&step_free=1&lifts=0&closed=…`, `?round=ORDER&round=ORDER&from=…&back=1` and `?affected=…`, `?upstream=…`, `?downstream=…` in the address: links
 * from alarms and orders, and what one sends to a colleague. Ids are GlobalIds or server ids.
 */
import { useEffect, useRef } from "react";
import { useSearchParams } from "react-router";
import { get } from "../../api/client";
import type { ElementDetail } from "../../api/types";
import { useBuilding } from "../context";
import { useScene, useSceneScope, useSceneState } from "../scene/state";
import { elementLabel, spaceLabel } from "../scene/tree-rows";
import { lastPlace } from "./here";
import type { FlowMode, Spatial, Stop } from "./state";

const MODES: readonly FlowMode[] = ["upstream", "downstream", "affected"];

export function useSpatialFocus(shown: boolean): void {
  const scene = useScene();
  const { store } = useSceneScope();
  const { building } = useBuilding();
  const [params, setParams] = useSearchParams();
  const { spatial } = useSceneState();
  const done = useRef("");
  const key = keyOf(params);
  useEffect(() => {
    if (!shown) {
      done.current = "";
      return;
    }
    if (!scene || done.current === key || key.replaceAll("|", "") === "") return;
    done.current = key;
    const named = async (id: string): Promise<{ globalId: string; name: string }> => {
      const element = await get<ElementDetail>(`/elements/${encodeURIComponent(id)}`, { building: building.id });
      return { globalId: element.global_id, name: element.ifc_class === "IfcSpace" ? spaceLabel(element) : elementLabel(element) };
    };
    const stop = (id: string): Promise<Stop> => (id === "outside" ? Promise.resolve("outside") : named(id));
    const begin = async (): Promise<void> => {
      const [route, from, orders] = [params.get("route"), params.get("from"), params.getAll("round")];
      const mode = MODES.find((one) => params.get(one));
      const rest = { picture: null, painted: null, colouring: null, limits: null, isolated: null };
      if (route || orders.length > 0) {
        const start = from ? await stop(from) : (lastPlace.get()[building.id] ?? null);
        const options = { stepFree: params.get("step_free") === "1", lifts: params.get("lifts") !== "0", closed: await Promise.all(params.getAll("closed").map(named)) };
        const question: Spatial = route ? { kind: "route", to: await stop(route), from: start, ...options }
          : { kind: "round", from: start, orders, back: params.get("back") === "1", ...options };
        store.set((state) => ({ ...state, ...rest, spatial: question }));
      } else if (mode) {
        const one = await named(params.get(mode) ?? "");
        store.set((state) => ({ ...state, ...rest, selected: one.globalId, spatial: { kind: "flow", mode, ...one } }));
      }
    };
    void begin().catch(() => undefined);
  }, [shown, scene, store, key, params, building.id]);

  // The address says what is asked, so that it can be sent on; and no longer when nothing is.
  const asked = useRef(false);
  useEffect(() => {
    if (!shown || (!spatial && !asked.current)) return;
    asked.current = spatial !== null;
    const next = spatial ? addressOf(spatial) : new URLSearchParams();
    if (!next || next.toString() === new URLSearchParams(window.location.search).toString()) return;
    done.current = keyOf(next);
    setParams(next, { replace: true });
  }, [shown, spatial, setParams]);
}

const NAMES = ["route", "round", "back", "from", "step_free", "lifts", "closed", ...MODES];
const keyOf = (params: URLSearchParams): string => NAMES.map((name) => params.getAll(name).join()).join("|");

/** Null while the question is not complete. */
function addressOf(question: Spatial): URLSearchParams | null {
  const next = new URLSearchParams();
  if (question.kind === "system") return next;
  if (question.kind === "flow") {
    next.set(question.mode, question.globalId);
    return next;
  }
  const { from, stepFree, lifts, closed } = question;
  if (question.kind === "round") {
    for (const id of question.orders) next.append("round", id);
    if (question.back) next.set("back", "1");
  } else if (!question.to || !from) return null;
  else next.set("route", question.to === "outside" ? question.to : question.to.globalId);
  if (from) next.set("from", from === "outside" ? from : from.globalId);
  if (stepFree) next.set("step_free", "1");
  if (!lifts) next.set("lifts", "0");
  for (const one of closed) next.append("closed", one.globalId);
  return next;
}
