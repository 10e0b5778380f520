/** What the colours of a widget mean: the quantity, its limits, its scale. */
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useBuilding } from "../context";
import { formatNumber, unitText } from "../lib/format";
import { useQuantityName } from "../lib/names";
import { asNumber, useValuesVersion } from "../lib/values";
import { OFF, onColour, scaleOf, scaleStops, startLimits, targetValues, type Colouring } from "../scene/colour";

/** Limits that stay: the usual ones of rooms, or those of the values when the widget opened. */
export function useLimits(colouring: Colouring | null): readonly [number, number] | null {
  const { live } = useBuilding();
  const version = useValuesVersion(colouring !== null);
  const known = version > 0 || live.status === "live";
  return useMemo(() => {
    if (!colouring || !known) return null;
    const values = [...targetValues(colouring, (handle) => asNumber(live.values.get(handle))).values()];
    return values.length > 0 ? startLimits(colouring, values) : null;
     
  }, [colouring, known, live]);
}

export function Scale({ colouring, limits }: { colouring: Colouring; limits: readonly [number, number] | null }): ReactNode {
  const { t, i18n } = useTranslation();
  const name = useQuantityName();
  const stops = colouring.kind === "bool" ? null : `linear-gradient(90deg, ${scaleStops(scaleOf(colouring)).join(", ")})`;
  const css = (rgb: readonly number[]): string => `rgb(${rgb.join(" ")})`;
  return (
    <p className="db-scale">
      <b>{name(colouring.name, colouring.label)}</b>
      {stops ? (
        limits ? <><span className="num">{formatNumber(limits[0], i18n.language)}</span><i style={{ background: stops }} aria-hidden /><span className="num">{formatNumber(limits[1], i18n.language)} {unitText(colouring.unit)}</span></> : null
      ) : <><i className="is-dot" style={{ background: css(onColour(colouring)) }} aria-hidden />{t("value.on")}<i className="is-dot" style={{ background: css(OFF) }} aria-hidden />{t("value.off")}</>}
    </p>
  );
}
