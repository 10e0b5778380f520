/** What the colours mean: quantity, unit, limits, and how many have no value. */
import { InputNumber, Segmented } from "antd";
import { RotateCcw, X } from "lucide-react";
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useBuilding } from "../context";
import { formatNumber, unitText } from "../lib/format";
import { useQuantityName } from "../lib/names";
import { asNumber } from "../lib/values";
import { IconButton } from "../parts";
import { useReadableVersion } from "../equipment/markers";
import { useEarlier, useTimeline } from "../timeline/hooks";
import { classesOf, differenceLimit, differences, OFF, onColour, scaleOf, scaleStops, stateColour, Tally, targetValues, type Colouring } from "./colour";
import { currentValues } from "./effects";
import { usePatch, useSceneState } from "./state";

const css = (rgb: readonly number[]): string => `rgb(${rgb.join(" ")})`;

export function Legend(): ReactNode {
  const { t } = useTranslation();
  const { colouring, limits, classes } = useSceneState();
  const patch = usePatch();
  const name = useQuantityName();
  const earlier = useEarlier();
  const [{ compared }] = useTimeline();
  if (!colouring) return null;
  if (earlier && compared === "difference" && colouring.kind === "number") return <Change colouring={colouring} valueOf={earlier.valueOf} />;
  const [low, high] = limits ?? [0, 1];
  return (
    <section className="legend" aria-label={t("scene.legend")}>
      <header>
        <b>{name(colouring.name, colouring.label)}</b>
        <span className="muted">{unitText(colouring.unit)}</span>
        <span className="grow" />
        {colouring.kind === "number" ? (
          <IconButton icon={RotateCcw} size={13} label={t("scene.resetLimits")} onClick={() => patch({ limits: null })} />
        ) : null}
        <IconButton icon={X} size={14} label={t("scene.colourOff")} onClick={() => patch({ colouring: null, limits: null })} />
      </header>
      {colouring.kind === "bool" ? (
        <div className="legend-states">
          <span><i style={{ background: css(onColour(colouring)) }} />{t("value.on")}</span>
          <span><i style={{ background: css(OFF) }} />{t("value.off")}</span>
        </div>
      ) : colouring.kind === "enum" ? (
        <div className="legend-states is-many">
          {colouring.states?.map(({ code, label }) => <span key={code}><i style={{ background: css(stateColour(colouring, code)) }} />{label}</span>)}
        </div>
      ) : (
        <>
          <Scale colouring={colouring} low={low} high={high} classes={classes} />
          <div className="legend-limits">
            <InputNumber size="small" variant="filled" controls={false} value={low} aria-label={t("scene.low")}
              onChange={(value) => value !== null && value < high && patch({ limits: [value, high] })} />
            <span className="muted num">{Math.round(((low + high) / 2) * 100) / 100}</span>
            <InputNumber size="small" variant="filled" controls={false} value={high} aria-label={t("scene.high")}
              onChange={(value) => value !== null && value > low && patch({ limits: [low, value] })} />
          </div>
          <Segmented block size="small" className="legend-kind" value={classes} aria-label={t("spatial.heat.scale")} onChange={(value) => patch({ classes: value })}
            options={[{ value: false, label: t("spatial.heat.smooth") }, { value: true, label: t("spatial.heat.classes") }]} />
        </>
      )}
      <Counts colouring={colouring} />
    </section>
  );
}

/** Of a comparison: less to the left, the same in the middle, more to the right. */
function Change({ colouring, valueOf }: { colouring: Colouring; valueOf: (handle: number) => number | null }): ReactNode {
  const { t, i18n } = useTranslation();
  const { live } = useBuilding();
  const name = useQuantityName();
  useReadableVersion(live, true);
  const all = new Set(colouring.points.map((one) => one.globalId)).size;
  const found = differences(targetValues(colouring, valueOf), currentValues(colouring, live));
  const limit = formatNumber(differenceLimit(found.values()), i18n.language);
  return (
    <section className="legend" aria-label={t("scene.legend")}>
      <header><b>{t("timeline.changed", { what: name(colouring.name, colouring.label) })}</b><span className="muted">{unitText(colouring.unit)}</span></header>
      <div className="legend-bar" style={{ background: `linear-gradient(to right, ${scaleStops("diverging").join(",")})` }} />
      <div className="legend-limits num"><span>−{limit}</span><span className="muted">0</span><span>+{limit}</span></div>
      <p className="muted" data-testid="heat-count">
        {t("scene.coloured", { count: found.size })}
        {all > found.size ? <span className="legend-none"><i className="hatch" />{t("spatial.heat.noData", { count: all - found.size })}</span> : null}
      </p>
    </section>
  );
}

function Scale({ colouring, low, high, classes }: { colouring: Colouring; low: number; high: number; classes: boolean }): ReactNode {
  const { i18n } = useTranslation();
  const scale = scaleOf(colouring);
  if (!classes) return <div className="legend-bar" style={{ background: `linear-gradient(to right, ${scaleStops(scale).join(",")})` }} />;
  const digits = (n: number): string => formatNumber(n, i18n.language);
  return (
    <div className="legend-classes">
      {classesOf(low, high, scale).map(({ from, to, colour }) => (
        <span key={from} title={`${digits(from)} – ${digits(to)} ${unitText(colouring.unit)}`} style={{ background: css(colour) }} />
      ))}
    </div>
  );
}

function Counts({ colouring }: { colouring: Colouring }): ReactNode {
  const { t } = useTranslation();
  const { live } = useBuilding();
  useReadableVersion(live, true);
  const tally = useMemo(() => new Tally(colouring), [colouring]);
  const having = tally.withValue((handle) => asNumber(live.values.get(handle)));
  const without = tally.all - having;
  return (
    <p className="muted" data-testid="heat-count">
      {t("scene.coloured", { count: having })}
      {without > 0 ? <span className="legend-none"><i className="hatch" />{t("spatial.heat.noData", { count: without })}</span> : null}
    </p>
  );
}
