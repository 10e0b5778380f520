import { CalendarClock } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { WorkOrder } from "../../api/types";
import { relativeTime, shortTime } from "../lib/format";
import { useNow } from "../parts";

/** When it is due, in red and in words once it is late. */
export function Due({ order }: { order: Pick<WorkOrder, "due_at" | "state" | "closed_at"> }): ReactNode {
  const { t, i18n } = useTranslation();
  const now = useNow(60_000);
  if (!order.due_at) return null;
  const due = Date.parse(order.due_at);
  const late = due < now && !order.closed_at && order.state !== "done";
  return (
    <span className={`due${late ? " is-late" : ""}`} title={shortTime(due, i18n.language)}>
      <CalendarClock size={13} aria-hidden />
      {late ? t("order.overdue", { when: relativeTime(due, now, i18n.language) }) : t("order.due", { when: relativeTime(due, now, i18n.language) })}
    </span>
  );
}
