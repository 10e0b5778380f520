/** Labels over the picture: rooms with their values, devices with their state, what equipment measures, alarms of storeys. */
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Tree } from "../../api/types";
import type { Marker, Scene3D, Severity } from "../../engine";
import { useBuilding } from "../context";
import { formatNumber, unitText } from "../lib/format";
import { labelsShown } from "../lib/prefs";
import { useStore } from "../lib/store";
import { asNumber } from "../lib/values";
import type { LiveClient } from "../live";
import { usePoints } from "../queries";
import { targetValues, type Colouring } from "../scene/colour";
import { useSceneScope, useSceneState } from "../scene/state";
import { spaceLabel } from "../scene/tree-rows";
import { useEarlier, type Earlier, type SceneAlarm } from "../timeline/hooks";
import { devicesOf, stateOf } from "./devices";
import { deviceNode, roomNode, storeyNode, valueNode } from "./labels";
import "./equipment.css";

const READABLE = 250; // ms between two texts of a label: nobody reads faster
/** Labels at most: what is not chosen is made neither text nor node. */
export const MOST = 500;

/** Rises when values changed, a few times a second at most. */
export function useReadableVersion(live: LiveClient, enabled: boolean): number {
  const [version, setVersion] = useState(0);
  useEffect(() => {
    if (!enabled) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = -Infinity;
    const show = (): void => {
      timer = undefined;
      last = performance.now();
      setVersion((n) => n + 1);
    };
    const off = live.onAnyValue(() => {
      timer ??= setTimeout(show, Math.max(0, last + READABLE - performance.now()));
    });
    return () => {
      off();
      clearTimeout(timer);
    };
  }, [live, enabled]);
  return version;
}

/** The labels of what is shown; null texts are left out. */
export function useLabels(tree: Tree): Marker[] {
  const { t, i18n } = useTranslation();
  const { building, live } = useBuilding();
  const { store } = useSceneScope();
  const { storey, colouring } = useSceneState();
  const shown = useStore(labelsShown);
  const earlier = useEarlier();
  const points = usePoints(building.id).data;
  const devices = useMemo(() => devicesOf(points ?? []), [points]);
  const here = useMemo(() => (storey === null ? [] : devices.filter((one) => one.storey === storey)), [devices, storey]);
  const places = useMemo(() => new Map((points ?? []).flatMap((one) => (one.element ? [[one.element.global_id, one.storey_id] as const] : []))), [points]);
  const said = useMemo(() => {
    if (!colouring || storey === null) return colouring && someOf(colouring, () => true);
    const rooms = new Set(tree.storeys.find(({ id }) => id === storey)?.spaces.map((room) => room.global_id));
    return someOf(colouring, (globalId) => (colouring.target === "room" ? rooms.has(globalId) : places.get(globalId) === storey));
  }, [colouring, storey, places, tree]);
  const version = useReadableVersion(live, shown && (colouring !== null || here.length > 0));
  return useMemo(() => {
    if (!shown) return [];
    const language = i18n.language;
    const number = (handle: number): number | null => asNumber(live.values.get(handle));
    const texts = said ? valueTexts(said, targetValues(said, number), earlier, language) : new Map<string, string>();
    const select = (globalId: string) => (): void => store.set((state) => ({ ...state, selected: globalId }));
    const rooms = tree.storeys.filter((one) => storey === null || one.id === storey).flatMap((one) => one.spaces).filter((room) => storey !== null || texts.has(room.global_id));
    const markers: Marker[] = spread(rooms, MOST).map((room) => {
      const value = texts.get(room.global_id);
      return { id: `room:${room.global_id}`, globalId: room.global_id, element: roomNode(room.global_id, room.name ?? spaceLabel(room), value ?? ""), priority: value === undefined ? 0 : 1, onClick: select(room.global_id) };
    });
    const named = new Set<string>();
    for (const device of here) {
      const state = stateOf(device, number);
      const value = device.value ? number(device.value.handle) : null;
      const word = t(`timeline.state.${state}`);
      named.add(device.globalId);
      markers.push({
        id: `device:${device.globalId}`, globalId: device.globalId, priority: state === "fault" ? 9 : state === "on" || state === "open" ? 5 : 3, onClick: select(device.globalId),
        element: deviceNode(device, state, word, texts.get(device.globalId) ?? (value === null ? "" : `${formatNumber(value, language)} ${unitText(device.value?.unit)}`)),
      });
    }
    if (colouring?.target === "equipment") {
      for (const [globalId, text] of texts) {
        if (named.has(globalId)) continue;
        markers.push({ id: `value:${globalId}`, globalId, element: valueNode(globalId, text), priority: 4, onClick: select(globalId) });
      }
    }
    return markers;
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `version` stands for the values that `live` holds
  }, [shown, tree, storey, colouring, said, earlier, here, live, store, t, i18n.language, version]);
}

/** As many as may be, from the first to the last with even steps, so that they lie all over the building. */
export function spread<T>(all: readonly T[], most: number): readonly T[] {
  return all.length <= most ? all : Array.from({ length: most }, (_, i) => all[Math.floor((i * all.length) / most)] as T);
}

/** A colouring of no more targets than may have labels. */
function someOf(colouring: Colouring, wanted: (globalId: string) => boolean): Colouring {
  const ids = [...new Set(colouring.points.map(({ globalId }) => globalId))].filter(wanted);
  const chosen = new Set(spread(ids, MOST));
  return { ...colouring, points: colouring.points.filter(({ globalId }) => chosen.has(globalId)) };
}

/** What each target says; while two moments are compared, both of them. */
function valueTexts(colouring: Colouring, now: ReadonlyMap<string, number>, earlier: Earlier | null, language: string): Map<string, string> {
  if (colouring.kind === "bool") return new Map([...now.keys()].map((globalId) => [globalId, ""] as const));
  const then = earlier ? targetValues(colouring, earlier.valueOf) : null;
  if (colouring.kind === "enum") {
    const said = (code: number): string => colouring.states?.find((one) => one.code === code)?.label ?? String(code);
    return new Map([...now].map(([globalId, code]) => {
      const before = then?.get(globalId);
      return [globalId, `${before === undefined || before === code ? "" : `${said(before)} → `}${said(code)}`] as const;
    }));
  }
  const unit = unitText(colouring.unit);
  return new Map([...now].map(([globalId, value]) => {
    const before = then?.get(globalId);
    return [globalId, `${before === undefined ? "" : `${formatNumber(before, language)} → `}${formatNumber(value, language)} ${unit}`] as const;
  }));
}

const RANK: Record<Severity, number> = { low: 0, medium: 1, high: 2, critical: 3 };

/** How many alarms each storey has, beside it: while the whole building is looked at. */
export function storeyMarkers(tree: Tree, alarms: readonly SceneAlarm[], scene: Scene3D, said: (name: string, count: number) => string, show: (storey: string) => void): Marker[] {
  const held = new Map<string, SceneAlarm[]>();
  for (const alarm of alarms) if (alarm.active && alarm.storey_id !== null) held.set(alarm.storey_id, [...(held.get(alarm.storey_id) ?? []), alarm]);
  return tree.storeys.flatMap(({ id, name }) => {
    const here = id === null ? undefined : held.get(id);
    const box = id === null ? null : scene.boxOfStorey(id);
    if (id === null || !here || !box) return [];
    const worst = here.reduce((a, b) => (RANK[b.severity] > RANK[a.severity] ? b : a)).severity;
    const label = name ?? "";
    return [{
      id: `storey:${id}`, position: [box.min[0], box.min[1], (box.min[2] + box.max[2]) / 2] as const, priority: 8 + RANK[worst],
      element: storeyNode(id, label, here.length, worst, said(label, here.length)), onClick: () => show(id),
    }];
  });
}
