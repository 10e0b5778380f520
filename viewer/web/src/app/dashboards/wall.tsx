/** Dashboards on a screen on the wall: nothing but them, dark and large, one after another. */
import { ConfigProvider, theme } from "antd";
import { ChevronLeft, ChevronRight, Pause, Play, WifiOff, X } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState, type CSSProperties, type ReactNode } from "react";
import { createPortal } from "react-dom";
import { useTranslation } from "react-i18next";
import { useNavigate, useSearchParams } from "react-router";
import { ModeContext, useBuilding } from "../context";
import { clock } from "../lib/format";
import { usePhone } from "../lib/prefs";
import { Failure } from "../parts";
import { useLiveStatus } from "../shell/offline";
import { antdTheme, PALETTES } from "../theme";
import { Board } from "./board";
import { rowsOf } from "./grid";
import { useAwake, useFreshDaily, useKeptAlive } from "./keep-alive";
import { useSize } from "./many-points";
import { useDashboard } from "./queries";
import { parseWall } from "./wall-state";
import "./dashboards.css";

const DARK = Object.fromEntries(Object.entries(PALETTES.dark).map(([name, value]) => [`--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`, value])) as CSSProperties;
const THEME = { ...antdTheme("dark", theme.darkAlgorithm), cssVar: { key: "twin-wall" } };

export default function Wall(): ReactNode {
  const [params] = useSearchParams();
  const view = useMemo(() => parseWall(params), [params]);
  const status = useLiveStatus();
  useKeptAlive();
  useAwake();
  useFreshDaily(status === "live");
  useEffect(() => {
    document.body.classList.add("has-wall");
    return () => document.body.classList.remove("has-wall");
  }, []);
  return createPortal(
    <ModeContext value="dark"><ConfigProvider theme={THEME}><Screen ids={view.ids} every={view.every} /></ConfigProvider></ModeContext>, document.body,
  );
}

function Screen({ ids, every }: { ids: readonly string[]; every: number }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const navigate = useNavigate();
  const [at, setAt] = useState(0);
  const [paused, setPaused] = useState(false);
  const quiet = useQuiet();
  const holder = useRef<HTMLDivElement>(null);
  const turn = useCallback((by: number) => setAt((now) => (now + by + ids.length) % Math.max(1, ids.length)), [ids.length]);
  const leave = useCallback(() => {
    if (document.fullscreenElement) void document.exitFullscreen().catch(() => undefined);
    void navigate(`/b/${building.id}/dashboards`);
  }, [building.id, navigate]);
  useEffect(() => {
    if (paused || ids.length < 2) return;
    const timer = setTimeout(() => turn(1), every * 1000);
    return () => clearTimeout(timer);
  }, [at, paused, ids.length, every, turn]);
  useEffect(() => holder.current?.focus(), []);
  useEffect(() => {
    const acts: Record<string, () => void> = { ArrowRight: () => turn(1), ArrowLeft: () => turn(-1), " ": () => setPaused((now) => !now), Escape: leave };
    const pressed = (event: KeyboardEvent): void => {
      const act = acts[event.key];
      if (!act || (event.target instanceof HTMLElement && event.target !== document.body && event.target !== holder.current)) return;
      event.preventDefault();
      act();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [turn, leave]);
  const id = ids[at % Math.max(1, ids.length)];
  return (
    <div ref={holder} className={`db-wall${quiet ? " is-quiet" : ""}`} style={DARK} tabIndex={-1} role="main" data-testid="wall" data-theme="dark">
      <Away />
      {id ? <Slide key={id} id={id} others={ids.length > 1} skip={() => turn(1)} /> : <div className="center">{t("dashboards.wallNothing")}</div>}
      <nav className="db-wall-bar" aria-label={t("dashboards.wall")}>
        {ids.length > 1 ? (
          <>
            <button type="button" onClick={() => turn(-1)} aria-label={t("dashboards.previous")}><ChevronLeft aria-hidden /></button>
            <span className="num">{at + 1} / {ids.length}</span>
            <button type="button" onClick={() => turn(1)} aria-label={t("dashboards.next")}><ChevronRight aria-hidden /></button>
            <button type="button" onClick={() => setPaused(!paused)} aria-label={t(paused ? "dashboards.goOn" : "dashboards.pause")}>{paused ? <Play aria-hidden /> : <Pause aria-hidden />}</button>
          </>
        ) : null}
        <button type="button" onClick={leave} aria-label={t("dashboards.leave")}><X aria-hidden /></button>
      </nav>
      {ids.length > 1 && !paused ? <i key={at} className="db-wall-time" style={{ animationDuration: `${every}s` }} aria-hidden /> : null}
    </div>
  );
}

/** One dashboard, as high as the screen: its rows share what there is. */
function Slide({ id, others, skip }: { id: string; others: boolean; skip: () => void }): ReactNode {
  const phone = usePhone();
  const read = useDashboard(id);
  const [ref, size] = useSize();
  const failed = read.isError && !read.data;
  useEffect(() => {
    if (!failed || !others) return;
    const timer = setTimeout(skip, 5000);
    return () => clearTimeout(timer);
  }, [failed, others, skip]);
  useEffect(() => {
    const timer = setInterval(() => void read.refetch(), 60_000); // somebody may rearrange it meanwhile
    return () => clearInterval(timer);
  }, [read]);
  const rows = read.data ? Math.max(1, rowsOf(read.data.layout.widgets)) : 1;
  const row = size && !phone ? Math.max(28, (size.height - 10 * (rows - 1)) / rows) : 62;
  return (
    <>
      <header className="db-wall-head"><h1>{read.data?.name ?? ""}</h1></header>
      <div ref={ref} className="db-wall-body">
        {failed ? <Failure error={read.error} /> : read.data && size ? <Board layout={read.data.layout} arrange={null} row={row} /> : <div className="db-wait" aria-busy />}
      </div>
    </>
  );
}

/** Nothing comes in: what stands here is old, since when. */
function Away(): ReactNode {
  const { t, i18n } = useTranslation();
  const away = useLiveStatus() !== "live";
  const [since, setSince] = useState<number | null>(null);
  useEffect(() => {
    // A moment's break is none; while it lasts, "connecting" and "offline" by turns begin nothing anew.
    const began = Date.now();
    const timer = setTimeout(() => setSince(away ? began : null), away ? 5000 : 0);
    return () => clearTimeout(timer);
  }, [away]);
  if (!away || since === null) return null;
  return <div className="db-away" role="alert"><WifiOff aria-hidden />{t("dashboards.away", { when: clock(since, i18n.language) })}</div>;
}

/** Whether nobody has moved for a while: then there is no pointer and no buttons. */
function useQuiet(): boolean {
  const [quiet, setQuiet] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const heard = (): void => {
      setQuiet(false);
      clearTimeout(timer);
      timer = setTimeout(() => setQuiet(true), 3000);
    };
    heard();
    for (const sign of ["pointermove", "pointerdown", "keydown"] as const) window.addEventListener(sign, heard);
    return () => {
      clearTimeout(timer);
      for (const sign of ["pointermove", "pointerdown", "keydown"] as const) window.removeEventListener(sign, heard);
    };
  }, []);
  return quiet;
}
