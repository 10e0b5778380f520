/** Maintenance plans: what is done when, on what; and what is due where. */
import { App, Button, Skeleton, Switch } from "antd";
import { Box, CalendarClock, Pencil, Plus, Trash2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { del, patch } from "../../api/client";
import type { Plan } from "../../api/types";
import { useBuilding } from "../context";
import { formatDay, relativeTime } from "../lib/format";
import { useClassName } from "../lib/names";
import { Empty, Failure, IconButton, PageHead, PriorityMark, useNow } from "../parts";
import { usePlans, useWrite } from "../queries";
import { useMay } from "../session";
import { PlanForm } from "./plan-form";
import { useRuleText } from "./rule-builder";

const SOON = 7 * 86_400_000;

export default function Plans(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const may = useMay();
  const navigate = useNavigate();
  const plans = usePlans(building.id);
  const now = useNow(60_000);
  const [editing, setEditing] = useState<Plan | "new" | null>(null);
  const sorted = plans.data?.toSorted((a, b) => time(a) - time(b)) ?? [];
  const due = sorted.filter((plan) => plan.enabled && time(plan) < now + SOON);
  return (
    <div className="page-body">
      <PageHead title={t("nav.plans")} sub={plans.data ? t("plan.sub", { count: due.length }) : " "}>
        {due.length > 0 ? <Button icon={<Box size={15} />} onClick={() => void navigate(`/b/${building.id}?plan=due`)}>{t("plan.dueIn3d")}</Button> : null}
        {may("plan.write") ? <Button type="primary" icon={<Plus size={15} />} onClick={() => setEditing("new")}>{t("plan.create")}</Button> : null}
      </PageHead>
      {plans.isError ? <Failure error={plans.error} retry={() => void plans.refetch()} /> : !plans.data ? <Skeleton active /> : plans.data.length === 0 ? (
        <Empty icon={CalendarClock} title={t("plan.none")} hint={t("plan.noneHint")} />
      ) : <ul className="rows">{sorted.map((plan) => <PlanRow key={plan.id} plan={plan} now={now} edit={() => setEditing(plan)} />)}</ul>}
      {editing ? <PlanForm plan={editing === "new" ? null : editing} close={() => setEditing(null)} /> : null}
    </div>
  );
}

const time = (plan: Plan): number => (plan.next_due ? Date.parse(plan.next_due) : Number.POSITIVE_INFINITY);

function PlanRow({ plan, now, edit }: { plan: Plan; now: number; edit: () => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const { modal } = App.useApp();
  const navigate = useNavigate();
  const className = useClassName();
  const ruleText = useRuleText();
  const may = useMay();
  const toggle = useWrite((enabled: boolean) => patch(`/plans/${plan.id}`, { enabled }), ["plans"]);
  const remove = useWrite(() => del(`/plans/${plan.id}`), ["plans"]);
  const soon = plan.enabled && time(plan) < now + SOON;
  const target = plan.target_kind === "class" ? className(plan.ifc_class ?? "") : (plan.target_name ?? t(`plan.target.${plan.target_kind}`));
  return (
    <li className={`row${soon ? " sev-edge-medium" : ""}${plan.enabled ? "" : " is-quiet"}`}>
      <button type="button" className="row-main" onClick={edit} disabled={!may("plan.write")}>
        <span className="row-line"><b>{plan.name}</b><PriorityMark priority={plan.priority} /></span>
        <span className="row-line muted">
          <span className="row-place"><Box size={13} aria-hidden />{target}</span>
          <span>{plan.rrule ? ruleText(plan.rrule) : t("plan.once")}</span>
        </span>
      </button>
      <span className="plan-due">
        {plan.next_due ? <><b className="num">{formatDay(plan.next_due, i18n.language)}</b><small className={soon ? "sev-text-medium" : "muted"}>{relativeTime(time(plan), now, i18n.language)}</small></> : <small className="muted">{t("plan.ended")}</small>}
      </span>
      <span className="row-actions">
        <IconButton icon={Box} label={t("plan.showTargets")} onClick={() => void navigate(`/b/${building.id}?plan=${plan.id}`)} />
        {may("plan.write") ? (
          <>
            <IconButton icon={Pencil} size={15} label={t("action.edit")} onClick={edit} />
            <IconButton icon={Trash2} size={15} label={t("action.delete")} onClick={() => void modal.confirm({
              title: t("plan.deleteSure", { name: plan.name }), content: t("plan.deleteHint"), okText: t("action.delete"), cancelText: t("action.cancel"),
              okButtonProps: { danger: true }, onOk: () => remove.mutateAsync(undefined).catch(() => undefined),
            })} />
            <Switch size="small" checked={plan.enabled} loading={toggle.isPending} aria-label={t("plan.enabled")} onChange={(value) => toggle.mutate(value)} />
          </>
        ) : null}
      </span>
    </li>
  );
}
