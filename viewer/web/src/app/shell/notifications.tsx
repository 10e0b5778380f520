import { Badge, Button, Popover } from "antd";
import { BellRing, Inbox } from "lucide-react";
import { useContext, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { post } from "../../api/client";
import type { Notification } from "../../api/types";
import { BuildingContext } from "../context";
import { useNotificationText } from "../lib/names";
import { Ago, Empty } from "../parts";
import { useNotifications, useWrite } from "../queries";

export function Notifications(): ReactNode {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const list = useNotifications();
  const items = list.data?.items ?? [];
  const unread = items.filter((one) => !one.read_at).length;
  return (
    <Popover trigger="click" placement="bottomRight" open={open} onOpenChange={setOpen} classNames={{ root: "notifications" }}
      content={<NotificationList items={items} close={() => setOpen(false)} />} title={t("notifications.title")}>
      <button type="button" className="icon-button" aria-label={t("notifications.open", { count: unread })}>
        <Badge count={unread} size="small" offset={[3, -3]}>
          <BellRing size={17} strokeWidth={1.7} aria-hidden />
        </Badge>
      </button>
    </Popover>
  );
}

function NotificationList({ items, close }: { items: Notification[]; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const building = useContext(BuildingContext)?.building;
  const navigate = useNavigate();
  const text = useNotificationText();
  const read = useWrite((ids: number[]) => post("/notifications/read", { ids }), ["notifications"]);
  if (items.length === 0) return <Empty icon={Inbox} title={t("notifications.none")} hint={t("notifications.noneHint")} />;
  const unread = items.filter((one) => !one.read_at);
  return (
    <div>
      <ul className="notification-list">
        {items.map((one) => (
          <li key={one.id} className={one.read_at ? "is-read" : ""}>
            <button type="button" onClick={() => {
              if (!one.read_at) read.mutate([one.id]);
              close();
              const where = `/b/${one.building_id ?? building?.id}`;
              if (one.work_order_id) void navigate(`${where}/orders/${one.work_order_id}`);
              else if (one.alarm_id) void navigate(`${where}/alarms?alarm=${one.alarm_id}`);
            }}>
              <span>{text(one)}</span>
              <Ago at={one.at} />
            </button>
          </li>
        ))}
      </ul>
      {unread.length > 0 ? (
        <Button type="text" size="small" block onClick={() => read.mutate(unread.map((one) => one.id))}>{t("notifications.readAll")}</Button>
      ) : null}
    </div>
  );
}
