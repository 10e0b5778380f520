/** What the live values and the alarms do to the model: colours, pulses, labels. */
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { GlobalId, Marker, Rgb, Severity } from "../../engine";
import type { Alarm, Point, Tree } from "../../api/types";
import { useBuilding } from "../context";
import type { LiveClient } from "../live";
import { formatNumber, unitText } from "../lib/format";
import { labelsShown } from "../lib/prefs";
import { useStore } from "../lib/store";
import { asNumber, useValuesVersion } from "../lib/values";
import { itemsOf, useAlarms, usePoints } from "../queries";
import { classColour, colourings, colourOf, OFF, onColour, quantityName, scaleOf, startLimits, targetValues, type Colouring } from "./colour";
import { lookAt } from "./look";
import { useSceneScope, useSceneState, useScene } from "./state";
import { spaceLabel } from "./tree-rows";
import { usePastAlarms, type SceneAlarm } from "../timeline/hooks";
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

export function useColouring(tree: Tree): void {
  const { live } = useBuilding();
  const { store } = useSceneScope();
  const scene = useScene();
  const { colouring, limits, classes, storey, isolated, picture } = useSceneState();
  const version = useValuesVersion(colouring !== null);
  const known = useColourings(tree);
  useEffect(() => {
    // Points that came or went since the choice was made.
    const fresh = colouring && known.find((one) => one.key === colouring.key);
    if (fresh && fresh !== colouring) store.set((state) => ({ ...state, colouring: fresh }));
  }, [known, colouring, store]);
  useEffect(() => {
    if (!scene) return;
    if (!colouring) {
      scene.setColors(null);
      return;
    }
    const values = currentValues(colouring, live);
    if (!limits) {
      if (values.size > 0) store.set((state) => ({ ...state, limits: startLimits(colouring, [...values.values()]) }));
      return;
    }
    const scale = scaleOf(colouring);
    // Those that have a point and no value are hatched: no value is not the same as nothing to measure.
    const colours = new Map<GlobalId, Rgb | null>(colouring.points.map((one) => [one.globalId, null]));
    for (const [globalId, value] of values) {
      colours.set(globalId, colouring.kind === "bool" ? (value > 0.5 ? onColour(colouring) : OFF) : (classes ? classColour : colourOf)(value, limits[0], limits[1], scale));
    }
    scene.setColors(colours);
  }, [scene, colouring, limits, classes, version, live, store]);
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
    if (!scene) return;
    const worst = new Map<GlobalId, Severity>();
    for (const alarm of alarms) {
      const globalId = alarm.global_id;
      if (!globalId || !alarm.active) continue;
      const known = worst.get(globalId);
      if (!known || ORDER[alarm.severity] > ORDER[known]) worst.set(globalId, alarm.severity);
    }
    scene.setAlarms(worst);
  }, [scene, alarms]);
}

export function useMarkers(tree: Tree): void {
  const { i18n } = useTranslation();
  const scene = useScene();
  const { store } = useSceneScope();
  const { live } = useBuilding();
  const { storey, colouring, progress, picture } = useSceneState();
  const shown = useStore(labelsShown);
  const alarms = useShownAlarms();
  const version = useValuesVersion(shown && colouring !== null);
  useEffect(() => {
    if (!scene) return;
    const markers: Marker[] = alarms.filter((one) => one.active).slice(0, 200).flatMap((alarm) => alarmMarker(alarm, (globalId) => {
      store.set((state) => ({ ...state, selected: globalId, focusAlarm: alarm.id, storey: alarm.storey_id, storeyMode: "cut" }));
      void lookAt(scene, globalId);
    }));
    if (picture) markers.push(...pictureMarkers(picture.labels, (globalId) => store.set((state) => ({ ...state, selected: globalId }))));
    else if (shown) {
      const values = colouring ? currentValues(colouring, live) : new Map<string, number>();
      const rooms = tree.storeys.filter((one) => storey === null || one.id === storey).flatMap((one) => one.spaces);
      for (const room of rooms) {
        const value = values.get(room.global_id);
        if (storey === null && value === undefined) continue;
        const number = value === undefined || colouring?.kind === "bool" ? "" : `${formatNumber(value, i18n.language)} ${unitText(colouring?.unit)}`;
        markers.push({
          id: `room:${room.global_id}`, globalId: room.global_id, element: roomLabel(room.global_id, room.name ?? spaceLabel(room), number),
          priority: value === undefined ? 0 : 1,
          onClick: () => store.set((state) => ({ ...state, selected: room.global_id })),
        });
      }
    }
    scene.setMarkers(markers.slice(0, 500));
  }, [scene, alarms, shown, storey, colouring, tree, version, live, store, i18n.language, progress, picture]);
}

function alarmMarker(alarm: SceneAlarm, show: (globalId: string) => void): Marker[] {
  const globalId = alarm.global_id;
  if (!globalId) return [];
  return [{
    id: `alarm:${alarm.id}`, globalId, priority: 10 + ORDER[alarm.severity], pinned: alarm.severity === "critical",
    element: alarmNode(alarm), onClick: () => show(globalId),
  }];
}

const nodes = new Map<string, HTMLElement>();

/** A node per label, kept: the engine moves it, only its text changes. */
function node(id: string, className: string): HTMLElement {
  let element = nodes.get(id);
  if (!element) nodes.set(id, (element = document.createElement("div")));
  element.className = className;
  return element;
}

function roomLabel(globalId: string, name: string, value: string): HTMLElement {
  const element = node(`room:${globalId}`, "marker marker-room");
  const text = value ? `${name}\n${value}` : name;
  if (element.dataset["text"] !== text) {
    element.dataset["text"] = text;
    element.replaceChildren(part("span", name), ...(value ? [part("b", value)] : []));
  }
  return element;
}

function alarmNode(alarm: SceneAlarm): HTMLElement {
  const element = node(`alarm:${alarm.id}`, `marker marker-alarm sev-${alarm.severity}${alarm.acked ? "" : " is-new"}`);
  if (!element.firstChild) element.append(part("b", "!"));
  return element;
}

function part(tag: "b" | "span", text: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
