/** The timeline under the model: drag to a past moment, play, see when something was wrong. */
import { Button, Select, Slider } from "antd";
import { ChevronLeft, ChevronRight, Pause, Play, X } from "lucide-react";
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useErrorText, IconButton } from "../parts";
import { formatTime, shortTime } from "../lib/format";
import { useShowElement } from "../scene/state";
import { alarmsAt, marksOf, ordersAt } from "./frames";
import { usePast, useTimeline } from "./hooks";
import { CLOSED, shifted, SPANS, SPEEDS, widened, type SpanKey } from "./state";
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
  const { moment, playing, speed, span } = timeline;
  const failed = frames.error ?? past.error;
  const alarms = past.data?.alarms ?? [];
  const now = moment ?? to;
  const held = alarmsAt(alarms, now).length;
  const open = ordersAt(past.data?.orders ?? [], now).length;
  const play = (): void => patch((before) => ({ ...before, playing: !before.playing, moment: before.playing ? before.moment : before.moment === null || before.moment >= before.end ? from : before.moment }));
  return (
    <section className={`timeline${moment === null ? "" : " is-past"}`} aria-label={t("timeline.title")}>
      <div className="timeline-row">
        <IconButton icon={playing ? Pause : Play} size={16} label={t(playing ? "timeline.pause" : "timeline.play")} disabled={!frames.data} onClick={play} />
        <Select size="small" variant="borderless" value={speed} onChange={(value) => patch({ speed: value })} aria-label={t("timeline.speed")} popupMatchSelectWidth={false}
          options={SPEEDS.map((one) => ({ value: one, label: `${one.toLocaleString(i18n.language)} ×` }))} />
        <b className="num timeline-now" role="status">{moment === null ? t("timeline.present") : formatTime(moment, i18n.language)}</b>
        <span className="muted timeline-facts">{t("timeline.alarms", { count: held })} · {t("timeline.orders", { count: open })}</span>
        <span className="grow" />
        {moment === null ? null : <Button size="small" type="primary" onClick={() => patch({ moment: null, playing: false })}>{t("timeline.back")}</Button>}
        <Select size="small" variant="borderless" value={span} onChange={(value: SpanKey) => patch((before) => widened(before, value, Date.now()))} aria-label={t("timeline.window")} popupMatchSelectWidth={false}
          options={(Object.keys(SPANS) as SpanKey[]).map((value) => ({ value, label: t(`timeline.span.${value}`) }))} />
        <IconButton icon={X} size={15} label={t("timeline.close")} onClick={() => patch((before) => ({ ...CLOSED, span: before.span, speed: before.speed }))} />
      </div>
      <div className="timeline-row">
        <IconButton icon={ChevronLeft} size={15} label={t("timeline.earlier")} onClick={() => patch((before) => shifted(before, -1, Date.now()))} />
        <div className={`timeline-track${frames.isPending ? " is-loading" : ""}`}>
          <Marks />
          <Slider min={from} max={to} step={Math.max(1, Math.round(SPANS[span] / 2400))} value={now} tooltip={{ formatter: (value) => (value === undefined ? "" : formatTime(value, i18n.language)) }}
            ariaLabelForHandle={t("timeline.moment")} ariaValueTextFormatterForHandle={(value) => formatTime(value, i18n.language)} onChange={(value) => patch({ moment: value, playing: false })} />
          <div className="timeline-ends num"><span>{shortTime(from, i18n.language)}</span><span>{shortTime(to, i18n.language)}</span></div>
        </div>
        <IconButton icon={ChevronRight} size={15} label={t("timeline.later")} onClick={() => patch((before) => shifted(before, 1, Date.now()))} />
      </div>
      {failed ? <p className="timeline-failed" role="alert">{errorText(failed)} <Button size="small" type="link" onClick={() => void Promise.all([frames.refetch(), past.refetch()])}>{t("action.retry")}</Button></p> : null}
    </section>
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
