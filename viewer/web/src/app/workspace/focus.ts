/** `?saved=…` in the address: a saved viewpoint, rules or search that somebody shared. */
import { useEffect, useRef } from "react";
import { useSearchParams } from "react-router";
import { get } from "../../api/client";
import type { Tree } from "../../api/types";
import { useColourings } from "../scene/effects";
import { useScene } from "../scene/state";
import { useActions } from "./actions";
import type { Saved } from "./queries";

export function useSavedFocus(tree: Tree, shown: boolean): void {
  const scene = useScene();
  const [params, setParams] = useSearchParams();
  const known = useColourings(tree);
  const act = useActions();
  const id = params.get("saved");
  const done = useRef("");
  const latest = useRef({ act, known });
  useEffect(() => {
    latest.current = { act, known };
  });
  useEffect(() => {
    if (!shown || !scene || !id || done.current === id) return;
    done.current = id;
    void scene.ready.then(async () => {
      const saved = await get<Saved>(`/saved/${encodeURIComponent(id)}`);
      await latest.current.act.open(saved, latest.current.known);
    }).catch(() => undefined).finally(() => {
      done.current = "";
      setParams((before) => {
        before.delete("saved");
        return before;
      }, { replace: true });
    });
  }, [shown, scene, id, setParams]);
}
