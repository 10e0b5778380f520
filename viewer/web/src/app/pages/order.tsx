/** One work order; on a phone the page a crew works from: where, what to check, start, done. */
import { App, Button, Checkbox, Input, Modal, Skeleton } from "antd";
import { ArrowLeft, BellRing, Box, CalendarClock, Check, DoorOpen, Layers, MapPin, Play, RotateCcw, UserRound, X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams } from "react-router";
import { post } from "../../api/client";
import type { WorkOrderDetail } from "../../api/types";
import { useBuilding } from "../context";
import { shortTime } from "../lib/format";
import { useActorName, useClassName } from "../lib/names";
import { placeParts } from "../lib/place";
import { Failure, LinkButton, OrderStateTag, PriorityMark } from "../parts";
import { useOrder, useWrite } from "../queries";
import { NearestCrew } from "../spatial/crew";
import { RouteLink } from "../spatial/links";
import { placeOf } from "../spatial/round";
import { rememberPlace } from "../spatial/here";
import "../spatial/spatial.css";
import { Timeline } from "./alarms";
import { RateOrder } from "../overview/rate-order";
import "../overview/overview.css";
import { PeopleSelect } from "./people";
import { Due } from "./order-parts";

type Act = "assign" | "start" | "done" | "verify" | "reopen" | "cancel" | "comment" | "check";

export default function OrderPage(): ReactNode {
  const { order = "" } = useParams();
  const query = useOrder(order);
  if (query.isError) return <div className="page-body"><Failure error={query.error} retry={() => void query.refetch()} /></div>;
  if (!query.data) return <div className="page-body"><Skeleton active paragraph={{ rows: 8 }} /></div>;
  return <Order order={query.data} />;
}

function useAct(order: WorkOrderDetail): ReturnType<typeof useWrite<{ act: Act; body?: Record<string, unknown> }>> {
  return useWrite(({ act, body }: { act: Act; body?: Record<string, unknown> }) => post(`/work-orders/${order.id}/${act}`, body ?? {}),
    ["order", "orders", "overview", "element"], (_, { act }) => {
      const place = order.global_id ?? order.space_id;
      if (place && THERE.has(act)) rememberPlace(order.building_id, place, placeParts(order).at(-1) ?? order.title);
    });
}

/** What one does where the order is. */
const THERE: ReadonlySet<Act> = new Set(["start", "check", "done"]);

function Order({ order }: { order: WorkOrderDetail }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const actor = useActorName();
  const may = (act: Act): boolean => order.acts.includes(act);
  const act = useAct(order);
  const [comment, setComment] = useState("");
  return (
    <div className="page-body order-page">
      <header className="order-head">
        <Link to={`/b/${building.id}/orders`} className="back"><ArrowLeft size={15} aria-hidden />{t("nav.orders")}</Link>
        <div className="row-line">
          <OrderStateTag state={order.state} />
          <PriorityMark priority={order.priority} />
          <span className="muted num">#{order.number}</span>
          <Due order={order} />
        </div>
        <h1>{order.title}</h1>
        {order.description ? <p className="order-text">{order.description}</p> : null}
      </header>
      <div className="order-grid">
        <div className="order-left">
          <Where order={order} />
          <Checklist order={order} editable={may("check")} />
          {order.state === "done" || order.state === "verified" ? <RateOrder order={order.id} /> : null}
          {order.result ? <section className="card"><h2>{t("order.result")}</h2><p className="order-text">{order.result}</p></section> : null}
          <section className="card">
            {may("comment") ? (
              <form className="comment" onSubmit={(event) => {
                event.preventDefault();
                if (comment.trim()) act.mutate({ act: "comment", body: { comment: comment.trim() } }, { onSuccess: () => setComment("") });
              }}>
                <Input.TextArea autoSize={{ minRows: 1, maxRows: 5 }} value={comment} maxLength={2000} placeholder={t("order.commentHint")}
                  aria-label={t("order.comment")} onChange={(event) => setComment(event.target.value)} />
                <Button htmlType="submit" disabled={!comment.trim()} loading={act.isPending}>{t("action.send")}</Button>
              </form>
            ) : null}
            <Timeline kind="order" lines={order.history} />
          </section>
        </div>
        <aside className="order-right">
          <Actions order={order} />
          <Crew order={order} />
          <section className="card">
            <dl className="facts">
              <div><dt>{t("order.assignee")}</dt><dd>{order.assignee ?? "–"}</dd></div>
              {order.crew ? <div><dt>{t("order.crew")}</dt><dd>{t(`role.${order.crew}` as "role.crew", { defaultValue: order.crew })}</dd></div> : null}
              {order.due_at ? <div><dt>{t("order.dueAt")}</dt><dd className="num">{shortTime(order.due_at, i18n.language)}</dd></div> : null}
              <div><dt>{t("order.origin")}</dt><dd>{t(`order.from.${order.origin}`)}</dd></div>
              <div><dt>{t("order.createdBy")}</dt><dd>{actor(order.created_by)}</dd></div>
              <div><dt>{t("order.createdAt")}</dt><dd className="num">{shortTime(order.created_at, i18n.language)}</dd></div>
              {order.started_at ? <div><dt>{t("order.startedAt")}</dt><dd className="num">{shortTime(order.started_at, i18n.language)}</dd></div> : null}
              {order.done_at ? <div><dt>{t("order.doneAt")}</dt><dd className="num">{shortTime(order.done_at, i18n.language)}</dd></div> : null}
            </dl>
            {order.alarm_id ? <Link className="text-link" to={`/b/${building.id}/alarms?alarm=${order.alarm_id}`}><BellRing size={14} aria-hidden />{t("order.itsAlarm")}</Link> : null}
            {order.plan_id ? <Link className="text-link" to={`/b/${building.id}/plans`}><CalendarClock size={14} aria-hidden />{t("order.itsPlan")}</Link> : null}
          </section>
        </aside>
      </div>
    </div>
  );
}

function Where({ order }: { order: WorkOrderDetail }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const className = useClassName();
  const lines = [
    { icon: MapPin, name: t("order.where.building"), text: building.name },
    { icon: Layers, name: t("order.where.storey"), text: order.storey },
    { icon: DoorOpen, name: t("order.where.room"), text: order.space },
    { icon: Box, name: t("order.where.thing"), text: order.element ? `${order.element}${order.asset ? ` (${order.asset})` : ""}` : order.ifc_class ? className(order.ifc_class) : null },
  ].filter((line) => line.text);
  return (
    <section className="card where">
      <h2>{t("order.where.title")}</h2>
      <dl>
        {lines.map(({ icon: Icon, name, text }) => (
          <div key={name}><dt><Icon size={16} strokeWidth={1.7} aria-hidden />{name}</dt><dd>{text}</dd></div>
        ))}
      </dl>
      <div className="where-actions">
        {order.global_id || order.position ? <LinkButton to={`/b/${building.id}?order=${order.id}`} block size="large" icon={<Box size={17} />}>{t("order.show3d")}</LinkButton> : null}
        <RouteLink to={order.global_id} block large />
      </div>
    </section>
  );
}

function Checklist({ order, editable }: { order: WorkOrderDetail; editable: boolean }): ReactNode {
  const { t } = useTranslation();
  const act = useAct(order);
  if (order.checklist.length === 0) return null;
  const ticked = order.checklist.filter((one) => one.done).length;
  return (
    <section className="card">
      <h2>{t("order.checklist")} <small className="muted num">{ticked}/{order.checklist.length}</small></h2>
      <ul className="checklist">
        {order.checklist.map((item, i) => (
          <li key={i}>
            <Checkbox checked={item.done} disabled={!editable || act.isPending}
              onChange={(event) => act.mutate({ act: "check", body: { item: i, done: event.target.checked } })}>{item.text}</Checkbox>
          </li>
        ))}
      </ul>
      {editable || order.state === "done" || order.closed_at ? null : <p className="muted">{t("order.startToCheck")}</p>}
    </section>
  );
}

function Actions({ order }: { order: WorkOrderDetail }): ReactNode {
  const { t } = useTranslation();
  const { modal, message } = App.useApp();
  const navigate = useNavigate();
  const { building } = useBuilding();
  const act = useAct(order);
  const [asking, setAsking] = useState<Act | null>(null);
  const may = (one: Act): boolean => order.acts.includes(one);
  const open = order.checklist.filter((one) => !one.done).length;
  const buttons = [
    may("start") ? <Button key="start" type="primary" size="large" block icon={<Play size={17} />} loading={act.isPending} onClick={() => act.mutate({ act: "start" })}>{t("order.act.start")}</Button> : null,
    order.state === "in_progress" && (may("done") || open > 0) ? (
      <Button key="done" type="primary" size="large" block icon={<Check size={17} />} onClick={() => {
        if (open > 0) void message.info(t("order.uncheckedFirst", { count: open }));
        else setAsking("done");
      }}>{t("order.act.done")}</Button>
    ) : null,
    may("verify") ? <Button key="verify" type="primary" size="large" block icon={<Check size={17} />} loading={act.isPending} onClick={() => act.mutate({ act: "verify" })}>{t("order.act.verify")}</Button> : null,
    may("reopen") ? <Button key="reopen" size="large" block icon={<RotateCcw size={16} />} onClick={() => setAsking("reopen")}>{t("order.act.reopen")}</Button> : null,
    may("assign") ? <Button key="assign" size="large" block icon={<UserRound size={16} />} onClick={() => setAsking("assign")}>{t(order.assignee || order.crew ? "order.act.reassign" : "order.act.assign")}</Button> : null,
    may("cancel") ? (
      <Button key="cancel" size="large" block type="text" danger icon={<X size={16} />} onClick={() => void modal.confirm({
        title: t("order.cancelSure"), content: t("order.cancelHint"), okText: t("order.act.cancel"), cancelText: t("action.back"), okButtonProps: { danger: true },
        onOk: () => act.mutateAsync({ act: "cancel" }).then(() => navigate(`/b/${building.id}/orders`)).catch(() => undefined),
      })}>{t("order.act.cancel")}</Button>
    ) : null,
  ].filter(Boolean);
  if (buttons.length === 0) return null;
  return (
    <section className="order-actions" aria-label={t("order.actions")}>
      {buttons}
      {asking ? <ActDialog key={asking} act={asking} order={order} close={() => setAsking(null)} /> : null}
    </section>
  );
}

/** For an order that nobody has: who could be there soonest. */
function Crew({ order }: { order: WorkOrderDetail }): ReactNode {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const act = useAct(order);
  const place = placeOf(order);
  const chosen = act.isPending ? act.variables.body?.["assignee"] : null;
  if (order.assignee || !place || !order.acts.includes("assign")) return null;
  return (
    <section className="card order-crew">
      <NearestCrew to={place} block pending={typeof chosen === "string" ? chosen : null}
        assign={(assignee) => act.mutate({ act: "assign", body: { assignee } }, { onSuccess: () => void message.success(t("spatial.crew.assigned", { name: assignee })) })} />
    </section>
  );
}

/** Asks what an act needs: a result, a reason, or a person. */
function ActDialog({ act: kind, order, close }: { act: Act; order: WorkOrderDetail; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const act = useAct(order);
  const [text, setText] = useState("");
  const [who, setWho] = useState<{ assignee?: string; crew?: string }>({});
  const needsText = kind === "done" || kind === "reopen";
  const ready = needsText ? text.trim().length > 0 : Boolean(who.assignee ?? who.crew);
  const submit = (): void => {
    const body = kind === "done" ? { result: text.trim() } : kind === "reopen" ? { comment: text.trim() } : who;
    act.mutate({ act: kind, body }, { onSuccess: close });
  };
  return (
    <Modal open title={t(`order.ask.${kind as "done"}`)} onCancel={close} onOk={submit} okText={t(`order.act.${kind as "done"}`)} cancelText={t("action.cancel")}
      okButtonProps={{ disabled: !ready, loading: act.isPending }} destroyOnHidden>
      {needsText ? (
        <Input.TextArea autoFocus rows={4} maxLength={2000} value={text} placeholder={t(`order.askHint.${kind as "done"}`)} onChange={(event) => setText(event.target.value)} />
      ) : <PeopleSelect value={who} onChange={setWho} />}
    </Modal>
  );
}
