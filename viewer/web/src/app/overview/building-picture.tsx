/** A small picture of the building with the storeys and rooms marked that a number is about. */
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { draw, type DrawnStorey } from "./drawing";
import type { Picture, Spot } from "./queries";

export function BuildingPicture({ picture, spots, share = null, label }: {
  picture: Picture | undefined; spots: readonly Spot[]; share?: ReadonlyMap<string, number> | null; label?: string;
}): ReactNode {
  const { t } = useTranslation();
  const drawing = useMemo(() => (picture ? draw(picture, spots, share) : null), [picture, spots, share]);
  if (!drawing) return <span className="ov-picture is-empty" aria-hidden />;
  const marked = drawing.storeys.filter((storey) => storey.tone === "warn" || storey.tone === "bad").map((storey) => storey.name);
  const text = label ?? (marked.length > 0 ? t("overview.where", { places: marked.join(", ") }) : t("overview.whereNone"));
  return (
    <svg className="ov-picture" viewBox={drawing.box} role="img" aria-label={text} preserveAspectRatio="xMidYMid meet">
      {drawing.storeys.map((storey) => <Storey key={storey.id} storey={storey} />)}
    </svg>
  );
}

function Storey({ storey }: { storey: DrawnStorey }): ReactNode {
  const tone = storey.tone ? ` pic-${storey.tone}` : "";
  return (
    <g className={`pic-storey${tone}`} strokeWidth={0.12}>
      {storey.rooms.map((room) => <path key={room.id} className={`pic-room pic-${room.tone}`} d={room.path} />)}
      <path className="pic-left" d={storey.left} />
      <path className="pic-right" d={storey.right} />
      <path className="pic-top" d={storey.top} />
      {storey.tone ? <path className="pic-tint" d={storey.left + storey.right} opacity={storey.strength} /> : null}
    </g>
  );
}
