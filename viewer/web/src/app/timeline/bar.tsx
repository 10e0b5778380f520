/** The timeline under the model: drag to a past moment, play, see when something was wrong. */
import { Button, Segmented, Select, Slider } from "antd";
import { ChevronLeft, ChevronRight, Columns2, Pause, Play, X } from "lucide-react";
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useErrorText, IconButton } from "../parts";
import { serverNow } from "../lib/clock";
import { formatTime, shortTime } from "../lib/format";
import { useSceneState, useShowElement } from "../scene/state";
import { Divider } from "./divider";
import { alarmsAt, marksOf, ordersAt } from "./frames";
import { usePast, useTimeline } from "./hooks";
import { CLOSED, comparing, placed, shifted, SPANS, SPEEDS, widened, type SpanKey, type Timeline } from "./state";
import { TakeAlong } from "./take";
import "./timeline.css";

const COLUMNS = 240;

export function TimelineBar(): ReactNode {
  const [{ open }] = useTimeline();
  return open ? <Bar /> : null;
}

function Bar(): ReactNode {
  const { t, i18n } = useTranslation();
  const [timeline, patch] = useTimeline();
  const { frames, past, from, to } = usePast();
  const errorText = useErrorText();
  const { moment, playing, speed, span, earlier } = timeline;
  const failed = frames.error ?? past.error;
  const now = moment ?? to;
  const play = (): void => patch((before) => ({ ...before, playing: !before.playing, moment: before.playing ? before.moment : before.moment === null || before.moment >= before.end ? from : before.moment }));
  return (
    <section className={`timeline${moment === null ? "" : " is-past"}${earlier === null ? "" : " is-compared"}`} aria-label={t("timeline.title")}>
      <Divider />
      <div className="timeline-row timeline-tools">
        <IconButton icon={playing ? Pause : Play} size={16} label={t(playing ? "timeline.pause" : "timeline.play")} disabled={!frames.data} onClick={play} />
        <Select size="small" variant="borderless" value={speed} onChange={(value) => patch({ speed: value })} aria-label={t("timeline.speed")} popupMatchSelectWidth={false}
          options={SPEEDS.map((one) => ({ value: one, label: `${one.toLocaleString(i18n.language)} ×` }))} />
        <b className="num timeline-now" role="status">{moment === null ? t("timeline.present") : formatTime(moment, i18n.language)}</b>
        <Facts />
        <span className="grow" />
        {moment === null ? null : <Button size="small" type="primary" onClick={() => patch({ moment: null, playing: false })}>{t("timeline.back")}</Button>}
        <IconButton icon={Columns2} size={15} label={t(earlier === null ? "timeline.compare" : "timeline.compareEnd")} active={earlier !== null} disabled={!frames.data} onClick={() => patch((before) => comparing(before, earlier === null))} />
        <TakeAlong />
        <Select size="small" variant="borderless" value={span} onChange={(value: SpanKey) => patch((before) => widened(before, value, serverNow()))} aria-label={t("timeline.window")} popupMatchSelectWidth={false}
          options={(Object.keys(SPANS) as SpanKey[]).map((value) => ({ value, label: t(`timeline.span.${value}`) }))} />
        <IconButton icon={X} size={15} label={t("timeline.close")} onClick={() => patch((before) => ({ ...CLOSED, span: before.span, speed: before.speed }))} />
      </div>
      {earlier === null ? null : <Compared />}
      <div className="timeline-row">
        <IconButton icon={ChevronLeft} size={15} label={t("timeline.earlier")} onClick={() => patch((before) => shifted(before, -1, serverNow()))} />
        <div className={`timeline-track${frames.isPending ? " is-loading" : ""}`}>
          <Marks />
          <Handles now={now} />
          <div className="timeline-ends num"><span>{shortTime(from, i18n.language)}</span><span>{shortTime(to, i18n.language)}</span></div>
        </div>
        <IconButton icon={ChevronRight} size={15} label={t("timeline.later")} onClick={() => patch((before) => shifted(before, 1, serverNow()))} />
      </div>
      {failed ? <p className="timeline-failed" role="alert">{errorText(failed)} <Button size="small" type="link" onClick={() => void Promise.all([frames.refetch(), past.refetch()])}>{t("action.retry")}</Button></p> : null}
    </section>
  );
}

/** How many alarms held and orders were open; while two moments are compared, at both. */
function Facts(): ReactNode {
  const { t } = useTranslation();
  const [{ moment, earlier }] = useTimeline();
  const { past, to } = usePast();
  const facts = (at: number): string => [t("timeline.alarms", { count: alarmsAt(past.data?.alarms ?? [], at).length }), t("timeline.orders", { count: ordersAt(past.data?.orders ?? [], at).length })].join(" · ");
  return <span className="muted timeline-facts">{earlier === null ? "" : `${facts(earlier)} → `}{facts(moment ?? to)}</span>;
}

/** Where the shown moment is, and beside it the one that it is compared with. */
function Handles({ now }: { now: number }): ReactNode {
  const { t, i18n } = useTranslation();
  const [{ earlier, span }, patch] = useTimeline();
  const { from, to } = usePast();
  const say = (value: number | undefined): string => (value === undefined ? "" : formatTime(value, i18n.language));
  const common = { min: from, max: to, step: Math.max(1, Math.round(SPANS[span] / 2400)), tooltip: { formatter: say } };
  if (earlier === null) {
    return <Slider {...common} value={now} ariaLabelForHandle={t("timeline.moment")} ariaValueTextFormatterForHandle={say} onChange={(value) => patch({ moment: value, playing: false })} />;
  }
  return (
    <Slider range {...common} value={[earlier, now]} ariaLabelForHandle={[t("timeline.earlierMoment"), t("timeline.laterMoment")]} ariaValueTextFormatterForHandle={[say, say]}
      onChange={([first, second]) => patch((before) => placed(before, first ?? earlier, second ?? now))} />
  );
}

/** Side by side or the difference; and what is missing to see any. */
function Compared(): ReactNode {
  const { t } = useTranslation();
  const { colouring } = useSceneState();
  const [{ compared }, patch] = useTimeline();
  return (
    <div className="timeline-row timeline-compared">
      <Segmented size="small" value={compared} aria-label={t("timeline.comparedAs")} onChange={(value: Timeline["compared"]) => patch({ compared: value })}
        options={[{ value: "split", label: t("timeline.split") }, { value: "difference", label: t("timeline.difference"), disabled: colouring !== null && colouring.kind !== "number" }]} />
      {colouring ? null : <span className="muted">{t("timeline.pickQuantity")}</span>}
    </div>
  );
}

/** When alarms rose and orders were made; one click goes to that moment and its place. */
function Marks(): ReactNode {
  const { t, i18n } = useTranslation();
  const [, patch] = useTimeline();
  const { past, frames, from, to } = usePast();
  const show = useShowElement();
  const marks = useMemo(() => marksOf(past.data?.alarms ?? [], past.data?.orders ?? [], from, to, COLUMNS), [past.data, from, to]);
  return (
    <div className="timeline-marks">
      {marks.map((mark) => (
        <button key={`${mark.at}${mark.label}`} type="button" tabIndex={-1} className={`timeline-mark is-${mark.severity}`} style={{ left: `${((mark.at - from) / (to - from)) * 100}%` }}
          title={`${shortTime(mark.at, i18n.language)}  ${mark.label}`} aria-label={t("timeline.goTo", { what: mark.label })} onClick={() => {
            // The first frame that has what made it.
            patch({ moment: Math.min(to, mark.at + (frames.data?.step ?? 0)), playing: false });
            if (mark.element) show(mark.element);
          }} />
      ))}
    </div>
  );
}
