/** Ticking orders for a round trip. */
import { App, Button } from "antd";
import { Check, Waypoints, X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import type { WorkOrder } from "../../api/types";
import { useBuilding } from "../context";
import { everything } from "../queries";
import { isForToday, MOST, placeOf, stopsOf } from "../spatial/round";

export interface RoundChoice {
  /** In the order in which they were ticked; null: nobody is choosing. */
  ids: readonly string[] | null;
  begin: () => void;
  end: () => void;
  toggle: (order: WorkOrder) => void;
  set: (orders: readonly WorkOrder[]) => void;
}

export function useRoundChoice(): RoundChoice {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [ids, setIds] = useState<readonly string[] | null>(null);
  const keep = (next: readonly string[]): void => {
    if (next.length > MOST) void message.info(t("spatial.round.full", { count: MOST }));
    setIds(next.slice(0, MOST));
  };
  return {
    ids,
    begin: () => setIds([]),
    end: () => setIds(null),
    toggle: (order) => keep(ids?.includes(order.id) ? ids.filter((one) => one !== order.id) : [...(ids ?? []), order.id]),
    set: (orders) => keep(orders.map((one) => one.id)),
  };
}

/** What is chosen, what is mine today, and off. Stays in sight below the list. */
export function RoundBar({ choice }: { choice: RoundChoice }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const [looking, setLooking] = useState(false);
  const ids = choice.ids ?? [];
  const today = async (): Promise<void> => {
    setLooking(true);
    try {
      const mine = await everything<WorkOrder>("/work-orders", { building: building.id, state: "live", assignee: "me" });
      const now = Date.now();
      const chosen = stopsOf(mine.filter((one) => isForToday(one, now))).stops.flatMap((stop) => stop.orders);
      if (chosen.length === 0) void message.info(t("spatial.round.noToday"));
      choice.set(chosen);
    } catch (error) {
      void message.error(error instanceof Error ? error.message : String(error));
    } finally {
      setLooking(false);
    }
  };
  return (
    <div className="round-bar" role="toolbar" aria-label={t("spatial.round.title")}>
      <b className="num" aria-live="polite">{t("spatial.round.chosen", { count: ids.length })}</b>
      <small>{ids.length === 0 ? t("spatial.round.hint") : null}</small>
      <Button loading={looking} onClick={() => void today()}>{t("spatial.round.today")}</Button>
      {ids.length > 0 ? <Button onClick={() => choice.set([])}>{t("spatial.round.clear")}</Button> : null}
      <Button type="primary" icon={<Waypoints size={15} />} disabled={ids.length === 0}
        onClick={() => void navigate(`/b/${building.id}?${ids.map((id) => `round=${id}`).join("&")}`)}>{t("spatial.round.go")}</Button>
      <Button type="text" icon={<X size={15} />} aria-label={t("action.close")} onClick={choice.end} />
    </div>
  );
}

/** An order as something to tick. */
export function OrderChoice({ order, choice, children }: { order: WorkOrder; choice: RoundChoice; children: ReactNode }): ReactNode {
  const { t } = useTranslation();
  const nowhere = placeOf(order) === null;
  return (
    <button type="button" role="checkbox" aria-checked={choice.ids?.includes(order.id) ?? false} disabled={nowhere} title={nowhere ? t("spatial.round.noPlace") : undefined}
      className={`order-card is-choice sev-edge-${order.priority}`} onClick={() => choice.toggle(order)}>
      {children}
      <i className="choice-mark" aria-hidden><Check size={13} strokeWidth={3} /></i>
    </button>
  );
}
