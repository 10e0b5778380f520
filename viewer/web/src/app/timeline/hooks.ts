/** The past in the 3D view: frames become values, alarms of then become alarms. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";
import { get, getBytes } from "../../api/client";
import type { components } from "../../api/schema.gen";
import type { Alarm } from "../../api/types";
import { useBuilding } from "../context";
import { useStore } from "../lib/store";
import { useSceneScope } from "../scene/state";
import { alarmsAt, decodeFrames, frameAt, numberIn, valuesOf, worstAlarms, type Frames } from "./frames";
import { played, SPANS, type Timeline } from "./state";

type Past = components["schemas"]["Timeline"];
/** What the 3D view shows of an alarm. */
export type SceneAlarm = Pick<Alarm, "id" | "global_id" | "severity" | "active" | "acked" | "storey_id">;
const FRAMES = 241;

export function useTimeline(): [Timeline, (change: Partial<Timeline> | ((before: Timeline) => Timeline)) => void] {
  const { timeline } = useSceneScope();
  return [useStore(timeline), (change) => timeline.set((before) => (typeof change === "function" ? change(before) : { ...before, ...change }))];
}

interface PastOf {
  frames: UseQueryResult<Frames>;
  past: UseQueryResult<Past>;
  from: number;
  to: number;
}

export function usePast(): PastOf {
  const { building } = useBuilding();
  const [{ open, span, end }] = useTimeline();
  const [from, to] = [end - SPANS[span], end];
  const window = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  const options = { enabled: open, staleTime: Infinity, gcTime: 60_000 };
  const frames = useQuery({
    queryKey: ["frames", building.id, from, to], ...options,
    queryFn: async ({ signal }) => {
      const read = decodeFrames(await getBytes(`/buildings/${building.id}/frames`, { ...window, frames: FRAMES }, signal));
      if (!read) throw new Error("frames");
      return read;
    },
  });
  const past = useQuery({ queryKey: ["timeline", building.id, from, to], ...options, queryFn: ({ signal }) => get<Past>(`/buildings/${building.id}/timeline`, window, signal) });
  return { frames, past, from, to };
}

/** Shows the chosen moment, and lets time pass while it plays; once per view. */
export function usePastInScene(): void {
  const { live } = useBuilding();
  const { timeline } = useSceneScope();
  const [{ open, moment, playing }] = useTimeline();
  const { data } = usePast().frames;
  const shown = useRef<string | null>(null);
  useEffect(() => {
    if (!open || moment === null) {
      shown.current = null;
      return live.showPast(null);
    }
    if (!data) return;
    const i = frameAt(data, moment);
    const key = `${data.from}:${data.step}:${i}`;
    if (shown.current === key) return;
    shown.current = key;
    live.showPast(valuesOf(data, i, live.handles));
  }, [open, moment, data, live]);
  useEffect(() => () => live.showPast(null), [live]);
  useEffect(() => {
    if (!playing || !data) return;
    let frame = 0;
    let before = performance.now();
    const tick = (now: number): void => {
      const ms = Math.min(250, now - before);
      before = now;
      timeline.set((state) => played(state, ms));
      frame = requestAnimationFrame(tick);
    };
    frame = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(frame);
  }, [playing, data, timeline]);
}

/** What points said and which alarms held at the moment that is compared with; null where none is. */
export interface Earlier {
  valueOf: (handle: number) => number | null;
  alarms: ReadonlyMap<string, Alarm["severity"]>;
}

export function useEarlier(): Earlier | null {
  const [{ open, earlier }] = useTimeline();
  const { frames, past } = usePast();
  return useMemo(() => {
    if (!open || earlier === null || !frames.data) return null;
    const held = alarmsAt(past.data?.alarms ?? [], earlier);
    return {
      valueOf: numberIn(frames.data, frameAt(frames.data, earlier)),
      alarms: worstAlarms(held.map(({ alarm }) => ({ globalId: alarm.element, severity: alarm.severity as Alarm["severity"] }))),
    };
  }, [open, earlier, frames.data, past.data]);
}

/** The alarms of the chosen moment; null while the present is shown. */
export function usePastAlarms(): SceneAlarm[] | null {
  const [{ open, moment }] = useTimeline();
  const { data } = usePast().past;
  const held = useMemo(() => (open && moment !== null ? alarmsAt(data?.alarms ?? [], moment) : null), [open, moment, data]);
  const key = held?.map(({ alarm, acked }) => `${alarm.id}${acked ? "!" : ""}`).join() ?? null;
  // The same alarms are the same list: while it plays, what hangs on it is not worked out sixty times a second.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  return useMemo(() => held?.map(({ alarm, acked }) => ({ id: alarm.id, global_id: alarm.element, severity: alarm.severity as Alarm["severity"], active: true, acked, storey_id: alarm.storey_id })) ?? null, [key]);
}
