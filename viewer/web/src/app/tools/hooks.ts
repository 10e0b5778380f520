/** The tools at work in the 3D view: clicks become points, points become lines, a section cuts. */
import { useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import {
  FACES, distanceOf, edgesOf, grown, middleOf, moved, outward, planesOf, sheetOf, type Box, type Drawing, type Handle, type Scene3D, type Section, type SnapHit, type Vec3,
} from "../../engine";
import type { ElementRow, Tree } from "../../api/types";
import { useBuilding } from "../context";
import { everything } from "../queries";
import { useColourings } from "../scene/effects";
import { useScene, useSceneScope, useSceneState } from "../scene/state";
import { useStore } from "../lib/store";
import { clicked, escaped, finished, formatReading, labelPlace, readingOf, roomy, type Measure, type Tools } from "./state";
import { decodeView } from "./view-link";

export function useTools(): [Tools, (change: Partial<Tools>) => void] {
  const { tools } = useSceneScope();
  const now = useStore(tools);
  return [now, (change) => tools.set((before) => ({ ...before, ...change }))];
}

/** All of it; once per view. */
export function useToolsInScene(tree: Tree, shown: boolean): void {
  useClicks(shown);
  useDrawings();
  useSection();
  useStacking();
  useWalk();
  useSharedView(tree, shown);
}

function useClicks(shown: boolean): void {
  const scene = useScene();
  const { tools } = useSceneScope();
  const { building } = useBuilding();
  useEffect(() => {
    if (!scene) return;
    const off = [
      scene.on("pick", ({ hit, x, y }) => {
        const { tool } = tools.get();
        if (!tool || !hit) return;
        if (tool.kind === "walk") {
          if (tool.started) return scene.walk.towards(hit.point);
          tools.set((now) => ({ ...now, tool: { kind: "walk", started: true }, apart: 0 }));
          // One walks through doors; the engine knows no classes.
          return void doorsOf(building.id).then((doors) => {
            if (tools.get().tool?.kind === "walk") scene.walk.start(hit.point, doors);
          });
        }
        const found = scene.snap(x, y);
        if (!found) return;
        if (tool.kind === "plane") tools.set((now) => ({ ...now, tool: null, section: planeThrough(found) ?? now.section }));
        else if (tool.what === "clear") tools.set((now) => clearFrom(scene, now, found));
        else tools.set((now) => clicked(now, found.point));
      }),
      scene.on("open", () => tools.set((now) => (now.tool?.kind === "measure" && now.tool.what === "area" ? finished(now) : now))),
      scene.on("walkEnd", () => tools.set((now) => (now.tool?.kind === "walk" ? { ...now, tool: null } : now))),
    ];
    return () => off.forEach((end) => end());
  }, [scene, tools, building.id]);
  useEffect(() => {
    if (!shown) return;
    const onKey = (event: KeyboardEvent): void => {
      const before = tools.get();
      const after = event.key === "Escape" ? escaped(before) : event.key === "Enter" && before.points.length > 0 ? finished(before) : null;
      if (!after || document.querySelector(".ant-modal-wrap:not([style*='none']), .ant-popover:not(.ant-popover-hidden)")) return;
      event.preventDefault();
      tools.set(after);
    };
    window.addEventListener("keydown", onKey, { capture: true });
    return () => window.removeEventListener("keydown", onKey, { capture: true });
  }, [shown, tools]);
}

async function doorsOf(building: string): Promise<string[]> {
  const doors = await everything<ElementRow>("/elements", { building, ifc_class: "IfcDoor" }).catch(() => []);
  return doors.map((one) => one.global_id);
}

function planeThrough({ point, normal }: SnapHit): Section | null {
  return normal && { kind: "plane", location: point, direction: normal };
}

/** From a face straight on to what is across. */
function clearFrom(scene: Scene3D, tools: Tools, { point, normal }: SnapHit): Tools {
  const across = normal && scene.clearance(point, normal);
  return across ? clicked(clicked(tools, point), across.point) : tools;
}

const PREVIEW = "preview";

/** What was measured, what is being measured, and where the pointer would snap to. */
function useDrawings(): void {
  const scene = useScene();
  const [{ tool, points, measures, section }] = useTools();
  const { i18n } = useTranslation();
  const pointer = useRef<SnapHit | null>(null);
  const fixed = useMemo(() => [...measures.map((one) => drawingOf(one, i18n.language)), ...sectionLines(section)], [measures, section, i18n.language]);
  useEffect(() => {
    if (!scene) return;
    const measuring = tool?.kind === "measure" ? tool.what : null;
    const draw = (): void => scene.drawings.set([...fixed, ...(tool && tool.kind !== "walk" ? preview(measuring, points, pointer.current, i18n.language) : [])]);
    draw();
    if (!tool || tool.kind === "walk") return;
    let frame = 0;
    const onMove = (event: PointerEvent): void => {
      if (event.buttons > 0 || frame) return;
      const { clientX, clientY } = event;
      frame = requestAnimationFrame(() => {
        frame = 0;
        const box = scene.canvas.getBoundingClientRect();
        pointer.current = scene.snap(clientX - box.left, clientY - box.top);
        draw();
      });
    };
    const onLeave = (): void => {
      pointer.current = null;
      draw();
    };
    scene.canvas.addEventListener("pointermove", onMove);
    scene.canvas.addEventListener("pointerleave", onLeave);
    scene.canvas.classList.add("has-tool");
    return () => {
      cancelAnimationFrame(frame);
      pointer.current = null;
      scene.canvas.removeEventListener("pointermove", onMove);
      scene.canvas.removeEventListener("pointerleave", onLeave);
      scene.canvas.classList.remove("has-tool");
    };
  }, [scene, tool, points, fixed, i18n.language]);
}

function drawingOf(measure: Measure, language: string): Drawing {
  const reading = readingOf(measure);
  return {
    id: measure.id, points: measure.points, closed: measure.what === "area", dots: true, className: `measure is-${measure.what}`,
    ...(reading ? { label: { text: formatReading(reading, language), at: labelPlace(measure) } } : {}),
  };
}

function preview(what: Measure["what"] | null, points: readonly Vec3[], at: SnapHit | null, language: string): Drawing[] {
  const line = at && what && what !== "clear" ? [...points, at.point] : points;
  const reading = what && line.length > 1 ? readingOf({ what, points: line }) : null;
  const snap: Drawing[] = at ? [{ id: `${PREVIEW}-snap`, points: at.kind === "edge" && at.edge ? [...at.edge] : [at.point], dots: at.kind !== "edge", className: `snap is-${at.kind}` }] : [];
  if (line.length === 0) return snap;
  return [...snap, {
    id: PREVIEW, points: line, dots: true, className: "measure is-preview", closed: what === "area",
    ...(reading ? { label: { text: formatReading(reading, language), at: labelPlace({ what: what as Measure["what"], points: line }) } } : {}),
  }];
}

function sectionLines(section: Section | null): Drawing[] {
  if (!section) return [];
  if (section.kind === "box") return edgesOf(section.box).map((points, i) => ({ id: `section-${i}`, points, className: "section" }));
  return [{ id: "section-0", points: sheetOf(section.location, section.direction, 4), closed: true, className: "section" }];
}

/** Cuts, and lets the cut be dragged. */
function useSection(): void {
  const scene = useScene();
  const { tools } = useSceneScope();
  const [{ section }] = useTools();
  const { t } = useTranslation();
  const start = useRef<Section | null>(null);
  useEffect(() => {
    if (!scene || !section) return;
    scene.setClipPlanes(planesOf(section));
  }, [scene, section]);
  const cuts = section !== null;
  useEffect(() => {
    if (!scene || !cuts) return;
    return () => scene.setClipPlanes([]);
  }, [scene, cuts]);
  useEffect(() => {
    if (!scene) return;
    const drag = (change: (from: Section, metres: number) => Section): Handle["onDrag"] => (metres, phase) => {
      if (phase === "start") start.current = tools.get().section;
      const from = start.current;
      if (phase === "move" && from) tools.set((now) => ({ ...now, section: change(from, metres) }));
    };
    scene.drawings.setHandles(handlesOf(section, (name) => t(`tools.face.${name}`), drag));
    return () => scene.drawings.setHandles([]);
  }, [scene, section, t, tools]);
}

const FACE_NAMES = ["west", "east", "south", "north", "bottom", "top"] as const;

function handlesOf(section: Section | null, name: (face: (typeof FACE_NAMES)[number] | "plane") => string, drag: (change: (from: Section, metres: number) => Section) => Handle["onDrag"]): Handle[] {
  if (!section) return [];
  if (section.kind === "plane") {
    const axis = section.direction;
    return [{
      id: "plane", position: section.location, axis, label: name("plane"), value: 0,
      onDrag: drag((from, metres) => (from.kind === "plane" ? { ...from, location: from.location.map((c, i) => c + (axis[i] as number) * metres) as unknown as Vec3 } : from)),
    }];
  }
  return FACES.map((face, i) => ({
    id: `face-${i}`, position: middleOf(section.box, face), axis: outward(face), label: name(FACE_NAMES[i] as (typeof FACE_NAMES)[number]), value: section.box[face.side][face.axis],
    onDrag: drag((from, metres) => (from.kind === "box" ? { kind: "box", box: moved(from.box, face, metres) } : from)),
  }));
}

/** Pulled apart only while the whole building is looked at; a way or a system is drawn where things really are. */
function useStacking(): void {
  const scene = useScene();
  const { storey, picture, progress } = useSceneState();
  const [{ apart, orthographic }] = useTools();
  const gap = storey || picture ? 0 : apart;
  useEffect(() => {
    scene?.explode(gap);
  }, [scene, gap, progress]);
  useEffect(() => {
    scene?.setProjection(orthographic ? "orthographic" : "perspective");
  }, [scene, orthographic]);
}

function useWalk(): void {
  const scene = useScene();
  const [{ tool }] = useTools();
  const walking = tool?.kind === "walk";
  useEffect(() => {
    if (!scene || !walking) return;
    return () => scene.walk.stop();
  }, [scene, walking]);
}

/** A box to cut with: around the selected thing, the open storey, or everything. */
export function sectionBox(scene: Scene3D, selected: string | null, storey: string | null): Box | null {
  const own = selected ? scene.boxOf(selected) : null;
  if (own) return roomy(grown(own, 0.4));
  const level = storey ? scene.boxOfStorey(storey) : null;
  const all = scene.bounds();
  if (level) return grown(level, 0.2);
  return all && distanceOf([all.min, all.max]) > 0 ? grown(all, 0.2) : null;
}

/** `?view=…` in the address: the view that somebody shared. */
function useSharedView(tree: Tree, shown: boolean): void {
  const scene = useScene();
  const { store, tools } = useSceneScope();
  const [params, setParams] = useSearchParams();
  const known = useColourings(tree);
  const text = params.get("view");
  const done = useRef("");
  const colouring = useRef<string | null>(null);
  useEffect(() => {
    if (!shown || !scene || !text || done.current === text) return;
    done.current = text;
    const shared = decodeView(text);
    if (!shared) return;
    colouring.current = shared.colouring;
    store.set((state) => ({ ...state, storey: shared.storey, storeyMode: shared.storeyMode, selected: shared.selected, hiddenLayers: shared.hiddenLayers, focusAlarm: null, isolated: null }));
    tools.set((now) => ({ ...now, section: shared.section, apart: shared.apart, orthographic: shared.view.projection === "orthographic" }));
    void scene.ready.then(() => scene.flyTo(shared.view, { duration: 0 }));
    setParams((before) => {
      before.delete("view");
      return before;
    }, { replace: true });
  }, [shown, scene, text, store, tools, setParams]);
  useEffect(() => {
    const chosen = colouring.current && known.find((one) => one.key === colouring.current);
    if (!chosen) return;
    colouring.current = null;
    store.set((state) => ({ ...state, colouring: chosen, limits: null }));
  }, [known, text, store]);
}
