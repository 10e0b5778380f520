/** The window as a clip or as pictures, taken along. */
import { App, Button, Popover, Progress, Segmented } from "antd";
import { Download } from "lucide-react";
import { useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useBuilding } from "../context";
import { formatNumber, formatTime, shortTime, unitText } from "../lib/format";
import { useQuantityName } from "../lib/names";
import { IconButton } from "../parts";
import { classesOf, OFF, onColour, scaleOf, scaleStops, stateColour, type Colouring } from "../scene/colour";
import { useScene, useSceneScope } from "../scene/state";
import type { Caption, Key } from "./caption";
import { clip, clipMaker, series, sizeOf, stamp } from "./film";
import { usePast } from "./hooks";

const SECONDS = [2, 5, 10, 20];
const FPS = 24;
const PICTURES = [12, 24, 49, 97];

type Kind = "clip" | "series";

/** `live.showPast`, React and the engine each wait for a frame before the moment is in the picture. */
const shown = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
};

export function TakeAlong(): ReactNode {
  const { t } = useTranslation();
  const { frames } = usePast();
  const [open, setOpen] = useState(false);
  return (
    <Popover trigger="click" placement="top" open={open} onOpenChange={setOpen} destroyOnHidden content={<Choice close={() => setOpen(false)} />}>
      <span><IconButton icon={Download} size={15} label={t("timeline.export")} active={open} disabled={!frames.data} onClick={() => undefined} /></span>
    </Popover>
  );
}

function Choice({ close }: { close: () => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const { message } = App.useApp();
  const scene = useScene();
  const { from, to } = usePast();
  const { building } = useBuilding();
  const caption = useCaption();
  const { timeline } = useSceneScope();
  const [kind, setKind] = useState<Kind>(clipMaker() ? "clip" : "series");
  const [seconds, setSeconds] = useState(10);
  const [pictures, setPictures] = useState(24);
  const [done, setDone] = useState<number | null>(null);
  const stop = useRef<AbortController | null>(null);
  const count = kind === "clip" ? seconds * FPS : pictures;
  // What is compared with: a clip begins there.
  const begin = timeline.get().earlier ?? from;
  const make = async (): Promise<void> => {
    if (!scene) return;
    const before = timeline.get();
    const control = new AbortController();
    stop.current = control;
    setDone(0);
    const show = async (at: number): Promise<Caption> => {
      timeline.set((state) => ({ ...state, moment: at, playing: false }));
      await shown();
      return caption(at);
    };
    try {
      const plan = { scene, show, from: begin, to, count, signal: control.signal, onPicture: setDone };
      const made = kind === "clip" ? await clip(plan, FPS) : await series(plan);
      const name = `${building.name} ${stamp(begin)} – ${stamp(to)}.${kind === "clip" ? "webm" : "zip"}`;
      save(made, name);
      void message.success(t("timeline.done", { name }));
      close();
    } catch (error) {
      if (!control.signal.aborted) void message.error(t("timeline.failed", { reason: error instanceof Error ? error.message : String(error) }), 8);
    } finally {
      timeline.set((state) => ({ ...state, moment: before.moment, playing: false }));
      stop.current = null;
      setDone(null);
    }
  };
  if (!scene) return null;
  const size = sizeOf(scene.canvas);
  return (
    <div className="take" role="group" aria-label={t("timeline.export")}>
      <Segmented block size="small" value={kind} disabled={done !== null} aria-label={t("timeline.export")} onChange={(value: Kind) => setKind(value)}
        options={[{ value: "clip", label: t("timeline.clip"), disabled: clipMaker() === null }, { value: "series", label: t("timeline.series") }]} />
      {kind === "clip" ? (
        <Segmented block size="small" value={seconds} disabled={done !== null} aria-label={t("timeline.clip")} onChange={(value) => setSeconds(value)} options={SECONDS.map((value) => ({ value, label: t("timeline.seconds", { count: value }) }))} />
      ) : (
        <Segmented block size="small" value={pictures} disabled={done !== null} aria-label={t("timeline.pictures")} onChange={(value) => setPictures(value)} options={PICTURES.map((value) => ({ value, label: String(value) }))} />
      )}
      <p className="muted num">{t("timeline.from")} {shortTime(begin, i18n.language)} {t("timeline.to")} {shortTime(to, i18n.language)}<br />{t("timeline.size", size)}</p>
      {clipMaker() === null ? <p className="muted">{t("timeline.noClip")}</p> : null}
      {done === null ? <Button type="primary" size="small" block onClick={() => void make()}>{t("timeline.export")}</Button> : (
        <>
          <Progress percent={(done / count) * 100} showInfo={false} size="small" aria-label={t("timeline.making", { done, all: count })} />
          <p className="take-row num"><span role="status">{t("timeline.making", { done, all: count })}</span><Button size="small" onClick={() => stop.current?.abort()}>{t("timeline.stop")}</Button></p>
        </>
      )}
    </div>
  );
}

/** What stands under each picture. */
function useCaption(): (at: number) => Caption {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const { store } = useSceneScope();
  const name = useQuantityName();
  return (at) => {
    const { colouring, limits, classes } = store.get();
    const number = (value: number): string => formatNumber(value, i18n.language);
    return {
      title: colouring ? `${building.name} · ${name(colouring.name, colouring.label)}` : building.name,
      when: formatTime(at, i18n.language),
      key: colouring && keyOf(colouring, limits, classes, number, [t("value.on"), t("value.off")]),
    };
  };
}

/** As the legend beside the model says it. */
function keyOf(colouring: Colouring, limits: readonly [number, number] | null, stepped: boolean, number: (value: number) => string, [on, off]: [string, string]): Key | null {
  if (colouring.kind === "bool") return { kind: "states", states: [{ label: on, colour: css(onColour(colouring)) }, { label: off, colour: css(OFF) }] };
  if (colouring.kind === "enum") return { kind: "states", states: (colouring.states ?? []).map(({ code, label }) => ({ label, colour: css(stateColour(colouring, code)) })) };
  if (!limits) return null;
  const scale = scaleOf(colouring);
  const colours = stepped ? classesOf(limits[0], limits[1], scale).map(({ colour }) => css(colour)) : scaleStops(scale);
  return { kind: "scale", low: number(limits[0]), high: `${number(limits[1])} ${unitText(colouring.unit)}`, colours, stepped };
}

const css = (rgb: readonly number[]): string => `rgb(${rgb.join(" ")})`;

function save(blob: Blob, name: string): void {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
