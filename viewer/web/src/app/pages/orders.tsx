/** Work orders as a board (wide) or a list with big targets (phone). */
import { Button, Segmented } from "antd";
import { ClipboardCheck, Columns3, List, MapPin, Plus, Waypoints } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import type { OrderState, WorkOrder } from "../../api/types";
import { useBuilding } from "../context";
import { usePhone } from "../lib/prefs";
import { createSavedStore, useStore } from "../lib/store";
import { placeText } from "../lib/place";
import { Ago, Empty, Failure, OrderStateTag, PageHead, PriorityMark } from "../parts";
import { itemsOf, useOrders } from "../queries";
import { useMay } from "../session";
import { OrderForm } from "./order-form";
import { RowSkeletons } from "./alarms";
import { Due } from "./order-parts";
import { OrderChoice, RoundBar, useRoundChoice, type RoundChoice } from "./round-choice";
import "../spatial/spatial.css";

const COLUMNS: OrderState[] = ["open", "assigned", "in_progress", "done"];
const layout = createSavedStore<"board" | "list">("twin.orders", "board");

export default function Orders(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const phone = usePhone();
  const may = useMay();
  const kind = useStore(layout);
  const [params, setParams] = useSearchParams();
  const shown = params.get("show") ?? "live";
  const [creating, setCreating] = useState(false);
  const round = useRoundChoice();
  const choice = round.ids && shown !== "closed" ? round : null;
  const orders = useOrders({
    building: building.id, limit: 200, state: shown === "closed" ? ["verified", "cancelled"] : "live",
    assignee: shown === "mine" ? "me" : null,
  });
  const items = itemsOf(orders.data);
  const board = !phone && kind === "board" && shown !== "closed";
  return (
    <div className={`page-body${board ? " is-wide" : ""}`}>
      <PageHead title={t("nav.orders")}>
        <Segmented value={shown} onChange={(value) => setParams({ show: value }, { replace: true })} options={[
          { value: "live", label: t("order.show.live") }, { value: "mine", label: t("order.show.mine") }, { value: "closed", label: t("order.show.closed") },
        ]} />
        {phone ? null : (
          <Segmented value={kind} onChange={(value) => layout.set(value as "board" | "list")} disabled={shown === "closed"} options={[
            { value: "board", icon: <Columns3 size={15} />, title: t("order.board") }, { value: "list", icon: <List size={15} />, title: t("order.list") },
          ]} />
        )}
        {shown !== "closed" && items.length > 0 && !choice ? <Button icon={<Waypoints size={15} />} onClick={round.begin}>{t("spatial.round.choose")}</Button> : null}
        {may("work_order.write") ? <Button type="primary" icon={<Plus size={15} />} onClick={() => setCreating(true)}>{t("order.create")}</Button> : null}
      </PageHead>
      {orders.isError ? <Failure error={orders.error} retry={() => void orders.refetch()} /> : !orders.data ? <RowSkeletons /> : items.length === 0 ? (
        <Empty icon={ClipboardCheck} title={t(`order.none.${shown as "live"}`)} hint={t("order.noneHint")} />
      ) : board ? (
        <div className="board">
          {COLUMNS.map((state) => {
            const column = items.filter((one) => one.state === state);
            return (
              <section key={state} className="board-column" aria-label={t(`order.state.${state}`)}>
                <header><OrderStateTag state={state} /><span className="muted num">{column.length}</span></header>
                <div className="board-cards">{column.map((order) => <OrderCard key={order.id} order={order} choice={choice} />)}</div>
              </section>
            );
          })}
        </div>
      ) : (
        <div className="cards">{items.map((order) => <OrderCard key={order.id} order={order} choice={choice} state />)}</div>
      )}
      {orders.hasNextPage ? <div className="rows-more"><Button loading={orders.isFetchingNextPage} onClick={() => void orders.fetchNextPage()}>{t("action.more")}</Button></div> : null}
      {choice ? <RoundBar choice={choice} /> : null}
      {creating ? <OrderForm open close={() => setCreating(false)} /> : null}
    </div>
  );
}

function OrderCard({ order, choice, state = false }: { order: WorkOrder; choice: RoundChoice | null; state?: boolean }): ReactNode {
  if (choice) return <OrderChoice order={order} choice={choice}><OrderText order={order} state={state} /></OrderChoice>;
  return (
    <Link to={`/b/${order.building_id}/orders/${order.id}`} className={`order-card sev-edge-${order.priority}`}>
      <OrderText order={order} state={state} />
    </Link>
  );
}

function OrderText({ order, state }: { order: WorkOrder; state: boolean }): ReactNode {
  const { t } = useTranslation();
  const ticked = order.checklist.filter((one) => one.done).length;
  return (
    <>
      <span className="card-top">
        {state ? <OrderStateTag state={order.state} /> : <PriorityMark priority={order.priority} />}
        <span className="muted num">#{order.number}</span>
      </span>
      <b>{order.title}</b>
      <span className="row-place muted"><MapPin size={13} aria-hidden />{placeText(order) || t("order.wholeBuilding")}</span>
      <span className="card-bottom muted">
        {state ? <PriorityMark priority={order.priority} /> : null}
        {order.closed_at ? <Ago at={order.closed_at} /> : <Due order={order} />}
        {order.checklist.length > 0 ? <span className="num">{ticked}/{order.checklist.length}</span> : null}
        <span className="grow" />
        <span>{order.assignee ?? (order.crew ? t(`role.${order.crew}` as "role.crew", { defaultValue: order.crew }) : "")}</span>
      </span>
    </>
  );
}
