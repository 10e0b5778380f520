/** Walks along a route: play, pause, speed, scrubbing; the list of steps follows, and leads. */
import { Segmented, Slider } from "antd";
import { ArrowDownRight, ArrowUpRight, CircleDot, CornerUpRight, DoorOpen, Eye, Flag, Footprints, Map as MapIcon, MapPin, MoveVertical, Pause, Play, SkipBack, SkipForward } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { lineLength } from "../../engine";
import { formatNumber } from "../lib/format";
import { IconButton } from "../parts";
import { useScene, useSceneScope } from "../scene/state";
import { flyToRoute } from "./route-panel";
import { legAt, legs, plainKind, storeyAt, told, type Leg } from "./route";
import { useSeconds } from "./seconds";
import { useStepText } from "./step-text";
import type { RouteAnswer, RouteStep } from "./types";
import { headingAt, PACE, turned, walkView, type Eye as EyeKind } from "./walk";

const SPEEDS = [1, 2, 4, 8] as const;
const STILL = 1500; // ms a step shows where motion is not wanted
const FRAME = 0.1; // s; a longer pause between frames is no leap forward

/** Parts of a longer way, each with a head of its own: its steps show while one is on it, or when asked for. */
export interface Stages {
  of: ReadonlyMap<RouteStep, number>;
  heads: readonly StageHead[];
}

export interface StageHead {
  key: string;
  title: ReactNode;
  actions?: ReactNode;
}

export function Player({ route, outside, shown, stages }: { route: RouteAnswer; outside: boolean; shown: boolean; stages?: Stages }): ReactNode {
  const { t, i18n } = useTranslation();
  const all = useMemo(() => legs(route), [route]);
  const total = useMemo(() => lineLength(route.polyline), [route]);
  const walk = useWalk(route, all, total, shown);
  const lines = useMemo(() => told(all), [all]);
  const { metres, playing } = walk;
  const now = metres === null ? -1 : lines.findLastIndex((leg) => leg.from <= (metres ?? 0) + 1e-6);
  const jump = (by: 1 | -1): void => {
    const next = Math.max(0, Math.min(lines.length - 1, now + by));
    walk.seek(lines[next]?.from ?? 0);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const { target } = event;
    if (event.key !== " " || (target instanceof HTMLElement && target.closest("button"))) return;
    event.preventDefault();
    walk.toggle();
  };
  return (
    <>
      <section className="player" aria-label={t("spatial.play.play")} onKeyDown={onKeyDown}>
        <div className="player-bar">
          <IconButton icon={SkipBack} size={16} label={t("spatial.play.before")} onClick={() => jump(-1)} />
          <button type="button" className="player-play" aria-label={playing ? t("spatial.play.pause") : t("spatial.play.play")} onClick={walk.toggle}>
            {playing ? <Pause size={18} aria-hidden /> : <Play size={18} aria-hidden />}
          </button>
          <IconButton icon={SkipForward} size={16} label={t("spatial.play.next")} onClick={() => jump(1)} />
          <Segmented size="small" value={walk.speed} aria-label={t("spatial.play.speed")} onChange={(speed) => walk.setSpeed(speed)}
            options={SPEEDS.map((speed) => ({ value: speed, label: `${speed}×` }))} />
          <span className="grow" />
          <IconButton icon={Eye} size={16} active={walk.eye === "own"} label={t(walk.eye === "own" ? "spatial.play.behind" : "spatial.play.own")} onClick={walk.turnEye} />
          <IconButton icon={MapIcon} size={16} label={t("spatial.route.overview")} onClick={walk.leave} />
        </div>
        <Slider min={0} max={Math.ceil(total)} step={0.5} value={metres ?? 0} onChange={walk.seek} ariaLabelForHandle={t("spatial.play.position")}
          tooltip={{ formatter: (value) => `${formatNumber(Math.round(value ?? 0), i18n.language)} m` }} />
      </section>
      {stages ? <StagedSteps lines={lines} now={now} route={route} stages={stages} seek={walk.seek} />
        : <Steps lines={lines} now={now} route={route} outside={outside} seek={walk.seek} />}
    </>
  );
}

interface Walk {
  /** m from the start; null: nobody walks, the whole route is seen. */
  metres: number | null;
  playing: boolean;
  speed: number;
  eye: EyeKind;
  toggle: () => void;
  seek: (metres: number) => void;
  setSpeed: (speed: number) => void;
  turnEye: () => void;
  leave: () => void;
}

function useWalk(route: RouteAnswer, all: readonly Leg[], total: number, shown: boolean): Walk {
  const scene = useScene();
  const { store } = useSceneScope();
  const [metres, setMetres] = useState<number | null>(null);
  const [wanted, setPlaying] = useState(false);
  const playing = wanted && shown;
  const [speed, setSpeed] = useState<number>(1);
  const [eye, setEye] = useState<EyeKind>("behind");
  const at = useRef(0);
  const heading = useRef<number | null>(null);

  /** Put walker and camera at a place; `share` of a turn is taken at once. */
  const place = useCallback((to: number, share: number, view: EyeKind) => {
    at.current = Math.max(0, Math.min(total, to));
    setMetres(at.current);
    if (!scene) return;
    const ahead = headingAt(route.polyline, at.current, heading.current ?? 0);
    heading.current = heading.current === null ? ahead : turned(heading.current, ahead, share);
    const storey = storeyAt(all, at.current);
    if (storey && (store.get().storey !== storey || store.get().storeyMode !== "cut")) store.set((state) => ({ ...state, storey, storeyMode: "cut" }));
    scene.overlays.setWalker(at.current);
    const seen = walkView(route.polyline, at.current, heading.current, view);
    if (seen) void scene.flyTo(seen, { duration: 0 });
  }, [scene, store, route, all, total]);

  useEffect(() => {
    if (!playing || !scene) return;
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
      const timer = setInterval(() => {
        const next = all[legAt(all, at.current + 1e-6)]?.to ?? total;
        place(next, 1, eye);
        if (next >= total - 1e-6) setPlaying(false);
      }, STILL / Math.sqrt(speed));
      return () => clearInterval(timer);
    }
    let before = performance.now();
    let frame = requestAnimationFrame(function step(now) {
      const seconds = Math.min(FRAME, (now - before) / 1000);
      before = now;
      place(at.current + seconds * PACE * speed, 1 - Math.exp(-seconds * 3 * Math.sqrt(speed)), eye);
      if (at.current >= total) setPlaying(false);
      else frame = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(frame);
  }, [playing, scene, speed, eye, place, all, total]);

  useEffect(() => () => scene?.overlays.setWalker(null), [scene]);

  return {
    metres, playing, speed, eye, setSpeed,
    toggle: () => {
      if (!playing && at.current >= total) at.current = 0;
      if (!playing) place(at.current, 1, eye);
      setPlaying(!playing);
    },
    seek: (to) => place(to, 1, eye),
    turnEye: () => {
      const next = eye === "own" ? "behind" : "own";
      setEye(next);
      place(at.current, 1, next);
    },
    leave: () => {
      setPlaying(false);
      setMetres(null);
      at.current = 0;
      heading.current = null;
      scene?.overlays.setWalker(null);
      store.set((state) => ({ ...state, storey: null }));
      if (scene) flyToRoute(scene, route);
    },
  };
}

const ICONS = { walk: Footprints, start: MapPin, door: DoorOpen, opening: DoorOpen, lift: MoveVertical, escalator: MoveVertical, arrive: Flag, turn: CornerUpRight } as const;

interface StepsProps {
  lines: readonly Leg[];
  now: number;
  route: RouteAnswer;
  seek: (metres: number) => void;
}

function Steps({ lines, now, route, outside, seek }: StepsProps & { outside: boolean }): ReactNode {
  const { t } = useTranslation();
  const ends = lines.at(-1)?.step.kind === "arrive";
  return (
    <ol className="route-steps" aria-label={t("spatial.route.steps")}>
      {lines.map((leg, i) => <StepLine key={`${i}:${leg.from}`} leg={leg} now={i === now} route={route} seek={seek} />)}
      {ends ? null : <li className="route-end"><Flag size={15} aria-hidden />{outside ? t("spatial.route.arriveOutside") : t("spatial.route.arrive")}</li>}
    </ol>
  );
}

/** The stages with their heads; of the one that is walked, or that somebody opened, the steps. */
function StagedSteps({ lines, now, route, stages, seek }: StepsProps & { stages: Stages }): ReactNode {
  const { t } = useTranslation();
  const current = now < 0 ? null : (stages.of.get(lines[now]?.step as RouteStep) ?? null);
  const [opened, setOpened] = useState<number | null>(null);
  const [walked, setWalked] = useState(current);
  if (walked !== current) {
    setWalked(current);
    setOpened(current);
  }
  return (
    <ol className="route-steps route-stages" aria-label={t("spatial.route.steps")}>
      {stages.heads.map((head, stage) => {
        const own = lines.flatMap((leg, i) => (stages.of.get(leg.step) === stage ? [{ leg, i }] : []));
        const open = opened === stage;
        return (
          <li key={head.key} className={`route-stage${current === stage ? " is-now" : ""}`}>
            <div className="route-stage-head">
              <button type="button" aria-expanded={open} onClick={() => {
                if (own[0]) seek(own[0].leg.from);
                setOpened(open ? null : stage);
              }}>{head.title}</button>
              {head.actions}
            </div>
            {open ? <ol>{own.map(({ leg, i }) => <StepLine key={i} leg={leg} now={i === now} route={route} seek={seek} />)}</ol> : null}
          </li>
        );
      })}
    </ol>
  );
}

function StepLine({ leg, now, route, seek }: { leg: Leg; now: boolean; route: RouteAnswer; seek: (metres: number) => void }): ReactNode {
  const { i18n } = useTranslation();
  const text = useStepText(route);
  const seconds = useSeconds();
  const line = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (now) line.current?.scrollIntoView({ block: "nearest" }); // answers a promise in newer browsers: no clean-up
  }, [now]);
  const kind = plainKind(leg.step.kind);
  const Icon = kind === "stair" || kind === "ramp" ? (leg.rise < 0 ? ArrowDownRight : ArrowUpRight) : (ICONS[kind as keyof typeof ICONS] ?? CircleDot);
  const long = leg.to - leg.from;
  return (
    <li ref={line} aria-current={now ? "step" : undefined}>
      <button type="button" className={now ? "is-now" : ""} onClick={() => seek(leg.from)}>
        <Icon size={15} strokeWidth={1.7} aria-hidden />
        <span>{text(leg)}</span>
        <small className="num">{long >= 1 ? `${formatNumber(Math.round(long), i18n.language)} m` : leg.step.seconds >= 1 ? seconds(leg.step.seconds) : ""}</small>
      </button>
    </li>
  );
}
