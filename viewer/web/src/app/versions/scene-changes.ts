/** `?changes=MODEL&from=1&to=2` in the address: the 3D view shows what differs between two versions. */
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { url } from "../../api/client";
import { useBuilding } from "../context";
import { everything } from "../queries";
import { useScene, useSceneScope, useSceneState } from "../scene/state";
import type { DiffItem } from "./queries";
import { COLOURS, GONE, pictureOf } from "./view";

export function useChangesFocus(shown: boolean): void {
  const scene = useScene();
  const { store } = useSceneScope();
  const { painted } = useSceneState();
  const { building } = useBuilding();
  const [params] = useSearchParams();
  const { t } = useTranslation();
  const done = useRef("");
  const mine = useRef<string | null>(null);
  const [model, from, to, element] = ["changes", "from", "to", "focus"].map((name) => params.get(name));
  const key = `${model}:${from}:${to}:${element}`;
  useEffect(() => {
    // Whatever is shown next, what went is gone again.
    if (mine.current !== null && painted?.to !== mine.current) {
      mine.current = null;
      scene?.dropOverlay();
    }
  }, [scene, painted]);
  useEffect(() => {
    if (!shown) {
      done.current = "";
      return;
    }
    if (!scene || !model || !from || !to || done.current === key) return;
    done.current = key;
    void scene.ready.then(async () => {
      const items = await everything<DiffItem>(`/models/${model}/diff`, { from, to, detail: false }, undefined, 100_000);
      const picture = pictureOf(items);
      const page = `/b/${building.id}/models/${model}/changes?from=${from}&to=${to}`;
      scene.showAll();
      if (picture.removed.size > 0)
        await scene.overlay(url(`/models/${model}/versions/${from}/tileset.json`), { only: picture.removed, mark: GONE, storeys: picture.storeys });
      mine.current = page;
      const title = t("versions.painted", { from, to });
      store.set((state) => ({
        ...state, storey: null, focusAlarm: null, colouring: null, selected: element ?? null,
        painted: {
          colours: picture.colours, title, to: page,
          legend: [[COLOURS.added, t("versions.kind.added")], [COLOURS.removed, t("versions.kind.removed")], [COLOURS.changed, t("versions.kind.changed")]],
        },
        isolated: picture.colours.size > 0 ? { ids: [...picture.colours.keys()], title } : null,
      }));
      const wanted = element ? [element, element + GONE] : [...picture.colours.keys()];
      const seen = wanted.filter((one) => scene.has(one));
      await (seen.length > 0 ? scene.flyTo(seen) : scene.fit());
    }).catch(() => undefined);
  }, [shown, scene, store, model, from, to, element, key, building.id, t]);
}
