/** What the colours of a widget mean: the quantity, its limits, its scale. */
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useBuilding } from "../context";
import { formatNumber, unitText } from "../lib/format";
import { useQuantityName } from "../lib/names";
import { asNumber, useValuesVersion } from "../lib/values";
import { OFF, onColour, scaleOf, scaleStops, startLimits, stateColour, targetValues, type Colouring, type Rgb } from "../scene/colour";

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
  const { i18n } = useTranslation();
  const name = useQuantityName();
  const states = useStates(colouring);
  const unit = unitText(colouring.unit);
  return (
    <p className="db-scale">
      <b>{name(colouring.name, colouring.label)}</b>
      {states.map(({ label, colour }) => <span key={label} className="db-state"><i className="is-dot" style={{ background: css(colour) }} aria-hidden />{label}</span>)}
      {colouring.kind === "number" && limits ? (
        <span className="db-state"><span className="num">{formatNumber(limits[0], i18n.language)}</span><i style={{ background: `linear-gradient(90deg, ${scaleStops(scaleOf(colouring)).join(", ")})` }} aria-hidden /><span className="num">{formatNumber(limits[1], i18n.language)} {unit}</span></span>
      ) : null}
    </p>
  );
}

const css = (rgb: readonly number[]): string => `rgb(${rgb.join(" ")})`;

/** States have no order: each its own colour and word, never a point on a scale. */
function useStates(colouring: Colouring): { label: string; colour: Rgb }[] {
  const { t } = useTranslation();
  if (colouring.kind === "bool") return [{ label: t("value.on"), colour: onColour(colouring) }, { label: t("value.off"), colour: OFF }];
  return (colouring.states ?? []).map(({ code, label }) => ({ label, colour: stateColour(colouring, code) }));
}
