/** A room: how large it is and who says so, what is in it, how one gets in, what is next to it. */
import { Button } from "antd";
import { ArrowUpDown, Box, CircleDot, DoorOpen, RectangleVertical, ScanEye, Square } from "lucide-react";
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Rgb } from "../../engine";
import type { ElementDetail } from "../../api/types";
import { useBuilding } from "../context";
import { formatNumber } from "../lib/format";
import { useClassName } from "../lib/names";
import { Empty, Failure, Lines } from "../parts";
import { useTree } from "../queries";
import { usePatch, useScene, useSceneState, useShowElement } from "../scene/state";
import { spaceLabel } from "../scene/tree-rows";
import { COLOURS } from "./flow";
import { useRoom } from "./queries";
import { EMPTY } from "./state";
import type { Neighbour, RoomDetail, Stated } from "./types";

const WORTH = 0.005; // a difference that rounding does not explain

export function RoomContents({ element }: { element: ElementDetail }): ReactNode {
  const { t } = useTranslation();
  const room = useRoom(element.id);
  if (room.isError) return <Failure error={room.error} retry={() => void room.refetch()} />;
  if (!room.data) return <Lines />;
  const { equipment, neighbours, points } = room.data;
  return (
    <div className="sections">
      <Facts room={room.data} />
      <Neighbours room={room.data} neighbours={neighbours} />
      <Ways room={room.data} />
      {equipment.length === 0 ? <Empty icon={Box} title={t("room.empty")} /> : <Things title={t("room.equipment")} items={equipment} />}
      {points.length > 0 ? (
        <section className="own">
          <header><span>{t("spatial.points")}</span><small>{points.length}</small></header>
          {points.map((point) => <div key={point.id} className="line-text"><CircleDot size={12} aria-hidden /><span>{point.name}</span></div>)}
        </section>
      ) : null}
    </div>
  );
}

function Facts({ room }: { room: RoomDetail }): ReactNode {
  const { t } = useTranslation();
  const { area, height, zones, use } = room;
  return (
    <dl className="facts">
      <Measure name={t("room.area")} value={area} unit="m²" stated={room.area_stated} apart={room.area_difference} />
      <Measure name={t("room.height")} value={height} unit="m" stated={room.height_stated} apart={room.height_difference} />
      {use ? <div><dt>{t("spatial.use")}</dt><dd>{use}</dd></div> : null}
      {zones.length > 0 ? <div><dt>{t("spatial.zones")}</dt><dd>{zones.map((zone) => zone.name ?? zone.id).join(", ")}</dd></div> : null}
    </dl>
  );
}

function Measure({ name, value, unit, stated, apart }: {
  name: string; value: number | null; unit: string; stated?: Stated | null | undefined; apart?: number | null | undefined;
}): ReactNode {
  const { t, i18n } = useTranslation();
  if (value === null && !stated) return null;
  const written = (n: number): string => `${formatNumber(n, i18n.language)} ${unit}`;
  const source = stated?.source ? ` (${stated.source})` : "";
  const differs = apart !== null && apart !== undefined && Math.abs(apart) > WORTH;
  return (
    <div>
      <dt>{name}</dt>
      <dd className="num">
        {value === null ? null : <>{written(value)}{stated ? <em>{t("spatial.measured")}</em> : null}</>}
        {stated ? <small className="stated">{t("spatial.stated", { value: written(stated.value) })}{source}</small> : null}
        {differs ? <small className="stated is-apart">{t("spatial.difference", { percent: `${(Math.abs(apart) * 100).toFixed(1)} %` })}</small> : null}
      </dd>
    </div>
  );
}

function Neighbours({ room, neighbours }: { room: RoomDetail; neighbours: readonly Neighbour[] }): ReactNode {
  const { t, i18n } = useTranslation();
  const patch = usePatch();
  const scene = useScene();
  const { picture } = useSceneState();
  const show = useShowElement();
  if (neighbours.length === 0) return null;
  const on = picture?.colours.get(room.global_id) === COLOURS.here;
  const toggle = (): void => {
    if (on) return patch({ picture: null });
    const colours = new Map<string, Rgb>(neighbours.map((one) => [one.global_id, COLOURS.neighbour] as const));
    colours.set(room.global_id, COLOURS.here);
    patch({
      painted: null, colouring: null, limits: null, isolated: null, storey: room.storey_id, storeyMode: "cut",
      picture: { ...EMPTY, colours, labels: neighbours.map((one) => ({ id: one.id, globalId: one.global_id, text: one.name ?? one.global_id, kind: "room" })) },
    });
    void scene?.flyTo([room.global_id, ...neighbours.map((one) => one.global_id)].filter((one) => scene.has(one)), { margin: 1.25 });
  };
  const how = (one: Neighbour): string => [
    t(`spatial.kind.${one.kind}`),
    one.shared_length ? t("spatial.shared", { length: formatNumber(one.shared_length, i18n.language) }) : "",
  ].filter(Boolean).join(" · ");
  return (
    <section className="own">
      <header>
        <span>{t("room.neighbours")}</span><small>{neighbours.length}</small>
      </header>
      <Button size="small" block type={on ? "primary" : "default"} icon={<ScanEye size={14} aria-hidden />} aria-pressed={on} onClick={toggle} className="own-action">
        {on ? t("spatial.neighboursOn") : t("spatial.neighbours")}
      </Button>
      {neighbours.map((one) => (
        <button type="button" key={one.id} className="line-button" onClick={() => show(one.global_id)}
          onMouseEnter={() => scene?.highlight([one.global_id])} onMouseLeave={() => scene?.highlight([])}>
          <Square size={13} strokeWidth={1.6} aria-hidden />
          <span>{one.name ?? one.global_id}</span>
          <small>{how(one)}</small>
        </button>
      ))}
    </section>
  );
}

/** What one goes through, and where to: doors, passages that no door fills, stairs and lifts. */
function Ways({ room }: { room: RoomDetail }): ReactNode {
  const { t } = useTranslation();
  const show = useShowElement();
  const tree = useTreeNames();
  const ways = [
    ...room.doors.map((one) => ({ ...one, icon: DoorOpen })), ...room.passages.map((one) => ({ ...one, icon: RectangleVertical })),
    ...room.links.map((one) => ({ ...one, outside: false, icon: ArrowUpDown })),
  ];
  if (ways.length === 0) return null;
  const where = ({ leads_to: to, outside }: { leads_to: readonly string[]; outside: boolean }): string => {
    const names = [...to.map((id) => tree.get(id)), ...(outside ? [t("spatial.outside")] : [])].filter(Boolean);
    return names.length > 0 ? t("spatial.leadsTo", { where: names.slice(0, 3).join(", ") }) : "";
  };
  return (
    <section className="own">
      <header><span>{t("room.doors")}</span><small>{ways.length}</small></header>
      {ways.map((way) => (
        <button type="button" key={way.id} className="line-button" onClick={() => show(way.global_id)}>
          <way.icon size={14} strokeWidth={1.6} aria-hidden />
          <span>{way.name ?? way.global_id}</span>
          <small>{where(way)}</small>
        </button>
      ))}
    </section>
  );
}

/** Names of the building's rooms by server id. */
function useTreeNames(): ReadonlyMap<string, string> {
  const { building } = useBuilding();
  const tree = useTree(building.id);
  return useMemo(() => new Map((tree.data?.storeys ?? []).flatMap((storey) => storey.spaces.map((space) => [space.id, spaceLabel(space)] as const))), [tree.data]);
}

function Things({ title, items }: { title: string; items: RoomDetail["equipment"] }): ReactNode {
  const className = useClassName();
  const show = useShowElement();
  return (
    <section className="own">
      <header><span>{title}</span><small>{items.length}</small></header>
      {items.map((item) => (
        <button type="button" key={item.id} className="line-button" onClick={() => show(item.global_id)}>
          <Box size={14} strokeWidth={1.6} aria-hidden />
          <span>{item.name ?? item.global_id}</span>
          <small>{className(item.ifc_class)}</small>
        </button>
      ))}
    </section>
  );
}
