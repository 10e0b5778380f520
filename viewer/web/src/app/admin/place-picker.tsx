/** Where a grant counts: everywhere, or at one site, building, storey or system. */
import { Segmented, Select } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { PlaceKind, PlaceRef } from "../../api/identity";
import { usePlaces } from "./queries";

export interface PickedPlace {
  kind: PlaceKind | "everywhere";
  /** The building that a storey or system is chosen in. */
  building: string | null;
  id: string | null;
}

export const EVERYWHERE: PickedPlace = { kind: "everywhere", building: null, id: null };

/** The field of `POST /grants` that says it; none for everywhere. */
export const placeField = (place: PickedPlace): Partial<Record<PlaceKind, string>> =>
  place.kind === "everywhere" || !place.id ? {} : { [place.kind]: place.id };

export const isPicked = (place: PickedPlace | undefined): boolean => place !== undefined && (place.kind === "everywhere" || place.id !== null);

export function PlacePicker({ value = EVERYWHERE, onChange }: { value?: PickedPlace; onChange?: (value: PickedPlace) => void }): ReactNode {
  const { t } = useTranslation();
  const within = value.kind === "storey" || value.kind === "system";
  const outer = usePlaces(null);
  const inner = usePlaces(value.building, within && value.building !== null);
  const places = within ? inner : outer;
  const named = (list: readonly PlaceRef[] | undefined, kind: string): { value: string; label: string }[] =>
    (list ?? []).filter((one) => one.kind === kind).map((one) => ({ value: one.id, label: one.name }));
  return (
    <div className="place-picker">
      <Segmented block value={value.kind} onChange={(kind) => onChange?.({ kind, building: value.building, id: null })}
        options={(["everywhere", "site", "building", "storey", "system"] as const).map((kind) => ({ value: kind, label: t(`access.place.${kind}`) }))} />
      {within ? (
        <Select showSearch={{ optionFilterProp: "label" }} placeholder={t("access.place.inBuilding")} aria-label={t("access.place.building")} value={value.building} loading={outer.isPending}
          options={named(outer.data, "building")} onChange={(building: string) => onChange?.({ ...value, building, id: null })} />
      ) : null}
      {value.kind !== "everywhere" ? (
        <Select showSearch={{ optionFilterProp: "label" }} placeholder={t(`access.place.choose.${value.kind}`)} aria-label={t(`access.place.${value.kind}`)} value={value.id}
          loading={places.isLoading} disabled={within && !value.building} options={named(places.data, value.kind)} onChange={(id: string) => onChange?.({ ...value, id })} />
      ) : null}
    </div>
  );
}
