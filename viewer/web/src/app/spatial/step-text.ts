/** A step in words: the server's own where it sends them, else put together here. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { plainKind, type Leg } from "./route";
import { textIn } from "./say";
import type { RouteAnswer } from "./types";

const OWN = { stair: "stairs", lift: "liftName", ramp: "rampName", escalator: "escalatorName" } as const;

export function useStepText(route: RouteAnswer): (leg: Leg) => string {
  const { t, i18n } = useTranslation();
  return useCallback((leg) => {
    const { step, rise } = leg;
    const said = textIn(step.text, i18n.language);
    if (said) return said;
    const kind = plainKind(step.kind);
    const room = step.room?.name;
    const name = step.element?.name;
    if (kind === "start") return t("spatial.route.start");
    if (kind === "arrive") return t("spatial.route.arrive");
    if (kind === "door") return name ? t("spatial.route.door", { name }) : t("spatial.route.doorOn");
    if (kind === "opening") return room ? t("spatial.route.opening", { room }) : t("spatial.route.openingOn");
    if (kind === "stair" || kind === "lift" || kind === "ramp" || kind === "escalator") {
      const what = name ?? t(`spatial.route.${OWN[kind]}`);
      const storey = storeyAfter(route, leg) ?? t("spatial.route.thatStorey");
      if (kind === "ramp") return t("spatial.route.ramp", { name: what });
      if (kind === "lift") return t("spatial.route.lift", { name: what, storey });
      if (kind === "escalator") return t("spatial.route.escalator", { name: what, storey });
      return rise === 0 ? t("spatial.route.stair", { name: what }) : t(rise > 0 ? "spatial.route.stairUp" : "spatial.route.stairDown", { name: what, storey });
    }
    return room ? t("spatial.route.walk", { room }) : t("spatial.route.walkOn");
  }, [t, i18n.language, route]);
}

/** The storey that the next step with one is on. */
function storeyAfter(route: RouteAnswer, leg: Leg): string | null {
  const at = route.steps.indexOf(leg.step);
  const id = route.steps.slice(at + 1).find((one) => one.storey)?.storey;
  return route.storeys.find((one) => one.id === id)?.name ?? null;
}
