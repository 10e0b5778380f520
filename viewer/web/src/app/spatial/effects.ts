/** The engine follows the picture: colours, flow, route. Values of points and painted issues go before it. */
import { useEffect, useRef } from "react";
import { useScene, useSceneScope, useSceneState } from "../scene/state";

export function usePicture(): void {
  const scene = useScene();
  const { store } = useSceneScope();
  const { picture, painted, colouring, progress, spatial } = useSceneState();
  const was = useRef(false);
  useEffect(() => {
    // An issue or a legend that comes later takes the answer's place.
    if (spatial && (painted ?? colouring)) store.set((state) => ({ ...state, spatial: null, picture: null }));
  }, [spatial, painted, colouring, store]);
  useEffect(() => {
    if (!scene || colouring || painted) return;
    if (picture) scene.setColors(picture.colours);
    else if (was.current) scene.setColors(null);
    was.current = picture !== null;
  }, [scene, picture, painted, colouring]);
  const flow = picture?.flow ?? null;
  const route = picture?.route ?? null;
  useEffect(() => scene?.overlays.setFlow(flow), [scene, flow, progress]);
  useEffect(() => scene?.overlays.setRoute(route), [scene, route]);
}
