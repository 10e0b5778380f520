/** The fields of a point, for a new one and for a change. */
import { AutoComplete, Form, Input, InputNumber, Select, Switch, type FormInstance } from "antd";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../../api/client";
import type { Page } from "../../../api/types";
import { DurationField, ElementField, UnitField } from "../fields";
import type { FullPoint, Kind } from "../types";

export interface PointValues {
  key?: string;
  name: string;
  kind: Kind;
  unit: string | null;
  reading_unit?: string | null;
  quantity: string | null;
  brick_class: string | null;
  labels: string;
  element: string | null;
  writable: boolean;
  min_value: number | null;
  max_value: number | null;
  deadband: number | null;
  expected_interval: number;
  stale_after: number | null;
  sampling: "hold" | "interpolate";
  time_zone: string | null;
  policy: string | null;
  tags: string[];
}

/** `0 = off` per line, as codes and labels; null for text that is none. */
export function parseLabels(text: string): Record<string, string> | null {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  if (lines.length === 0) return null;
  return Object.fromEntries(lines.map((line) => {
    const [code, ...rest] = line.split("=");
    return [(code ?? "").trim(), rest.join("=").trim()];
  }));
}

export const labelsText = (labels: Record<string, string> | null | undefined): string => Object.entries(labels ?? {}).map(([code, label]) => `${code} = ${label}`).join("\n");

export function valuesOf(point: FullPoint): PointValues {
  return {
    name: point.name, kind: point.kind, unit: point.unit, reading_unit: point.reading_unit ?? null, quantity: point.quantity, brick_class: point.brick_class, labels: labelsText(point.labels), element: point.element?.id ?? null,
    writable: point.writable, min_value: point.min_value, max_value: point.max_value, deadband: point.deadband ?? null, expected_interval: point.expected_interval, stale_after: point.stale_after ?? null,
    sampling: point.sampling, time_zone: point.time_zone ?? null, policy: point.policy ?? null, tags: point.tags ?? [],
  };
}

/** What the server takes: labels as a table, nothing for what was left empty. */
export function bodyOf(values: Partial<PointValues>): Record<string, unknown> {
  const { labels, ...rest } = values;
  return { ...rest, ...(labels === undefined ? {} : { labels: parseLabels(labels) }) };
}

export function PointFields({ form, point }: { form: FormInstance<PointValues>; point: FullPoint | null }): ReactNode {
  const { t } = useTranslation();
  const kind = Form.useWatch("kind", form) ?? point?.kind ?? "number";
  const policies = useQuery({ queryKey: ["history", "policies"], queryFn: ({ signal }) => get<Page<{ id: string; name: string }>>("/history/policies", { limit: 1000 }, signal), retry: 0 });
  return (
    <>
      {point ? null : (
        <div className="form-pair">
          <Form.Item name="key" label={t("telemetry.points.field.key")} rules={[{ required: true, whitespace: true, message: t("telemetry.points.missing.key") }]} extra={t("telemetry.points.hint.key")}><Input maxLength={200} /></Form.Item>
          <Form.Item name="kind" label={t("telemetry.points.kindTitle")}><Select options={(["number", "bool", "enum", "text"] as const).map((value) => ({ value, label: t(`telemetry.points.kind.${value}`) }))} /></Form.Item>
        </div>
      )}
      <Form.Item name="name" label={t("telemetry.points.field.name")} rules={[{ required: true, whitespace: true, message: t("telemetry.points.missing.name") }]}><Input maxLength={200} /></Form.Item>
      <Form.Item name="element" label={t("telemetry.points.field.element")}><ElementField known={point?.element ?? null} /></Form.Item>
      <div className="form-pair">
        {kind === "number" ? (
          <>
            <Form.Item name="unit" label={t("telemetry.points.field.unit")}><UnitField /></Form.Item>
            <Form.Item name="reading_unit" label={t("telemetry.points.field.reading_unit")} tooltip={t("telemetry.points.hint.reading_unit")}><UnitField /></Form.Item>
            <Form.Item name="quantity" label={t("telemetry.points.field.quantity")} tooltip={t("telemetry.points.hint.quantity")}><Input allowClear placeholder="Temperature" /></Form.Item>
          </>
        ) : null}
        <Form.Item name="brick_class" label={t("telemetry.points.field.brick_class")}><AutoComplete allowClear options={COMMON_CLASSES} showSearch={{ filterOption: (text, option) => (option?.value ?? "").toLowerCase().includes(text.toLowerCase().replaceAll(" ", "_")) }} placeholder="Zone_Air_Temperature_Sensor" /></Form.Item>
      </div>
      {kind === "enum" || kind === "bool" ? <Form.Item name="labels" label={t("telemetry.points.field.labels")} extra={t("telemetry.points.hint.labels")}><Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} placeholder={"0 = off\n1 = on"} /></Form.Item> : null}
      {kind === "number" ? (
        <div className="form-pair">
          <Form.Item name="min_value" label={t("telemetry.points.field.min_value")} tooltip={t("telemetry.points.hint.range")}><InputNumber className="full" /></Form.Item>
          <Form.Item name="max_value" label={t("telemetry.points.field.max_value")} dependencies={["min_value"]} rules={[({ getFieldValue }) => ({
            validator: (_, value: number | null) => {
              const min = getFieldValue("min_value") as number | null | undefined;
              return typeof value === "number" && typeof min === "number" && min > value ? Promise.reject(new Error(t("telemetry.points.missing.range"))) : Promise.resolve();
            },
          })]}><InputNumber className="full" /></Form.Item>
          <Form.Item name="deadband" label={t("telemetry.points.field.deadband")} tooltip={t("telemetry.points.hint.deadband")}><InputNumber min={0} className="full" /></Form.Item>
          <Form.Item name="sampling" label={t("telemetry.points.field.sampling")} tooltip={t("telemetry.points.hint.sampling")}><Select options={(["hold", "interpolate"] as const).map((value) => ({ value, label: t(`telemetry.points.sampling.${value}`) }))} /></Form.Item>
        </div>
      ) : null}
      <div className="form-pair">
        <Form.Item name="expected_interval" label={t("telemetry.points.field.expected_interval")}><DurationField /></Form.Item>
        <Form.Item name="stale_after" label={t("telemetry.points.field.stale_after")} tooltip={t("telemetry.points.hint.stale_after")}><DurationField placeholder={t("telemetry.points.threeIntervals")} /></Form.Item>
        <Form.Item name="time_zone" label={t("telemetry.points.field.time_zone")} tooltip={t("telemetry.points.hint.time_zone")}><Select allowClear showSearch options={ZONES.map((value) => ({ value }))} placeholder={t("telemetry.points.ofSite")} /></Form.Item>
        <Form.Item name="policy" label={t("telemetry.points.field.policy")} tooltip={t("telemetry.points.hint.policy")}><Select allowClear placeholder={t("telemetry.points.ofClass")} options={(policies.data?.items ?? []).map((one) => ({ value: one.id, label: one.name }))} /></Form.Item>
      </div>
      <Form.Item name="tags" label={t("telemetry.points.field.tags")}><Select mode="tags" tokenSeparators={[","]} open={false} suffixIcon={null} /></Form.Item>
      {kind === "text" ? null : <Form.Item name="writable" label={t("telemetry.points.field.writable")} valuePropName="checked" extra={t("telemetry.points.hint.writable")}><Switch /></Form.Item>}
    </>
  );
}

const ZONES = Intl.supportedValuesOf("timeZone");

/** Brick's classes of points that buildings have most; any other may be typed, and the server knows them all. */
const COMMON_CLASSES = [
  "Zone_Air_Temperature_Sensor", "Zone_Air_Temperature_Setpoint", "Zone_Air_Humidity_Sensor", "Zone_CO2_Level_Sensor", "Outside_Air_Temperature_Sensor", "Outside_Air_Humidity_Sensor", "Supply_Air_Temperature_Sensor",
  "Supply_Air_Temperature_Setpoint", "Return_Air_Temperature_Sensor", "Mixed_Air_Temperature_Sensor", "Supply_Air_Flow_Sensor", "Supply_Air_Static_Pressure_Sensor", "Filter_Differential_Pressure_Sensor", "Damper_Position_Command",
  "Valve_Position_Command", "Fan_Speed_Command", "Fan_On_Off_Status", "On_Off_Status", "On_Off_Command", "Fault_Status", "Alarm", "Occupancy_Sensor", "Luminance_Sensor", "Active_Power_Sensor", "Energy_Sensor", "Voltage_Sensor",
  "Current_Sensor", "Water_Flow_Sensor", "Water_Usage_Sensor", "Water_Level_Sensor", "Water_Pressure_Sensor", "Chilled_Water_Supply_Temperature_Sensor", "Chilled_Water_Return_Temperature_Sensor",
  "Hot_Water_Supply_Temperature_Sensor", "Hot_Water_Return_Temperature_Sensor", "Leak_Alarm", "Smoke_Detection_Alarm", "Fire_Alarm", "Contact_Sensor", "Position_Sensor",
].map((value) => ({ value }));
