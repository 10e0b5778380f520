/** The devices that measured for a point, one after the other: a replaced one leaves the history where it is (6.3f). */
import { useQuery } from "@tanstack/react-query";
import { App, Button, DatePicker, Form, Input, Skeleton } from "antd";
import { Cpu, Plus } from "lucide-react";
import type { Dayjs } from "dayjs";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get, post } from "../../../api/client";
import type { Page } from "../../../api/types";
import { formatTime } from "../../lib/format";
import { Empty, Failure } from "../../parts";
import { useWrite } from "../../queries";
import { useMay } from "../../session";
import { showProblems } from "../fields";
import type { FullPoint } from "../types";

export interface Hardware {
  id: string;
  source: string | null;
  device: string;
  address: string | null;
  from: string;
  to: string | null;
  note: string | null;
}

interface Values {
  device: string;
  address?: string;
  from?: Dayjs | null;
  note?: string;
}

export function HardwareHistory({ point }: { point: FullPoint }): ReactNode {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const { modal } = App.useApp();
  const [adding, setAdding] = useState(false);
  const found = useQuery({ queryKey: ["points", "hardware", point.id], queryFn: ({ signal }) => get<Page<Hardware>>(`/points/${point.id}/hardware`, {}, signal) });
  const end = useWrite(() => post(`/points/${point.id}/hardware/end`), ["points"]);
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton active className="pad" />;
  const items = found.data.items;
  const now = items.find((one) => one.to === null);
  return (
    <div className="tab-form">
      {may("point.write") && !adding ? (
        <div className="form-foot">
          <Button icon={<Plus size={15} />} onClick={() => setAdding(true)}>{t(now ? "telemetry.hardware.replace" : "telemetry.hardware.add")}</Button>
          {now ? <Button loading={end.isPending} onClick={() => void modal.confirm({
            title: t("telemetry.hardware.endSure", { device: now.device }), okText: t("telemetry.hardware.end"), cancelText: t("action.cancel"), onOk: () => end.mutateAsync(undefined).catch(() => undefined),
          })}>{t("telemetry.hardware.end")}</Button> : null}
        </div>
      ) : null}
      {adding ? <Add point={point} close={() => setAdding(false)} /> : null}
      {items.length === 0 ? <Empty icon={Cpu} title={t("telemetry.hardware.none")} hint={t("telemetry.hardware.noneHint")} /> : (
        <ol className="timeline">
          {items.map((one) => (
            <li key={one.id} className={one.to === null ? "did-returned" : ""}>
              <b>{one.device}</b>
              <span className="muted num">{formatTime(one.from, i18n.language)} – {one.to ? formatTime(one.to, i18n.language) : t("telemetry.hardware.now")}</span>
              {one.address || one.source || one.note ? <p>{[one.address ? t("telemetry.hardware.at", { address: one.address }) : null, one.source, one.note].filter(Boolean).join(" · ")}</p> : null}
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

function Add({ point, close }: { point: FullPoint; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const [form] = Form.useForm<Values>();
  const add = useWrite(({ from, ...values }: Values) => post(`/points/${point.id}/hardware`, { ...values, ...(from ? { from: from.toISOString() } : {}) }), ["points"], close);
  return (
    <Form form={form} layout="vertical" requiredMark={false} className="card" onFinish={(values) => add.mutate(values, { onError: (error) => void showProblems(form, error) })}>
      <div className="form-pair">
        <Form.Item name="device" label={t("telemetry.hardware.device")} rules={[{ required: true, whitespace: true, message: t("telemetry.hardware.missing") }]}><Input maxLength={200} placeholder="A81758FFFE04D1B2" autoFocus /></Form.Item>
        <Form.Item name="address" label={t("telemetry.hardware.address")} tooltip={t("telemetry.hardware.addressHint")}><Input maxLength={200} /></Form.Item>
        <Form.Item name="from" label={t("telemetry.hardware.from")}><DatePicker showTime className="full" placeholder={t("telemetry.hardware.fromNow")} /></Form.Item>
        <Form.Item name="note" label={t("telemetry.hardware.note")}><Input maxLength={500} /></Form.Item>
      </div>
      <div className="form-foot"><Button type="primary" htmlType="submit" loading={add.isPending}>{t("action.save")}</Button><Button onClick={close}>{t("action.cancel")}</Button></div>
    </Form>
  );
}
