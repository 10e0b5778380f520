import { InputNumber } from "antd";
import { RotateCcw, X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { unitText } from "../lib/format";
import { useQuantityName } from "../lib/names";
import { IconButton } from "../parts";
import { OFF, onColour, scaleOf, scaleStops } from "./colour";
import { usePatch, useSceneState } from "./state";

const css = (rgb: readonly number[]): string => `rgb(${rgb.join(" ")})`;

export function Legend(): ReactNode {
  const { t } = useTranslation();
  const { colouring, limits } = useSceneState();
  const patch = usePatch();
  const name = useQuantityName();
  if (!colouring) return null;
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
      ) : (
        <>
          <div className="legend-bar" style={{ background: `linear-gradient(to right, ${scaleStops(scaleOf(colouring)).join(",")})` }} />
          <div className="legend-limits">
            <InputNumber size="small" variant="filled" controls={false} value={low} aria-label={t("scene.low")}
              onChange={(value) => value !== null && value < high && patch({ limits: [value, high] })} />
            <span className="muted num">{Math.round(((low + high) / 2) * 100) / 100}</span>
            <InputNumber size="small" variant="filled" controls={false} value={high} aria-label={t("scene.high")}
              onChange={(value) => value !== null && value > low && patch({ limits: [low, value] })} />
          </div>
        </>
      )}
      <p className="muted">{t("scene.coloured", { count: new Set(colouring.points.map((one) => one.globalId)).size })}</p>
    </section>
  );
}
