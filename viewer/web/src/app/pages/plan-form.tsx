import { App, DatePicker, Form, Input, Modal, Segmented, Select } from "antd";
import { useQuery } from "@tanstack/react-query";
import dayjs, { type Dayjs } from "dayjs";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { patch, post } from "../../api/client";
import type { Plan, Severity, System } from "../../api/types";
import { useBuilding } from "../context";
import { useClassName } from "../lib/names";
import { DEFAULT_RECURRENCE, toRule } from "../lib/recurrence";
import { everything, useTree, useWrite } from "../queries";
import { ElementSelect, lines } from "./order-form";
import { PeopleSelect, type Who } from "./people";
import { RuleBuilder } from "./rule-builder";

type Kind = "element" | "class" | "system";

interface Values {
  name: string;
  description?: string;
  kind: Kind;
  element?: string;
  ifc_class?: string;
  system?: string;
  rrule: string | null;
  start: Dayjs;
  priority: Severity;
  who?: Who;
  checklist?: string;
}

/** A new plan, or what may be changed of one: its target stays, because its orders tell of it. */
export function PlanForm({ plan, close }: { plan: Plan | null; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const [form] = Form.useForm<Values>();
  const kind = Form.useWatch("kind", form) ?? "class";
  const start = Form.useWatch("start", form);
  const save = useWrite((values: Values) => {
    const common = {
      name: values.name, description: values.description || null, rrule: values.rrule, starts_at: values.start.toISOString(), priority: values.priority,
      crew: values.who?.crew ?? values.who?.assignee ?? null, checklist: lines(values.checklist),
    };
    if (plan) return patch<Plan>(`/plans/${plan.id}`, common);
    const target = values.kind === "element" ? { element: values.element } : values.kind === "system" ? { system: values.system } : { ifc_class: values.ifc_class };
    return post<Plan>("/plans", { building: building.id, ...common, ...target });
  }, ["plans"], () => {
    void message.success(t("plan.saved"));
    close();
  });
  return (
    <Modal open title={t(plan ? "plan.edit" : "plan.create")} onCancel={close} onOk={form.submit} okText={t("action.save")} cancelText={t("action.cancel")} width={560}
      okButtonProps={{ loading: save.isPending }} destroyOnHidden>
      <Form form={form} layout="vertical" requiredMark={false} onFinish={(values) => save.mutate(values)} initialValues={{
        name: plan?.name, description: plan?.description, kind: plan?.target_kind ?? "class", priority: plan?.priority ?? "medium",
        rrule: plan ? plan.rrule : toRule(DEFAULT_RECURRENCE), start: plan ? dayjs(plan.starts_at) : dayjs().add(1, "day").hour(9).minute(0).second(0).millisecond(0),
        who: plan?.crew ? { crew: plan.crew } : { crew: "crew" }, checklist: plan?.checklist.join("\n"),
      }}>
        <Form.Item name="name" label={t("plan.name")} rules={[{ required: true, whitespace: true, message: t("plan.nameMissing") }]}>
          <Input autoFocus maxLength={200} placeholder={t("plan.nameHint")} />
        </Form.Item>
        {plan ? null : (
          <>
            <Form.Item name="kind" label={t("plan.what")}>
              <Segmented block options={(["class", "system", "element"] as const).map((one) => ({ value: one, label: t(`plan.target.${one}`) }))} />
            </Form.Item>
            {kind === "class" ? <Form.Item name="ifc_class" rules={[{ required: true, message: t("plan.targetMissing") }]}><ClassSelect /></Form.Item> : null}
            {kind === "system" ? <Form.Item name="system" rules={[{ required: true, message: t("plan.targetMissing") }]}><SystemSelect /></Form.Item> : null}
            {kind === "element" ? <Form.Item name="element" rules={[{ required: true, message: t("plan.targetMissing") }]}><ElementSelect /></Form.Item> : null}
          </>
        )}
        <div className="form-pair">
          <Form.Item name="start" label={t("plan.start")} rules={[{ required: true }]}><DatePicker showTime={{ format: "HH:mm" }} format="YYYY-MM-DD HH:mm" allowClear={false} className="full" /></Form.Item>
          <Form.Item name="who" label={t("order.crew")}><PeopleSelect /></Form.Item>
        </div>
        <Form.Item name="rrule" label={t("rule.repeat")}><RuleBuilder start={start?.toDate() ?? FALLBACK} /></Form.Item>
        <Form.Item name="priority" label={t("order.priority")}>
          <Segmented block options={(["low", "medium", "high", "critical"] as const).map((one) => ({ value: one, label: t(`priority.${one}`) }))} />
        </Form.Item>
        <Form.Item name="checklist" label={t("order.checklist")} extra={t("order.checklistHint")}><Input.TextArea rows={3} /></Form.Item>
        <Form.Item name="description" label={t("order.description")}><Input.TextArea rows={2} maxLength={2000} /></Form.Item>
      </Form>
    </Modal>
  );
}

const FALLBACK = new Date();

function ClassSelect({ value, onChange }: { value?: string; onChange?: (value: string) => void }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const className = useClassName();
  const tree = useTree(building.id);
  const counts = new Map<string, number>();
  for (const storey of tree.data?.storeys ?? []) for (const one of storey.classes) counts.set(one.ifc_class, (counts.get(one.ifc_class) ?? 0) + one.count);
  return (
    <Select showSearch={{ optionFilterProp: "label" }} value={value ?? null} placeholder={t("plan.target.class")} aria-label={t("plan.target.class")} onChange={(next: string | null) => next && onChange?.(next)}
      options={[...counts].map(([ifcClass, count]) => ({ value: ifcClass, label: `${className(ifcClass)} (${count})` }))} />
  );
}

function SystemSelect({ value, onChange }: { value?: string; onChange?: (value: string) => void }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const systems = useQuery({ queryKey: ["systems", building.id], queryFn: ({ signal }) => everything<System>("/systems", { building: building.id }, signal) });
  return (
    <Select showSearch={{ optionFilterProp: "label" }} loading={systems.isPending} value={value ?? null} placeholder={t("plan.target.system")} aria-label={t("plan.target.system")} onChange={(next: string | null) => next && onChange?.(next)}
      options={(systems.data ?? []).map((one) => ({ value: one.id, label: `${one.long_name ?? one.name ?? one.global_id} (${one.members})` }))} />
  );
}
