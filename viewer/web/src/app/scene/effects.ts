/** What the live values and the alarms do to the model: colours, pulses, labels. */
import { useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { GlobalId, Marker, Rgb, Severity } from "../../engine";
import type { Alarm, Point, Tree } from "../../api/types";
import { useBuilding } from "../context";
import type { LiveClient } from "../live";
import { labelsShown } from "../lib/prefs";
import { useStore } from "../lib/store";
import { asNumber, useValuesVersion } from "../lib/values";
import { itemsOf, useAlarms, usePoints } from "../queries";
import { MOST, storeyMarkers, useLabels } from "../equipment/markers";
import { colourings, coloursOf, differenceColours, differenceLimit, differences, Painter, quantityName, startLimits, targetValues, type Colouring } from "./colour";
import { lookAt } from "./look";
import { useScene, useSceneScope, useSceneState, useShowStorey } from "./state";
import { worstAlarms } from "../timeline/frames";
import { useEarlier, usePastAlarms, useTimeline, type SceneAlarm } from "../timeline/hooks";
import { pictureMarkers } from "../spatial/labels";

/** Room quantities colour the room even where the sensor is an element of its own. */
const OF_ROOM = new Set(["temperature", "co2", "co", "humidity", "pm", "occupancy", "illuminance", "smoke", "leak"]);
const OF_EQUIPMENT = /Water_(?!Alarm|Leak)|Supply|Return|Discharge|Tank|Chilled|Outside/i;

export function useColourings(tree: Tree): Colouring[] {
  const { building } = useBuilding();
  const points = usePoints(building.id);
  return useMemo(() => {
    const spaces = new Map(tree.storeys.flatMap((storey) => storey.spaces.map((space) => [space.id, space.global_id] as const)));
    return colourings(points.data ?? [], (point) => targetOf(point, spaces));
  }, [points.data, tree]);
}

function targetOf(point: Point, spaces: ReadonlyMap<string, string>): { globalId: string; room: boolean } | null {
  if (!point.element) return null;
  if (point.element.ifc_class === "IfcSpace") return { globalId: point.element.global_id, room: true };
  const room = point.space_id ? spaces.get(point.space_id) : undefined;
  const sensor = /Sensor|FlowInstrument|UnitaryControl|Alarm/.test(point.element.ifc_class);
  const ofRoom = OF_ROOM.has(quantityName(point) ?? "") && !OF_EQUIPMENT.test(point.brick_class ?? "");
  if (room && sensor && ofRoom) return { globalId: room, room: true };
  return { globalId: point.element.global_id, room: false };
}

const NOTHING: ReadonlyMap<GlobalId, Rgb | null> = new Map();

export function useColouring(tree: Tree): void {
  const { live } = useBuilding();
  const { store } = useSceneScope();
  const scene = useScene();
  const { colouring, limits, classes, storey, isolated, picture, painted } = useSceneState();
  const known = useColourings(tree);
  const earlier = useEarlier();
  const [{ compared, share }] = useTimeline();
  const before = useMemo(() => (colouring && earlier ? targetValues(colouring, earlier.valueOf) : null), [colouring, earlier]);
  const changes = before !== null && compared === "difference" && colouring?.kind === "number";
  const painting = colouring !== null && limits !== null && !changes;
  const version = useValuesVersion(colouring !== null && !painting);
  useEffect(() => {
    // Points that came or went since the choice was made.
    const fresh = colouring && known.find((one) => one.key === colouring.key);
    if (fresh && fresh !== colouring) store.set((state) => ({ ...state, colouring: fresh }));
  }, [known, colouring, store]);
  useEffect(() => {
    if (!colouring) scene?.setColors(null);
  }, [scene, colouring, painted]);
  useEffect(() => {
    // Values go to the picture past React: a tick may change every element.
    if (!scene || !colouring || !limits || !painting) return undefined;
    const number = (handle: number): number | null => asNumber(live.values.get(handle));
    const painter = new Painter(colouring, { limits, classes });
    scene.setColors(painter.changed(number));
    return live.onAnyValue((changed) => scene.addColors(painter.changed(number, changed)));
    // `painted`: something else has coloured the model meanwhile.
  }, [scene, colouring, limits, classes, live, painting, painted]);
  useEffect(() => {
    if (!scene || !colouring || painting) return;
    const values = currentValues(colouring, live);
    if (limits && before) {
      const found = differences(before, values);
      scene.setColors(differenceColours(colouring, found, differenceLimit(found.values())));
    } else if (values.size > 0) store.set((state) => ({ ...state, limits: startLimits(colouring, [...values.values()]) }));
  }, [scene, colouring, limits, version, live, store, before, painting, painted]);
  const then = useMemo(() => (colouring && before && limits ? coloursOf(colouring, before, { limits, classes }) : NOTHING), [colouring, before, limits, classes]);
  useEffect(() => {
    scene?.compare(earlier && compared === "split" ? { colors: then, alarms: earlier.alarms, share } : null);
  }, [scene, earlier, then, compared, share]);
  // From outside, walls hide the rooms: while a whole building is coloured, the rest of it is a ghost.
  const targets = colouring && !storey && !isolated ? colouring : null;
  const ids = useMemo(() => (targets ? [...new Set(targets.points.map((one) => one.globalId))] : null), [targets]);
  // An answer of the spatial graph stands alone until a storey is opened.
  const answer = picture && !storey ? picture.only : null;
  useEffect(() => {
    scene?.isolate(isolated?.ids ?? answer ?? ids, "ghost");
  }, [scene, ids, isolated, answer]);
}

/** What each target shows now; a value that its source calls bad is none. */
export function currentValues(colouring: Colouring, live: LiveClient): Map<string, number> {
  return targetValues(colouring, (handle) => asNumber(live.values.get(handle)));
}

/** Open alarms of the building: at most a few hundred are drawn. */
export function useOpenAlarms(): Alarm[] {
  const { building } = useBuilding();
  const alarms = useAlarms({ building: building.id, state: "open", limit: 500 });
  return useMemo(() => itemsOf(alarms.data), [alarms.data]);
}

/** They, or those of the past moment that is shown. */
function useShownAlarms(): readonly SceneAlarm[] {
  const now = useOpenAlarms();
  return usePastAlarms() ?? now;
}

const ORDER: Record<Severity, number> = { low: 0, medium: 1, high: 2, critical: 3 };

export function useAlarmsInScene(): void {
  const scene = useScene();
  const alarms = useShownAlarms();
  useEffect(() => {
    scene?.setAlarms(worstAlarms(alarms.filter((one) => one.active).map(({ global_id, severity }) => ({ globalId: global_id, severity }))));
  }, [scene, alarms]);
}

export function useMarkers(tree: Tree): void {
  const { t } = useTranslation();
  const scene = useScene();
  const { store } = useSceneScope();
  const { storey, progress, picture } = useSceneState();
  const shown = useStore(labelsShown);
  const alarms = useShownAlarms();
  const latest = useShowStorey(tree);
  const showStorey = useRef(latest);
  useEffect(() => {
    showStorey.current = latest;
  });
  const labels = useLabels(tree);
  useEffect(() => {
    if (!scene) return;
    const said = (name: string, count: number): string => t("timeline.ofStorey", { storey: name, count });
    const select = (globalId: string): void => store.set((state) => ({ ...state, selected: globalId }));
    const markers: Marker[] = alarms.filter((one) => one.active).slice(0, 200).flatMap((alarm) => alarmMarker(alarm, (globalId) => {
      store.set((state) => ({ ...state, selected: globalId, focusAlarm: alarm.id, storey: alarm.storey_id, storeyMode: "cut" }));
      void lookAt(scene, globalId);
    }));
    if (storey === null && !picture) markers.push(...storeyMarkers(tree, alarms, scene, said, (id) => showStorey.current(id)));
    if (picture) markers.push(...pictureMarkers(picture.labels, select));
    else if (shown) markers.push(...labels);
    scene.setMarkers(markers.slice(0, MOST));
  }, [scene, alarms, shown, storey, tree, store, t, progress, picture, labels]);
}

function alarmMarker(alarm: SceneAlarm, show: (globalId: string) => void): Marker[] {
  const globalId = alarm.global_id;
  if (!globalId) return [];
  return [{
    id: `alarm:${alarm.id}`, globalId, priority: 10 + ORDER[alarm.severity], pinned: alarm.severity === "critical",
    element: alarmNode(alarm), onClick: () => show(globalId),
  }];
}

const alarmNodes = new Map<string, HTMLElement>();

function alarmNode(alarm: SceneAlarm): HTMLElement {
  let element = alarmNodes.get(alarm.id);
  if (!element) alarmNodes.set(alarm.id, (element = document.createElement("div")));
  element.className = `marker marker-alarm sev-${alarm.severity}${alarm.acked ? "" : " is-new"}`;
  if (!element.firstChild) element.append(Object.assign(document.createElement("b"), { textContent: "!" }));
  return element;
}
