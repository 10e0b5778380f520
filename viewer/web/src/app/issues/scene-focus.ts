/** `?topic=…&viewpoint=…` and `?check=…&specification=…` in the address: the 3D view shows that issue or check. */
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { get } from "../../api/client";
import type { components } from "../../api/schema.gen";
import { useBuilding } from "../context";
import { everything } from "../queries";
import { useScene, useSceneScope, useSceneState } from "../scene/state";
import type { IssueDetail } from "./queries";
import { cameraOf, FAIL, PASS, planesOf, shownBy, type Painted } from "./view";

type Check = components["schemas"]["CheckDetail"];
type Outcome = components["schemas"]["ElementOutcome"];

/** Paints what `painted` names and cuts along its sections; values of points go before its colours. */
export function usePainted(): void {
  const scene = useScene();
  const { painted, colouring, limits, progress } = useSceneState();
  const was = useRef(false);
  useEffect(() => {
    if (!scene || colouring) return;
    if (painted) scene.setColors(painted.colours);
    else if (was.current) scene.setColors(null);
    was.current = painted !== null;
  }, [scene, painted, colouring, limits, progress]);
  usePaintedPlanes();
  usePaintedSpaces();
}

/** Rooms as the viewpoint wants them; as they were when it ends. */
function usePaintedSpaces(): void {
  const { store } = useSceneScope();
  const spaces = useSceneState().painted?.spaces;
  useEffect(() => {
    if (spaces === undefined) return;
    const before = store.get().hiddenLayers;
    const rest = before.filter((layer) => layer !== "spaces");
    store.set((state) => ({ ...state, hiddenLayers: spaces ? rest : [...rest, "spaces"] }));
    return () => store.set((state) => ({ ...state, hiddenLayers: before }));
  }, [spaces, store]);
}

/** Sections of what is painted; they end with it. */
function usePaintedPlanes(): void {
  const scene = useScene();
  const planes = useSceneState().painted?.planes;
  useEffect(() => {
    if (!scene || !planes?.length) return;
    scene.setClipPlanes(planes);
    return () => scene.setClipPlanes([]);
  }, [scene, planes]);
}

export function useIssueFocus(shown: boolean): void {
  const scene = useScene();
  const { store } = useSceneScope();
  const { building } = useBuilding();
  const [params] = useSearchParams();
  const { t } = useTranslation();
  const done = useRef("");
  const topic = params.get("topic");
  const check = params.get("check");
  const viewpoint = params.get("viewpoint");
  const specification = params.get("specification");
  const key = `${topic}:${viewpoint}:${check}:${specification}`;
  useEffect(() => {
    if (!shown) {
      done.current = "";
      return;
    }
    if (!scene || (!topic && !check) || done.current === key) return;
    done.current = key;
    const paint = (painted: Painted | null, change: { selected?: string | null; only?: string[] | null; title?: string }): void =>
      store.set((state) => ({
        ...state, painted, storey: null, focusAlarm: null, colouring: null, selected: change.selected ?? null,
        isolated: change.only ? { ids: change.only, title: change.title ?? "" } : null,
      }));
    void scene.ready.then(async () => {
      if (topic) {
        const issue = await get<IssueDetail>(`/topics/${topic}`);
        const chosen = issue.all_viewpoints.find((one) => one.id === viewpoint || one.guid === viewpoint) ?? issue.all_viewpoints[0];
        const to = `/b/${building.id}/issues?issue=${topic}`;
        if (!chosen) return paint({ colours: new Map(), title: issue.title, to }, {});
        const { colours, only, hidden, selected } = shownBy(chosen);
        const spaces = chosen.view.visibility?.spaces ?? null;
        scene.showAll();
        paint({ colours, title: issue.title, to, planes: planesOf(chosen), ...(spaces === null ? {} : { spaces }) }, { selected, only, title: issue.title });
        if (hidden.length > 0) scene.hide(hidden);
        const camera = cameraOf(chosen);
        const seen = [...colours.keys(), ...(selected ? [selected] : [])].filter((one) => scene.has(one));
        if (camera) await scene.flyTo(camera);
        else if (seen.length > 0) await scene.flyTo(seen);
        return;
      }
      const detail = await get<Check>(`/checks/${check}`);
      const n = Number(specification);
      const found = detail.specifications.find((one) => one.n === n);
      const [failed, passed] = await Promise.all([true, false].map((failing) =>
        everything<Outcome>(`/checks/${check}/elements`, { specification: n, failed: failing }, undefined, 50_000)));
      const colours = new Map([
        ...named(passed ?? []).map((one) => [one, PASS] as const), ...named(failed ?? []).map((one) => [one, FAIL] as const),
      ]);
      const title = t("checks.painted", { name: found?.name ?? "", passed: found?.passed ?? 0, failed: found?.failed ?? 0 });
      paint({ colours, title, to: `/b/${building.id}/checks?check=${check}` }, { only: [...colours.keys()], title: found?.name ?? "" });
      const seen = named(failed ?? []).filter((one) => scene.has(one));
      if (seen.length > 0) await scene.flyTo(seen);
      else await scene.fit();
    }).catch(() => undefined);
  }, [shown, scene, store, topic, viewpoint, check, specification, key, building.id, t]);
}

const named = (outcomes: readonly Outcome[]): string[] => outcomes.map((one) => one.global_id).filter((one): one is string => one !== null);
