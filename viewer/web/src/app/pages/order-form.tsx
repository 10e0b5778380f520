/** A new work order: of an element, or free. */
import { App, DatePicker, Form, Input, Modal, Segmented, Select, Spin } from "antd";
import { useQuery } from "@tanstack/react-query";
import type { Dayjs } from "dayjs";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { get, post } from "../../api/client";
import type { ElementRow, Page, Severity, WorkOrder } from "../../api/types";
import { useBuilding } from "../context";
import { useClassName } from "../lib/names";
import { useWrite } from "../queries";
import { elementLabel } from "../scene/tree-rows";
import { PeopleSelect, type Who } from "./people";

interface Values {
  title: string;
  description?: string;
  priority: Severity;
  element?: string;
  who?: Who;
  due?: Dayjs | null;
  checklist?: string;
}

export function OrderForm({ open, close, element }: { open: boolean; close: () => void; element?: { id: string; name: string } }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const [form] = Form.useForm<Values>();
  const create = useWrite((values: Values) => post<WorkOrder>("/work-orders", {
    building: building.id, title: values.title, description: values.description || null, priority: values.priority,
    element: values.element ?? null, due_at: values.due ? values.due.toISOString() : null, ...values.who,
    checklist: lines(values.checklist),
  }), ["orders", "overview", "element"], (order) => {
    void message.success(t("order.made", { number: order.number }));
    close();
    void navigate(`/b/${building.id}/orders/${order.id}`);
  });
  return (
    <Modal open={open} title={t("order.create")} onCancel={close} onOk={form.submit} okText={t("order.create")} cancelText={t("action.cancel")} width={520}
      okButtonProps={{ loading: create.isPending }} destroyOnHidden>
      <Form form={form} layout="vertical" requiredMark={false} onFinish={(values) => create.mutate(values)}
        initialValues={{ priority: "medium", element: element?.id }}>
        <Form.Item name="title" label={t("order.title")} rules={[{ required: true, whitespace: true, message: t("order.titleMissing") }]}>
          <Input autoFocus maxLength={200} placeholder={t("order.titleHint")} />
        </Form.Item>
        <Form.Item name="element" label={t("order.where.title")}>
          <ElementSelect first={element} />
        </Form.Item>
        <Form.Item name="priority" label={t("order.priority")}>
          <Segmented block options={(["low", "medium", "high", "critical"] as const).map((one) => ({ value: one, label: t(`priority.${one}`) }))} />
        </Form.Item>
        <div className="form-pair">
          <Form.Item name="who" label={t("order.assignee")}><PeopleSelect /></Form.Item>
          <Form.Item name="due" label={t("order.dueAt")} extra={t("order.dueHint")}><DatePicker showTime={{ format: "HH:mm" }} format="YYYY-MM-DD HH:mm" className="full" /></Form.Item>
        </div>
        <Form.Item name="description" label={t("order.description")}><Input.TextArea rows={2} maxLength={2000} /></Form.Item>
        <Form.Item name="checklist" label={t("order.checklist")} extra={t("order.checklistHint")}><Input.TextArea rows={2} /></Form.Item>
      </Form>
    </Modal>
  );
}

export const lines = (text: string | undefined): string[] => (text ?? "").split("\n").map((one) => one.trim()).filter(Boolean);

/** Search among the building's elements; ids outside, names inside. */
export function ElementSelect({ value, onChange, first }: {
  value?: string; onChange?: (value: string | undefined) => void; first?: { id: string; name: string } | undefined;
}): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const className = useClassName();
  const [text, setText] = useState("");
  const found = useQuery({
    queryKey: ["elements", "choose", building.id, text],
    queryFn: ({ signal }) => get<Page<ElementRow>>("/elements", { building: building.id, q: text, limit: 30 }, signal),
    enabled: text.length > 0,
    placeholderData: (previous) => previous,
  });
  const options = (found.data?.items ?? []).map((one) => ({ value: one.id, label: `${elementLabel(one)} · ${className(one.ifc_class)}` }));
  if (first && !options.some((one) => one.value === first.id)) options.unshift({ value: first.id, label: first.name });
  return (
    <Select allowClear showSearch={{ filterOption: false, onSearch: setText }} value={value ?? null} placeholder={t("order.elementHint")} aria-label={t("order.where.title")} options={options}
      notFoundContent={found.isFetching ? <Spin size="small" /> : text ? t("scene.searchNone", { text }) : t("order.elementType")}
      onChange={(next: string | null) => onChange?.(next ?? undefined)} />
  );
}
