/** A short way round several orders: where one begins, in which order to go, and walking along. */
import { Checkbox } from "antd";
import { ClipboardList, ExternalLink, Flag, MapPinOff, Waypoints, X } from "lucide-react";
import { useEffect, useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Tree } from "../../api/types";
import { useBuilding } from "../context";
import { formatNumber } from "../lib/format";
import { placeText } from "../lib/place";
import { Empty, IconButton, IconLink, Lines, PriorityMark } from "../parts";
import { usePatch, useScene, useSceneScope } from "../scene/state";
import { COLOURS } from "./flow";
import { Panel } from "./panel";
import { PlaceField } from "./place-field";
import { Player, type StageHead, type Stages } from "./player";
import { useRound, useRoundOrders } from "./queries";
import { joinedRound, stopsOf, type JoinedRound, type RoundStop } from "./round";
import { flyToRoute, NoRoute, Options, routePicture, Summary } from "./route-panel";
import { useSeconds } from "./seconds";
import { rememberPlace } from "./here";
import type { RoundQuestion, SceneLabel, Stop } from "./state";
import type { RoundAnswer, RouteAnswer } from "./types";

export function RoundPanel({ question, tree, shown }: { question: RoundQuestion; tree: Tree; shown: boolean }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const patch = usePatch();
  const known = useRoundOrders(question.orders);
  const { stops, nowhere } = useMemo(() => stopsOf(known?.orders ?? []), [known?.orders]);
  const answer = useRound(question, known ? stops : undefined);
  const change = (part: Partial<RoundQuestion>): void => patch({ spatial: { ...question, ...part }, picture: null });
  const setFrom = (stop: Stop | null): void => {
    if (stop && stop !== "outside") rememberPlace(building.id, stop.globalId, stop.name);
    change({ from: stop });
  };
  const round = question.from && !answer.isError ? answer.data : undefined;
  const left = [
    ...nowhere.map((one) => t("spatial.round.nowhere", { title: one.title })),
    ...(known && known.missing > 0 ? [t("spatial.round.missing", { count: known.missing })] : []),
    ...(round?.left_out ?? []).map((one) => t("spatial.round.unreachable", { name: stops.find((stop) => stop.place === one.id)?.name ?? "", reason: one.reason })),
  ];
  return (
    <Panel title={t("spatial.round.title")}>
      <div className="route-form"><div className="route-ends"><PlaceField end="from" value={question.from} tree={tree} onChange={setFrom} /></div></div>
      <Options question={question} change={change}>
        <Checkbox checked={question.back} onChange={(event) => change({ back: event.target.checked })}>{t("spatial.round.back")}</Checkbox>
      </Options>
      {left.map((text) => <p key={text} className="round-left"><MapPinOff size={14} aria-hidden />{text}</p>)}
      {!known ? <Lines count={6} />
        : stops.length === 0 ? <Empty icon={ClipboardList} title={t("spatial.round.none")} hint={t("spatial.round.noneHint")} />
        : !question.from ? <><Empty icon={Waypoints} title={t("spatial.round.ask")} hint={t("spatial.round.askHint")} /><Unsorted stops={stops} /></>
        : answer.isError ? <><NoRoute error={answer.error} retry={() => void answer.refetch()} /><Unsorted stops={stops} remove={remover(question, change)} /></>
        : !round ? <Lines count={6} />
        : <Answer key={answer.dataUpdatedAt} round={round} stops={stops} question={question} change={change} shown={shown} />}
    </Panel>
  );
}

const remover = (question: RoundQuestion, change: (part: Partial<RoundQuestion>) => void) => (stop: RoundStop): void =>
  change({ orders: question.orders.filter((id) => stop.orders.every((order) => order.id !== id)) });

function Answer({ round, stops, question, change, shown }: {
  round: RoundAnswer; stops: readonly RoundStop[]; question: RoundQuestion; change: (part: Partial<RoundQuestion>) => void; shown: boolean;
}): ReactNode {
  const { t } = useTranslation();
  const seconds = useSeconds();
  const joined = useMemo(() => joinedRound(round), [round]);
  const sorted = useMemo(() => round.stops.flatMap((id) => stops.find((one) => one.place === id) ?? []), [round, stops]);
  useRoundPicture(question.from, round, joined, sorted);
  const remove = sorted.length > 1 ? remover(question, change) : null;
  const heads = round.legs.map(({ route }, i): StageHead => {
    const stop = sorted[i];
    if (!stop) return { key: "back", title: <StageTitle mark={<Flag size={13} aria-hidden />} route={route}><b>{t("spatial.round.backAt", { place: question.from && question.from !== "outside" ? question.from.name : "" })}</b></StageTitle> };
    return { key: stop.place, title: <StageTitle mark={i + 1} route={route}><StopText stop={stop} /></StageTitle>, actions: <StopActions stop={stop} remove={remove} /> };
  });
  const stages: Stages = { of: joined.legOf, heads };
  return (
    <>
      <Summary route={joined.route}>
        {round.saved >= 5 ? <span className="round-saved">{t("spatial.round.saved", { time: seconds(round.saved) })}</span> : null}
      </Summary>
      <Player route={joined.route} outside={false} shown={shown} stages={stages} />
    </>
  );
}

function StageTitle({ mark, route, children }: { mark: ReactNode; route: RouteAnswer; children: ReactNode }): ReactNode {
  const { t, i18n } = useTranslation();
  const seconds = useSeconds();
  return (
    <>
      <i className="round-mark num">{mark}</i>
      <span>{children}</span>
      <small className="num">{t("spatial.route.length", { length: formatNumber(Math.round(route.length), i18n.language) })}<br />{seconds(route.seconds)}</small>
    </>
  );
}

function StopText({ stop }: { stop: RoundStop }): ReactNode {
  return (
    <>
      {stop.orders.map((order) => <b key={order.id}>{order.title}</b>)}
      <em><PriorityMark priority={stop.orders[0]?.priority ?? "medium"} />{stop.orders[0] ? placeText(stop.orders[0]) : null}</em>
    </>
  );
}

function StopActions({ stop, remove }: { stop: RoundStop; remove: ((stop: RoundStop) => void) | null }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  return (
    <>
      {stop.orders.map((order) => (
        <IconLink key={order.id} icon={ExternalLink} size={14} label={t("spatial.round.open", { title: order.title })} to={`/b/${building.id}/orders/${order.id}`} />
      ))}
      {remove ? <IconButton icon={X} size={14} label={t("spatial.round.remove", { name: stop.name })} onClick={() => remove(stop)} /> : null}
    </>
  );
}

/** What is to be visited, before there is a way. */
function Unsorted({ stops, remove }: { stops: readonly RoundStop[]; remove?: (stop: RoundStop) => void }): ReactNode {
  const { t } = useTranslation();
  return (
    <ol className="route-steps route-stages" aria-label={t("spatial.round.stops")}>
      {stops.map((stop) => (
        <li key={stop.place} className="route-stage">
          <div className="route-stage-head">
            <span className="round-plain"><i className="round-mark">·</i><span><StopText stop={stop} /></span></span>
            <StopActions stop={stop} remove={stops.length > 1 ? (remove ?? null) : null} />
          </div>
        </li>
      ))}
    </ol>
  );
}

/** The way as a route is drawn, with a numbered mark at every stop. */
function useRoundPicture(from: Stop | null, round: RoundAnswer, joined: JoinedRound, sorted: readonly RoundStop[]): void {
  const scene = useScene();
  const { store } = useSceneScope();
  useEffect(() => {
    if (!scene) return;
    const drawn = routePicture(joined.route, from, null, { exit: "" });
    const colours = new Map(drawn.colours);
    const labels: SceneLabel[] = [];
    for (const [i, stop] of sorted.entries()) {
      const leg = round.legs[i];
      const at = leg?.route.polyline.at(-1);
      if (leg?.end) colours.set(leg.end.global_id, COLOURS.start);
      if (at) labels.push({ id: `stop:${i}`, position: [at[0], at[1], at[2] + 0.4], text: stop.name, mark: String(i + 1), kind: "stop" });
    }
    const only = [...new Set([...(drawn.only ?? []), ...round.legs.flatMap((leg) => (leg.end ? [leg.end.global_id] : []))])];
    store.set((state) => ({ ...state, picture: { ...drawn, colours, only, labels: [...drawn.labels, ...labels] }, storey: null }));
    void scene.ready.then(() => flyToRoute(scene, joined.route));
  }, [scene, store, from, round, joined, sorted]);
}
