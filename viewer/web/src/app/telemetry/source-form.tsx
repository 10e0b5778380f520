/** A source, new or changed: what it is, and for a broker how to reach it and what its messages mean. */
import { Button, Collapse, Form, Input, InputNumber, Select } from "antd";
import { type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { patch, post } from "../../api/client";
import { useBuilding } from "../context";
import { useWrite } from "../queries";
import { DurationField, showProblems } from "./fields";
import type { Source } from "./source-names";

interface Messages {
  format: "plain" | "json" | "thingsboard" | "chirpstack" | "sparkplug";
  topic?: string;
  key?: string;
  value?: string | null;
  ts?: string | null;
  quality?: string | null;
  metrics?: string | null;
}

interface Broker {
  url: string;
  username?: string | null;
  version?: number;
  qos?: number;
  share?: string | null;
  in_flight?: number;
  ca?: string | null;
  messages?: Messages;
}

interface Values {
  name: string;
  kind: "mqtt" | "http" | "socket";
  expected_interval: number;
  settings: Broker;
  password?: string;
}

const FORMATS = ["plain", "json", "thingsboard", "chirpstack", "sparkplug"] as const;
const START: Broker = { url: "", version: 5, qos: 1, in_flight: 500, messages: { format: "json", topic: "", key: "", value: "$.value", ts: "$.ts" } };

/** Empty fields are left out: the server then takes its own. */
function compact<T extends object>(given: T): Partial<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null && value !== "").map(([name, value]) => [name, typeof value === "object" && !Array.isArray(value) ? compact(value as object) : (value as unknown)])) as Partial<T>;
}

/** Only what the format reads: the other fields are of other formats. */
function messagesOf(all: Messages): Messages {
  const { format, topic, key, value, ts, quality, metrics } = all;
  if (format === "sparkplug") return { format, ...(key ? { key } : {}) };
  if (format === "json") return compact({ format, topic, key, value, ts, quality, metrics }) as Messages;
  return compact({ format, topic, key }) as Messages;
}

const OF_MESSAGES = new Set(["format", "topic", "key", "value", "ts", "quality", "metrics"]);
const OF_BROKER = new Set(["url", "username", "version", "qos", "share", "in_flight", "ca"]);

/** The server names a setting by its own name; the form has it within others. */
const placeOf = (field: string): string[] => (OF_MESSAGES.has(field) ? ["settings", "messages", field] : OF_BROKER.has(field) ? ["settings", field] : [field]);

export function SourceForm({ source, close }: { source: Source | null; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const [form] = Form.useForm<Values>();
  const kind = Form.useWatch("kind", form) ?? source?.kind ?? "mqtt";
  const format = (Form.useWatch(["settings", "messages", "format"], { form, preserve: true }) as Messages["format"] | undefined) ?? "json";
  const settings = (source?.settings as Broker | null | undefined) ?? START;
  const save = useWrite((values: Values) => {
    const broker = values.kind === "mqtt" || source ? { settings: { ...compact(values.settings), messages: messagesOf(values.settings.messages ?? { format: "json" }) }, ...(values.password ? { password: values.password } : {}) } : {};
    return source ? patch(`/sources/${source.id}`, broker) : post("/sources", { name: values.name, kind: values.kind, building: building.id, expected_interval: values.expected_interval, ...broker });
  }, ["sources"], close);
  const submit = (values: Values): void => save.mutate(values, {
    onError: (error) => void showProblems(form, error, placeOf),
  });
  const text = (name: keyof Messages, placeholder: string, required = false): ReactNode => (
    <Form.Item key={name} name={["settings", "messages", name]} label={t(`telemetry.mqtt.${name}` as "telemetry.mqtt.topic")} extra={t(`telemetry.mqtt.${name}Hint` as "telemetry.mqtt.topicHint")} rules={required ? [{ required: true, whitespace: true, message: t("telemetry.mqtt.missing") }] : []}>
      <Input placeholder={placeholder} spellCheck={false} className="mono" />
    </Form.Item>
  );
  return (
    <Form form={form} layout="vertical" requiredMark={false} initialValues={{ kind: "mqtt", expected_interval: 300, settings: { ...START, ...settings, messages: { ...(source ? {} : START.messages), ...settings.messages } } }} onFinish={submit} scrollToFirstError>
      {source ? <h3 className="form-title">{t("telemetry.mqtt.title")}</h3> : (
        <>
          <Form.Item name="kind" label={t("telemetry.sources.kindTitle")} extra={t(`telemetry.sources.kindHint.${kind as "mqtt"}`)}><Select options={(["mqtt", "http", "socket"] as const).map((value) => ({ value, label: t(`telemetry.sources.kind.${value}`) }))} /></Form.Item>
          <div className="form-pair">
            <Form.Item name="name" label={t("telemetry.sources.name")} rules={[{ required: true, whitespace: true, message: t("telemetry.sources.missingName") }]}><Input maxLength={200} /></Form.Item>
            <Form.Item name="expected_interval" label={t("telemetry.points.field.expected_interval")}><DurationField /></Form.Item>
          </div>
        </>
      )}
      {kind === "mqtt" ? (
        <>
          <Form.Item name={["settings", "url"]} label={t("telemetry.mqtt.url")} extra={t("telemetry.mqtt.urlHint")} rules={[{ required: true, message: t("telemetry.mqtt.missing") }, { pattern: /^mqtts?:\/\/[^\s@/]+$/, message: t("telemetry.mqtt.urlWrong") }]}><Input placeholder="mqtts://broker.example:8883" spellCheck={false} /></Form.Item>
          <div className="form-pair">
            <Form.Item name={["settings", "username"]} label={t("telemetry.mqtt.username")}><Input autoComplete="off" /></Form.Item>
            <Form.Item name="password" label={t("telemetry.mqtt.password")} extra={source ? t("telemetry.mqtt.passwordKept") : null}><Input.Password autoComplete="new-password" maxLength={1000} /></Form.Item>
          </div>
          <Form.Item name={["settings", "messages", "format"]} label={t("telemetry.mqtt.format")} extra={t(`telemetry.mqtt.formatHint.${format}`)}><Select options={FORMATS.map((value) => ({ value, label: t(`telemetry.mqtt.formatOf.${value}`) }))} /></Form.Item>
          {format === "sparkplug" ? null : text("topic", "site/{building}/{device}/#", true)}
          {text("key", format === "sparkplug" ? "{group}/{node}/{device}/{metric}" : "{device}.{metric}", format !== "sparkplug")}
          {format === "json" ? <div className="form-pair">{text("value", "$.value")}{text("ts", "$.time")}{text("quality", "$.quality")}{text("metrics", "$.values")}</div> : null}
          <Collapse ghost size="small" className="form-more" items={[{ key: "more", label: t("telemetry.mqtt.more"), forceRender: true, children: (
            <>
              <div className="form-pair">
                <Form.Item name={["settings", "version"]} label={t("telemetry.mqtt.version")}><Select options={[{ value: 5, label: "MQTT 5" }, { value: 4, label: "MQTT 3.1.1" }]} /></Form.Item>
                <Form.Item name={["settings", "qos"]} label={t("telemetry.mqtt.qos")} extra={t("telemetry.mqtt.qosHint")}><Select options={[1, 0].map((value) => ({ value, label: String(value) }))} /></Form.Item>
                <Form.Item name={["settings", "share"]} label={t("telemetry.mqtt.share")} extra={t("telemetry.mqtt.shareHint")} rules={[{ pattern: /^[^/+#]*$/, message: t("telemetry.mqtt.shareWrong") }]}><Input /></Form.Item>
                <Form.Item name={["settings", "in_flight"]} label={t("telemetry.mqtt.in_flight")}><InputNumber min={1} max={65_535} className="full" /></Form.Item>
              </div>
              <Form.Item name={["settings", "ca"]} label={t("telemetry.mqtt.ca")} extra={t("telemetry.mqtt.caHint")}><Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} spellCheck={false} className="mono" placeholder="-----BEGIN CERTIFICATE-----" /></Form.Item>
            </>
          ) }]} />
        </>
      ) : null}
      <Button type="primary" block htmlType="submit" loading={save.isPending}>{t("action.save")}</Button>
    </Form>
  );
}
