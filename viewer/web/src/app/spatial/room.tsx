/** A room: how large it is and who says so, what is in it, how one gets in, what is next to it. */
import { Button } from "antd";
import { Box, CircleDot, DoorOpen, ScanEye, Square } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Rgb } from "../../engine";
import type { ElementDetail, Located } from "../../api/types";
import { formatNumber } from "../lib/format";
import { useClassName } from "../lib/names";
import { Empty, Failure, Lines } from "../parts";
import { usePatch, useScene, useSceneState, useShowElement } from "../scene/state";
import { COLOURS } from "./flow";
import { useRoom } from "./queries";
import { EMPTY } from "./state";
import type { Neighbour, RoomDetail, RoomDoor, Stated } from "./types";

const WORTH = 0.005; // a difference that rounding does not explain

export function RoomContents({ element }: { element: ElementDetail }): ReactNode {
  const { t } = useTranslation();
  const room = useRoom(element.id);
  if (room.isError) return <Failure error={room.error} retry={() => void room.refetch()} />;
  if (!room.data) return <Lines />;
  const { equipment, doors, neighbours, points } = room.data;
  return (
    <div className="sections">
      <Facts room={room.data} />
      <Neighbours room={room.data} neighbours={neighbours} />
      {doors.length > 0 ? <Doors doors={doors} neighbours={neighbours} /> : null}
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
  const { area, height, area_stated: areaStated, height_stated: heightStated, area_difference: apart, zones, use } = room;
  return (
    <dl className="facts">
      <Measure name={t("room.area")} value={area} unit="m²" stated={areaStated} apart={apart} />
      <Measure name={t("room.height")} value={height} unit="m" stated={heightStated} />
      {use ? <div><dt>{t("spatial.use")}</dt><dd>{use}</dd></div> : null}
      {zones && zones.length > 0 ? <div><dt>{t("spatial.zones")}</dt><dd>{zones.map((zone) => zone.name ?? zone.id).join(", ")}</dd></div> : null}
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
    one.kind ? t(`spatial.kind.${one.kind}`) : "",
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

function Doors({ doors, neighbours }: { doors: readonly RoomDoor[]; neighbours: readonly Neighbour[] }): ReactNode {
  const { t } = useTranslation();
  const show = useShowElement();
  const className = useClassName();
  const names = new Map(neighbours.map((one) => [one.id, one.name ?? one.global_id]));
  const where = (door: RoomDoor): string => {
    const { leads_to: to } = door;
    if (!to) return className(door.ifc_class);
    const rooms = (typeof to === "string" ? [to] : to).map((id) => (id === "outside" ? t("spatial.outside") : names.get(id))).filter(Boolean);
    return rooms.length > 0 ? t("spatial.leadsTo", { where: rooms.join(", ") }) : className(door.ifc_class);
  };
  return (
    <section className="own">
      <header><span>{t("room.doors")}</span><small>{doors.length}</small></header>
      {doors.map((door) => (
        <button type="button" key={door.id} className="line-button" onClick={() => show(door.global_id)}>
          <DoorOpen size={14} strokeWidth={1.6} aria-hidden />
          <span>{door.name ?? door.global_id}</span>
          <small>{where(door)}</small>
        </button>
      ))}
    </section>
  );
}

function Things({ title, items }: { title: string; items: readonly Located[] }): ReactNode {
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
