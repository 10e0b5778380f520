/** Alarms: who needs attention, where, since when; the chosen one beside the list. */
import { App, Button, Drawer, Input, Segmented, Select, Skeleton } from "antd";
import { BellOff, Box, ClipboardPlus, MapPin } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useSearchParams } from "react-router";
import { post } from "../../api/client";
import type { Alarm, AlarmDetail, Severity, WorkOrder } from "../../api/types";
import { useBuilding } from "../context";
import { formatNumber, shortTime, unitText } from "../lib/format";
import { useActorName, useAlarmText } from "../lib/names";
import { placeText } from "../lib/place";
import { Ago, Empty, Failure, Lasting, LinkButton, PageHead, SeverityTag } from "../parts";
import { itemsOf, useAlarm, useAlarms, useOrder, useWrite } from "../queries";
import { useMay } from "../session";
import { NearestCrew } from "../spatial/crew";
import { RouteLink } from "../spatial/links";
import "../spatial/spatial.css";

const SHOWN = { open: "open", unacked: ["unacked", "rtn_unacked", "latched_unacked"], closed: "closed" } as const;
type Shown = keyof typeof SHOWN;

export default function Alarms(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const [params, setParams] = useSearchParams();
  const shown = (params.get("show") ?? "open") as Shown;
  const severity = params.get("severity") as Severity | null;
  const chosen = params.get("alarm");
  const alarms = useAlarms({ building: building.id, state: SHOWN[shown] ?? "open", severity, limit: 100 });
  const items = itemsOf(alarms.data);
  const set = (change: Record<string, string | null>): void => setParams((previous) => {
    for (const [key, value] of Object.entries(change)) {
      if (value) previous.set(key, value);
      else previous.delete(key);
    }
    return previous;
  }, { replace: true });
  return (
    <div className="page-body">
      <PageHead title={t("nav.alarms")} sub={shown === "open" && alarms.data ? t("alarm.countOpen", { count: items.length }) : null}>
        <Select allowClear placeholder={t("alarm.anySeverity")} value={severity} aria-label={t("alarm.severity")}
          onChange={(value: Severity | undefined) => set({ severity: value ?? null })} style={{ minWidth: 120 }}
          options={(["critical", "high", "medium", "low"] as const).map((one) => ({ value: one, label: t(`severity.${one}`) }))} />
        <Segmented value={shown} onChange={(value) => set({ show: value, alarm: null })} options={[
          { value: "open", label: t("alarm.show.open") }, { value: "unacked", label: t("alarm.show.unacked") },
          { value: "closed", label: t("alarm.show.closed") },
        ]} />
      </PageHead>
      {alarms.isError ? <Failure error={alarms.error} retry={() => void alarms.refetch()} /> : !alarms.data ? <RowSkeletons /> : items.length === 0 ? (
        <Empty icon={BellOff} title={t(shown === "closed" ? "alarm.noneClosed" : "alarm.none")} hint={t("alarm.noneHint")} />
      ) : (
        <ul className="rows" aria-label={t("nav.alarms")}>
          {items.map((alarm) => <AlarmRow key={alarm.id} alarm={alarm} chosen={alarm.id === chosen} open={() => set({ alarm: alarm.id })} />)}
          {alarms.hasNextPage ? (
            <li className="rows-more"><Button loading={alarms.isFetchingNextPage} onClick={() => void alarms.fetchNextPage()}>{t("action.more")}</Button></li>
          ) : null}
        </ul>
      )}
      <Drawer open={chosen !== null} onClose={() => set({ alarm: null })} size={440} title={t("alarm.title")} classNames={{ body: "flush" }}
        destroyOnHidden>
        {chosen ? <AlarmView id={chosen} /> : null}
      </Drawer>
    </div>
  );
}

export function RowSkeletons(): ReactNode {
  return (
    <div className="rows" aria-busy="true">
      {Array.from({ length: 6 }, (_, i) => <div key={i} className="row-skeleton"><Skeleton active title={{ width: "46%" }} paragraph={{ rows: 1, width: "30%" }} /></div>)}
    </div>
  );
}

function AlarmRow({ alarm, chosen, open }: { alarm: Alarm; chosen: boolean; open: () => void }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const text = useAlarmText();
  const may = useMay();
  const acknowledge = useAcknowledge();
  const navigate = useNavigate();
  return (
    <li className={`row sev-edge-${alarm.severity}${chosen ? " is-chosen" : ""}${alarm.active ? "" : " is-quiet"}`}>
      <button type="button" className="row-main" onClick={open}>
        <span className="row-line">
          <SeverityTag severity={alarm.severity} />
          <b>{text(alarm)}</b>
          {alarm.count > 1 ? <span className="tag is-plain num">×{alarm.count}</span> : null}
        </span>
        <span className="row-line muted">
          <span className="row-place"><MapPin size={13} aria-hidden />{placeText(alarm) || t("alarm.noPlace")}</span>
          <AlarmStateText alarm={alarm} />
          <span>{t("alarm.for")} <Lasting from={alarm.raised_at} to={alarm.closed_at ?? alarm.returned_at} /></span>
        </span>
      </button>
      <span className="row-actions">
        <Button size="small" icon={<Box size={14} />} onClick={() => void navigate(`/b/${building.id}?alarm=${alarm.id}`)}>{t("alarm.show3d")}</Button>
        {may("alarm.acknowledge") && !alarm.acked && !alarm.closed_at ? (
          <Button size="small" type="primary" loading={acknowledge.isPending}
            onClick={() => acknowledge.mutate({ id: alarm.id, comment: "" })}>{t("alarm.acknowledge")}</Button>
        ) : null}
      </span>
    </li>
  );
}

function AlarmStateText({ alarm }: { alarm: Alarm }): ReactNode {
  const { t } = useTranslation();
  return <span className={`state-text${alarm.acked ? "" : " is-strong"}`}>{t(`alarm.state.${alarm.state}`)}</span>;
}

export function useAcknowledge(): ReturnType<typeof useWrite<{ id: string; comment: string }>> {
  return useWrite(({ id, comment }: { id: string; comment: string }) => post(`/alarms/${id}/ack`, comment ? { comment } : {}),
    ["alarms", "alarm", "overview"]);
}

export function AlarmView({ id }: { id: string }): ReactNode {
  const query = useAlarm(id);
  if (query.isError) return <Failure error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <div className="pad"><Skeleton active /></div>;
  return <AlarmBody alarm={query.data} />;
}

function AlarmBody({ alarm }: { alarm: AlarmDetail }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const text = useAlarmText();
  const may = useMay();
  const [comment, setComment] = useState("");
  const acknowledge = useAcknowledge();
  const note = useWrite((words: string) => post(`/alarms/${alarm.id}/comment`, { comment: words }), ["alarm"], () => setComment(""));
  const order = useWrite(() => post<WorkOrder>(`/alarms/${alarm.id}/work-order`), ["alarm", "alarms", "orders"], (made) => {
    void message.success(t("order.made", { number: made.number }));
    void navigate(`/b/${building.id}/orders/${made.id}`);
  });
  const reset = useWrite(() => post(`/alarms/${alarm.id}/reset`), ["alarm", "alarms"]);
  const unit = unitText(alarm.unit);
  return (
    <div className="detail">
      <section>
        <div className="row-line"><SeverityTag severity={alarm.severity} /><AlarmStateText alarm={alarm} /></div>
        <h2>{text(alarm)}</h2>
        <p className="place-line"><MapPin size={15} aria-hidden />{placeText(alarm) || t("alarm.noPlace")}</p>
        <dl className="facts">
          <div><dt>{t("alarm.value")}</dt><dd className="num">{formatNumber(alarm.value, i18n.language)} {unit}</dd></div>
          <div><dt>{t("alarm.limit")}</dt><dd className="num">{formatNumber(alarm.limit, i18n.language)} {unit}</dd></div>
          <div><dt>{t("alarm.since")}</dt><dd>{shortTime(alarm.raised_at, i18n.language)} · <Lasting from={alarm.raised_at} to={alarm.closed_at ?? alarm.returned_at} /></dd></div>
          <div><dt>{t("alarm.count")}</dt><dd className="num">{alarm.count}</dd></div>
          <div><dt>{t("alarm.rule")}</dt><dd>{alarm.rule}</dd></div>
        </dl>
      </section>
      <section className="detail-actions">
        <Button icon={<Box size={15} />} onClick={() => void navigate(`/b/${building.id}?alarm=${alarm.id}`)}>{t("alarm.show3d")}</Button>
        <RouteLink to={alarm.global_id} />
        {alarm.work_order_id ? (
          <LinkButton to={`/b/${building.id}/orders/${alarm.work_order_id}`} icon={<ClipboardPlus size={15} />}>{t("alarm.openOrder")}</LinkButton>
        ) : may("work_order.write") && !alarm.closed_at ? (
          <Button icon={<ClipboardPlus size={15} />} loading={order.isPending} onClick={() => order.mutate(undefined)}>{t("alarm.makeOrder")}</Button>
        ) : null}
        {alarm.latched && !alarm.active && may("alarm.acknowledge") ? (
          <Button loading={reset.isPending} onClick={() => reset.mutate(undefined)}>{t("alarm.reset")}</Button>
        ) : null}
      </section>
      <AlarmCrew alarm={alarm} />
      {may("alarm.acknowledge") && !alarm.closed_at ? (
        <section>
          <Input.TextArea rows={2} value={comment} maxLength={2000} placeholder={t("alarm.commentHint")} aria-label={t("alarm.comment")}
            onChange={(event) => setComment(event.target.value)} />
          <div className="detail-actions">
            {alarm.acked ? null : (
              <Button type="primary" loading={acknowledge.isPending} onClick={() => {
                acknowledge.mutate({ id: alarm.id, comment: comment.trim() }, { onSuccess: () => setComment("") });
              }}>{t("alarm.acknowledge")}</Button>
            )}
            <Button disabled={!comment.trim()} loading={note.isPending} onClick={() => note.mutate(comment.trim())}>{t("alarm.addComment")}</Button>
          </div>
        </section>
      ) : null}
      <Timeline kind="alarm" lines={alarm.history} />
    </div>
  );
}

/** Who could be there soonest; whoever is chosen gets the alarm's order, which is made if there is none. */
function AlarmCrew({ alarm }: { alarm: AlarmDetail }): ReactNode {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const may = useMay();
  const known = useOrder(alarm.work_order_id);
  const send = useWrite(async (assignee: string) => {
    const id = alarm.work_order_id ?? (await post<WorkOrder>(`/alarms/${alarm.id}/work-order`)).id;
    return post<WorkOrder>(`/work-orders/${id}/assign`, { assignee });
  }, ["alarm", "alarms", "order", "orders", "overview"], (order, name) => void message.success(t("spatial.crew.sent", { name, number: order.number })));
  const place = alarm.element_id ?? alarm.space_id;
  const free = alarm.work_order_id === null ? may("work_order.write") : known.data !== undefined && !known.data.assignee && known.data.acts.includes("assign");
  if (!place || alarm.closed_at || !may("work_order.assign") || !free) return null;
  return <section><NearestCrew to={place} pending={send.isPending ? send.variables : null} assign={(account) => send.mutate(account)} /></section>;
}

interface Line {
  at: string;
  kind: string;
  actor: string;
  comment: string | null;
}

/** What happened, the newest first. */
export function Timeline({ lines, kind }: { lines: readonly Line[]; kind: "alarm" | "order" }): ReactNode {
  const { t, i18n } = useTranslation();
  const actor = useActorName();
  const name = (line: Line): string => {
    const key = `${kind}.did.${line.kind}`;
    return i18n.exists(key) ? t(key as "alarm.did.raised") : line.kind;
  };
  return (
    <section>
      <h3>{t("history.title")}</h3>
      <ol className="timeline">
        {lines.toReversed().map((line, i) => (
          <li key={i} className={`did-${line.kind}`}>
            <span><b>{name(line)}</b> <span className="muted">{actor(line.actor)}</span></span>
            <span className="muted num" title={shortTime(line.at, i18n.language)}><Ago at={line.at} /></span>
            {line.comment ? <p>{line.kind === "work_order" ? `#${line.comment}` : line.comment}</p> : null}
          </li>
        ))}
      </ol>
    </section>
  );
}
