import { useQuery } from "@tanstack/react-query";
import { Box, DoorOpen } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import type { ElementDetail, Located, Room } from "../../api/types";
import { formatNumber } from "../lib/format";
import { useClassName } from "../lib/names";
import { Empty, Failure, Lines } from "../parts";
import { useShowElement } from "./state";

/** What is in a room, how one gets in, and what is next to it. */
export function RoomContents({ element }: { element: ElementDetail }): ReactNode {
  const { t, i18n } = useTranslation();
  const room = useQuery({
    queryKey: ["element", "space", element.id],
    queryFn: ({ signal }) => get<Room>(`/spaces/${element.id}`, {}, signal),
  });
  if (room.isError) return <Failure error={room.error} retry={() => void room.refetch()} />;
  if (!room.data) return <Lines />;
  const { area, height, equipment, doors, neighbours } = room.data;
  return (
    <div className="sections">
      <dl className="facts">
        {area === null ? null : <div><dt>{t("room.area")}</dt><dd className="num">{formatNumber(area, i18n.language)} m²</dd></div>}
        {height === null ? null : <div><dt>{t("room.height")}</dt><dd className="num">{formatNumber(height, i18n.language)} m</dd></div>}
      </dl>
      {equipment.length === 0 ? <Empty icon={Box} title={t("room.empty")} /> : <List title={t("room.equipment")} items={equipment} />}
      {doors.length > 0 ? <List title={t("room.doors")} items={doors} /> : null}
      {neighbours.length > 0 ? <List title={t("room.neighbours")} items={neighbours} rooms /> : null}
    </div>
  );
}

function List({ title, items, rooms = false }: { title: string; items: Located[]; rooms?: boolean }): ReactNode {
  const className = useClassName();
  const showElement = useShowElement();
  const Icon = rooms ? DoorOpen : Box;
  return (
    <section className="own">
      <header><span>{title}</span><small>{items.length}</small></header>
      {items.map((item) => (
        <button type="button" key={item.id} className="line-button" onClick={() => {
          showElement(item.global_id);
        }}>
          <Icon size={14} strokeWidth={1.6} aria-hidden />
          <span>{item.name ?? item.global_id}</span>
          <small>{rooms ? "" : className(item.ifc_class)}</small>
        </button>
      ))}
    </section>
  );
}
