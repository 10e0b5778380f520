/** From here to there: the question, the steps, and walking along. */
import { Button, Checkbox } from "antd";
import { ArrowUpDown, DoorClosed, Navigation, TriangleAlert, X } from "lucide-react";
import { useEffect, useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Rgb } from "../../engine";
import { ApiError } from "../../api/client";
import type { Tree } from "../../api/types";
import { useBuilding } from "../context";
import { formatNumber } from "../lib/format";
import { Empty, IconButton, Lines, useErrorText } from "../parts";
import { usePatch, useScene, useSceneScope } from "../scene/state";
import { COLOURS } from "./flow";
import { rememberPlace } from "./here";
import { Panel } from "./panel";
import { PlaceField, nameFor } from "./place-field";
import { Player } from "./player";
import { useRoute } from "./queries";
import { useSeconds } from "./seconds";
import type { Picture, RouteQuestion, Stop, WayOptions } from "./state";
import type { RouteAnswer } from "./types";

export function RoutePanel({ question, tree, shown }: { question: RouteQuestion; tree: Tree; shown: boolean }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const patch = usePatch();
  const answer = useRoute(question);
  const change = (part: Partial<RouteQuestion>): void => patch({ spatial: { ...question, ...part }, picture: null });
  const setEnd = (end: "from" | "to", stop: Stop | null): void => {
    if (end === "from" && stop && stop !== "outside") rememberPlace(building.id, stop.globalId, stop.name);
    change({ [end]: stop });
  };
  const complete = question.from !== null && question.to !== null;
  const route = complete && !answer.isError ? answer.data : undefined;
  useRoutePicture(question, route);
  return (
    <Panel title={t("spatial.route.title")}>
      <div className="route-form">
        <div className="route-ends">
          <PlaceField end="from" value={question.from} tree={tree} onChange={(stop) => setEnd("from", stop)} />
          <PlaceField end="to" value={question.to} tree={tree} onChange={(stop) => setEnd("to", stop)} />
        </div>
        <IconButton icon={ArrowUpDown} size={15} label={t("spatial.route.swap")} disabled={question.to === "outside"}
          onClick={() => change({ from: question.to, to: question.from })} />
      </div>
      <Options question={question} change={change} />
      {!complete ? <Empty icon={Navigation} title={t("spatial.route.ask")} hint={t("spatial.route.askHint")} />
        : answer.isError ? <NoRoute error={answer.error} retry={() => void answer.refetch()} />
        : !route ? <Lines count={6} />
        : <><Summary route={route} /><Player key={`${answer.dataUpdatedAt}`} route={route} outside={question.to === "outside"} shown={shown} /></>}
    </Panel>
  );
}

/** What the way may use: the same for a route and for a round. */
export function Options({ question, change, children }: { question: WayOptions; change: (part: Partial<WayOptions>) => void; children?: ReactNode }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { store } = useSceneScope();
  const patch = usePatch();
  const close = (globalId: string): void => void nameFor(building.id, globalId).then((one) => store.set((state) => {
    const { spatial } = state;
    if ((spatial?.kind !== "route" && spatial?.kind !== "round") || spatial.closed.some((known) => known.globalId === globalId)) return state;
    return { ...state, spatial: { ...spatial, closed: [...spatial.closed, one] }, picture: null };
  }));
  return (
    <div className="route-options">
      {children}
      <Checkbox checked={question.stepFree} onChange={(event) => change({ stepFree: event.target.checked })}>{t("spatial.route.stepFree")}</Checkbox>
      <Checkbox checked={!question.lifts} onChange={(event) => change({ lifts: !event.target.checked })}>{t("spatial.route.liftsOut")}</Checkbox>
      <Button size="small" icon={<DoorClosed size={13} aria-hidden />} onClick={() => patch({ picking: { what: "closed", done: close } })}>{t("spatial.route.closedAdd")}</Button>
      {question.closed.map((one) => (
        <span key={one.globalId} className="chip">
          {one.name}
          <IconButton icon={X} size={12} label={t("action.delete")} onClick={() => change({ closed: question.closed.filter((other) => other !== one) })} />
        </span>
      ))}
    </div>
  );
}

export function Summary({ route, children }: { route: RouteAnswer; children?: ReactNode }): ReactNode {
  const { t, i18n } = useTranslation();
  const seconds = useSeconds();
  return (
    <div className="spatial-summary route-summary" aria-live="polite">
      <b className="num" data-testid="route-length">{t("spatial.route.length", { length: formatNumber(Math.round(route.length), i18n.language) })}</b>
      <b className="num">{seconds(route.seconds)}</b>
      <span>{t("spatial.route.storeys", { count: route.storeys.length })}</span>
      <span>{t("spatial.route.doors", { count: route.doors.length })}</span>
      {children}
    </div>
  );
}

interface Named {
  global_id: string;
  name?: string | null;
}

/** Whatever the answer names, to be flown to. */
function namedIn(extra: Record<string, unknown>): Named[] {
  return ["rooms", "doors", "elements"].flatMap((key) => {
    const list = extra[key];
    return Array.isArray(list) ? (list as unknown[]).filter((one): one is Named => typeof one === "object" && one !== null && "global_id" in one) : [];
  });
}

export function NoRoute({ error, retry }: { error: Error; retry: () => void }): ReactNode {
  const { t } = useTranslation();
  const text = useErrorText();
  const scene = useScene();
  const { store } = useSceneScope();
  const named = useMemo(() => (error instanceof ApiError ? namedIn(error.extra) : []), [error]);
  useEffect(() => {
    if (!scene || named.length === 0) return;
    const colours = new Map<string, Rgb>(named.map((one) => [one.global_id, COLOURS.room] as const));
    store.set((state) => ({ ...state, storey: null, picture: {
      colours, only: [...colours.keys()], flow: [], route: null,
      labels: named.map((one) => ({ id: one.global_id, globalId: one.global_id, text: one.name ?? one.global_id, kind: "room" as const })),
    } }));
  }, [scene, store, named]);
  const look = (): void => void scene?.flyTo(named.map((one) => one.global_id).filter((one) => scene.has(one)));
  return (
    <div className="empty" role="alert">
      <TriangleAlert size={28} strokeWidth={1.5} aria-hidden className="sev-text-high" />
      <h3>{t("spatial.route.none")}</h3>
      <p>{text(error)}</p>
      <div className="route-named">
        {named.map((one) => <Button key={one.global_id} size="small" onClick={() => void scene?.flyTo(one.global_id)}>{one.name ?? one.global_id}</Button>)}
      </div>
      {named.length > 1 ? <Button type="primary" onClick={look}>{t("spatial.route.showRooms")}</Button>
        : error instanceof ApiError && error.status !== 404 ? <Button onClick={retry}>{t("action.retry")}</Button> : null}
    </div>
  );
}

/** The rooms walked through as floors in colour, doors and stairs in their places, the rest a ghost; then the line. */
function useRoutePicture(question: RouteQuestion, route: RouteAnswer | undefined): void {
  const { t } = useTranslation();
  const scene = useScene();
  const { store } = useSceneScope();
  const { from, to } = question;
  useEffect(() => {
    if (!scene || !route) return;
    const drawn = routePicture(route, from, to, { exit: t("spatial.outside") });
    store.set((state) => ({ ...state, picture: drawn, storey: null }));
    void scene.ready.then(() => flyToRoute(scene, route));
  }, [scene, store, route, from, to, t]);
}

export function flyToRoute(scene: { flyTo: (box: { min: [number, number, number]; max: [number, number, number] }, options: { margin: number }) => Promise<void> }, route: RouteAnswer): void {
  const axis = (i: 0 | 1 | 2): number[] => route.polyline.map((p) => p[i]);
  const low = (i: 0 | 1 | 2): number => Math.min(...axis(i)) - 2;
  const high = (i: 0 | 1 | 2): number => Math.max(...axis(i)) + 2;
  void scene.flyTo({ min: [low(0), low(1), low(2) + 2], max: [high(0), high(1), high(2)] }, { margin: 1.25 });
}

export function routePicture(route: RouteAnswer, from: Stop | null, to: Stop | null, texts: { exit: string }): Picture {
  const rooms = new Map(route.steps.flatMap(({ room }) => (room ? [[room.global_id, room] as const] : [])));
  const through = new Set(route.steps.flatMap(({ element }) => (element ? [element.global_id] : [])));
  const colours = new Map<string, Rgb>([...rooms.keys()].map((id) => [id, COLOURS.walked] as const));
  if (to && to !== "outside") colours.set(to.globalId, COLOURS.start);
  const [first, last] = [route.polyline[0], route.polyline.at(-1)];
  const stops = [...(from && from !== "outside" ? [from.globalId] : []), ...(to && to !== "outside" ? [to.globalId] : [])];
  return {
    colours, only: [...new Set([...rooms.keys(), ...through, ...stops])], flow: [], route: route.polyline,
    labels: [
      ...(first && from ? [{ id: "from", position: lifted(first), text: from === "outside" ? texts.exit : from.name, kind: "start" as const }] : []),
      ...(last && to ? [{ id: "to", position: lifted(last), text: to === "outside" ? texts.exit : to.name, kind: "end" as const }] : []),
    ],
  };
}

const lifted = ([x, y, z]: readonly [number, number, number]): [number, number, number] => [x, y, z + 0.4];
