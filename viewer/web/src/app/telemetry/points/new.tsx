/** A new point, by hand. */
import { Button, Drawer, Form } from "antd";
import { type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { post } from "../../../api/client";
import { useBuilding } from "../../context";
import { usePhone } from "../../lib/prefs";
import { useWrite } from "../../queries";
import { showProblems } from "../fields";
import type { FullPoint } from "../types";
import { bodyOf, PointFields, type PointValues } from "./point-form";

export function NewPoint({ close }: { close: (key: string | null) => void }): ReactNode {
  const { t } = useTranslation();
  const phone = usePhone();
  const { building } = useBuilding();
  const [form] = Form.useForm<PointValues>();
  const make = useWrite((values: PointValues) => post<FullPoint>("/points", { ...bodyOf(values), building: building.id }), ["points"], (made) => close(made.key));
  return (
    <Drawer open onClose={() => close(null)} size={phone ? "100%" : 560} title={t("telemetry.points.new")} footer={<Button type="primary" block loading={make.isPending} onClick={() => form.submit()}>{t("action.save")}</Button>}>
      <Form form={form} layout="vertical" requiredMark={false} initialValues={{ kind: "number", expected_interval: 300, sampling: "hold", writable: false, tags: [] }} scrollToFirstError
        onFinish={(values) => make.mutate(values, { onError: (error) => void showProblems(form, error) })}>
        <PointFields form={form} point={null} />
      </Form>
    </Drawer>
  );
}
