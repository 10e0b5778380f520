/** Defines a derived point; what it would have said on the last day is shown while it is written. */
import { Alert, Button, Drawer, Form, Input, InputNumber, Select } from "antd";
import { useQuery } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import { lazy, Suspense, useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get, patch, post } from "../../api/client";
import type { Page } from "../../api/types";
import { useBuilding } from "../context";
import { unitText } from "../lib/format";
import { usePhone } from "../lib/prefs";
import { useErrorText } from "../parts";
import { useTree, useWrite } from "../queries";
import type { Series } from "../scene/chart";
import type { Derived, DerivedKind } from "./derived";
import { ElementField, PointField, showProblems, stepSeconds, UnitField, useDuration, usePaused } from "./fields";

const Chart = lazy(async () => ({ default: (await import("../scene/chart")).Chart }));
const KINDS: readonly DerivedKind[] = ["expression", "sum", "degree_hours", "energy", "run_hours", "starts"];
const EVERY = ["1m", "5m", "15m", "30m", "1h", "1d"];
const PLACES = ["building", "storey", "space", "system", "meter_tree"] as const;
type OverKind = (typeof PLACES)[number];

interface Values {
  kind: DerivedKind;
  key?: string;
  name?: string;
  unit?: string | null;
  element?: string | null;
  brick_class?: string | null;
  expression?: string;
  inputs?: { name: string; point: string | null }[];
  single?: string | null;
  over?: OverKind;
  place?: string | null;
  quantity?: string;
  over_class?: string;
  base?: number | null;
  mode?: "heating" | "cooling";
  above?: number | null;
  every: string;
}

/** The rule as the server takes it; null while something that it needs is missing. */
function ruleOf(values: Partial<Values>, building: string): Record<string, unknown> | null {
  const { kind, every } = values;
  if (!kind || !every) return null;
  if (kind === "sum") {
    const place = values.over === "building" ? building : values.place;
    if (!values.over || !place) return null;
    return { kind, every, over: { [values.over]: place, ...(values.quantity ? { quantity: values.quantity } : {}), ...(values.over_class ? { brick_class: values.over_class } : {}) } };
  }
  if (kind === "expression") {
    const inputs = (values.inputs ?? []).filter((one) => one.name && one.point);
    if (!values.expression?.trim() || inputs.length === 0) return null;
    return { kind, every, expression: values.expression, inputs: Object.fromEntries(inputs.map((one) => [one.name, one.point])) };
  }
  if (!values.single) return null;
  return {
    kind, every, inputs: { x: values.single }, ...(kind === "degree_hours" ? { base: values.base ?? 20, mode: values.mode ?? "heating" } : {}),
    ...(kind === "run_hours" || kind === "starts" ? { above: values.above ?? null } : {}),
  };
}

function startOf(of: Derived | null): Values {
  if (!of) return { kind: "expression", every: "5m", inputs: [{ name: "a", point: null }], over: "storey", mode: "heating", base: 20 };
  const over = Object.entries(of.over ?? {}).find(([name]) => (PLACES as readonly string[]).includes(name)) ?? (typeof of.over?.["kind"] === "string" ? [of.over["kind"], of.over["id"]] as const : null);
  const inputs = Object.entries(of.inputs).map(([name, point]) => ({ name, point }));
  return {
    kind: of.kind, every: of.every, expression: of.expression ?? "", inputs, single: inputs[0]?.point ?? null, over: (over?.[0] as OverKind | undefined) ?? "storey", place: (over?.[1] as string | undefined) ?? null,
    quantity: (of.over?.["quantity"] as string | undefined) ?? "", over_class: (of.over?.["brick_class"] as string | undefined) ?? "", base: of.base ?? 20, mode: of.mode ?? "heating", above: of.above,
  };
}

export function DerivedEditor({ of, close }: { of: Derived | null; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const phone = usePhone();
  const duration = useDuration();
  const { building } = useBuilding();
  const [form] = Form.useForm<Values>();
  const start = useMemo(() => startOf(of), [of]);
  const values = (Form.useWatch([], form) as Partial<Values> | undefined) ?? start;
  const rule = ruleOf({ ...start, ...values }, building.id);
  const point = { key: values.key || "preview", name: values.name || "preview", building: building.id, ...(values.unit ? { unit: values.unit } : of?.point.unit ? { unit: of.point.unit } : {}) };
  const save = useWrite((given: Values) => {
    const own = ruleOf(given, building.id) ?? {};
    if (of) {
      return patch(`/derived/${of.id}`, { ...own, kind: undefined });
    }
    return post("/derived", { ...own, point: { ...point, key: given.key, name: given.name, ...(given.element ? { element: given.element } : {}), ...(given.brick_class ? { brick_class: given.brick_class } : {}) } });
  }, ["points"], close);
  const place = (field: string): (string | number)[] => (field.startsWith("over") ? ["place"] : field.startsWith("inputs") ? [values.kind === "expression" ? "expression" : "single"] : field.startsWith("point.") ? [field.slice(6)] : [field]);
  const kind = values.kind ?? start.kind;
  return (
    <Drawer open onClose={close} size={phone ? "100%" : 620} title={of?.point.name ?? t("telemetry.derived.new")} footer={<Button type="primary" block disabled={rule === null} loading={save.isPending} onClick={() => form.submit()}>{t("action.save")}</Button>}>
      <Form form={form} layout="vertical" requiredMark={false} initialValues={start} scrollToFirstError onFinish={(given) => save.mutate({ ...start, ...given }, { onError: (error) => void showProblems(form, error, place) })}>
        <div className="form-pair">
          <Form.Item name="kind" label={t("telemetry.derived.kindTitle")} extra={t(`telemetry.derived.hint.${kind}`)}><Select disabled={of !== null} options={KINDS.map((value) => ({ value, label: t(`telemetry.derived.kind.${value}`) }))} /></Form.Item>
          <Form.Item name="every" label={t("telemetry.derived.every")} extra={t("telemetry.derived.everyHint")}><Select options={EVERY.map((value) => ({ value, label: duration(stepSeconds(value)) }))} /></Form.Item>
        </div>
        {kind === "expression" ? <Expression /> : kind === "sum" ? <OverFields form={form} start={start} /> : (
          <Form.Item name="single" label={t(`telemetry.derived.input.${kind}`)} rules={[{ required: true, message: t("telemetry.derived.missingPoint") }]}><PointField /></Form.Item>
        )}
        {kind === "degree_hours" ? (
          <div className="form-pair">
            <Form.Item name="base" label={t("telemetry.derived.base")}><InputNumber className="full" suffix="°C" /></Form.Item>
            <Form.Item name="mode" label={t("telemetry.derived.mode")}><Select options={(["heating", "cooling"] as const).map((value) => ({ value, label: t(`telemetry.derived.modeOf.${value}`) }))} /></Form.Item>
          </div>
        ) : null}
        {kind === "run_hours" || kind === "starts" ? <Form.Item name="above" label={t("telemetry.derived.above")} extra={t("telemetry.derived.aboveHint")}><InputNumber className="full" /></Form.Item> : null}
        {of ? null : (
          <>
            <div className="form-pair">
              <Form.Item name="name" label={t("telemetry.points.field.name")} rules={[{ required: true, whitespace: true, message: t("telemetry.points.missing.name") }]}><Input maxLength={200} /></Form.Item>
              <Form.Item name="key" label={t("telemetry.points.field.key")} rules={[{ required: true, whitespace: true, message: t("telemetry.points.missing.key") }]}><Input maxLength={200} /></Form.Item>
              <Form.Item name="unit" label={t("telemetry.points.field.unit")} tooltip={t("telemetry.derived.unitHint")}><UnitField /></Form.Item>
              <Form.Item name="element" label={t("telemetry.points.field.element")}><ElementField /></Form.Item>
            </div>
          </>
        )}
      </Form>
      <LivePreview body={rule === null ? null : { ...rule, point }} />
    </Drawer>
  );
}

function Expression(): ReactNode {
  const { t } = useTranslation();
  return (
    <>
      <Form.Item name="expression" label={t("telemetry.derived.expression")} extra={t("telemetry.derived.expressionHint")} rules={[{ required: true, whitespace: true, message: t("telemetry.derived.missingExpression") }]}>
        <Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} spellCheck={false} className="mono" placeholder="(a + b) / 2.0" />
      </Form.Item>
      <Form.List name="inputs">{(fields, { add, remove }) => (
        <div className="derived-inputs">
          {fields.map((field, i) => (
            <div key={field.key}>
              <Form.Item name={[field.name, "name"]} rules={[{ required: true, pattern: /^[a-z_][a-z0-9_]*$/i, message: t("telemetry.derived.badName") }]}><Input aria-label={t("telemetry.derived.inputName", { number: i + 1 })} className="mono" spellCheck={false} /></Form.Item>
              <span aria-hidden>=</span>
              <Form.Item name={[field.name, "point"]} className="grow" rules={[{ required: true, message: t("telemetry.derived.missingPoint") }]}><PointField /></Form.Item>
              {fields.length > 1 ? <Button type="text" icon={<Trash2 size={15} aria-hidden />} aria-label={t("telemetry.derived.removeInput", { number: i + 1 })} onClick={() => remove(field.name)} /> : null}
            </div>
          ))}
          <Button size="small" icon={<Plus size={14} aria-hidden />} onClick={() => add({ name: String.fromCharCode(97 + (fields.length % 26)), point: null })}>{t("telemetry.derived.addInput")}</Button>
        </div>
      )}</Form.List>
    </>
  );
}

function OverFields({ form, start }: { form: ReturnType<typeof Form.useForm<Values>>[0]; start: Values }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const over = Form.useWatch("over", form) ?? start.over;
  const tree = useTree(building.id);
  const systems = useQuery({ queryKey: ["systems", building.id, "names"], queryFn: ({ signal }) => get<Page<{ id: string; name: string | null }>>("/systems", { building: building.id, limit: 1000 }, signal), enabled: over === "system", retry: 0 });
  const required = [{ required: true, message: t("telemetry.derived.missingPlace") }];
  const named = (items: readonly { id: string | null; name: string | null }[]): { value: string; label: string }[] => items.flatMap((one) => (one.id ? [{ value: one.id, label: one.name ?? one.id }] : []));
  return (
    <>
      <div className="form-pair">
        <Form.Item name="over" label={t("telemetry.derived.over")}><Select options={PLACES.map((value) => ({ value, label: t(`telemetry.derived.place.${value}`) }))} onChange={() => form.setFieldValue("place", null)} /></Form.Item>
        {over === "building" ? null : (
          <Form.Item name="place" label={t(`telemetry.derived.place.${over ?? "storey"}`)} rules={required}>
            {over === "storey" ? <Select showSearch={{ optionFilterProp: "label" }} options={named(tree.data?.storeys ?? [])} /> : over === "system" ? <Select showSearch={{ optionFilterProp: "label" }} loading={systems.isPending} options={named(systems.data?.items ?? [])} /> : <ElementField />}
          </Form.Item>
        )}
        <Form.Item name="quantity" label={t("telemetry.points.field.quantity")} tooltip={t("telemetry.derived.quantityHint")}><Input allowClear placeholder="Power" /></Form.Item>
        <Form.Item name="over_class" label={t("telemetry.points.field.brick_class")}><Input allowClear placeholder="Active_Power_Sensor" /></Form.Item>
      </div>
    </>
  );
}

interface Preview {
  items: { ts: string; value: number | boolean | string | null; quality: string }[];
  unit: string | null;
  members: number;
  buckets: number;
}

const DAY = 86_400_000;

/** The last day as the definition would have it; what is wrong with it while it is written. */
function LivePreview({ body }: { body: Record<string, unknown> | null }): ReactNode {
  const { t } = useTranslation();
  const text = useErrorText();
  const asked = usePaused(JSON.stringify(body), 500);
  const query = useQuery({
    queryKey: ["derived-preview", asked], enabled: asked !== "null", retry: 0, staleTime: 60_000, placeholderData: (previous) => previous,
    queryFn: async () => {
      const to = Math.ceil(Date.now() / 60_000) * 60_000;
      const range = { from: to - DAY, to };
      return { range, found: await post<Preview>("/derived/preview", { ...(JSON.parse(asked) as object), from: new Date(range.from).toISOString(), to: new Date(to).toISOString() }) };
    },
  });
  const series = useMemo<Series>(() => {
    const items = (query.data?.found.items ?? []).filter((one) => typeof one.value === "number" || typeof one.value === "boolean");
    const values = items.map((one) => Number(one.value));
    return { times: items.map((one) => Date.parse(one.ts) / 1000), mean: values, min: values, max: values };
  }, [query.data]);
  return (
    <section className="derived-preview" aria-live="polite">
      <h3 className="form-title">{t("telemetry.derived.preview")}</h3>
      {body === null ? <p className="muted">{t("telemetry.derived.previewWait")}</p> : query.error ? <Alert type="warning" showIcon title={text(query.error)} /> : query.data ? (
        <>
          <Suspense fallback={<div className="chart-wait" />}><Chart series={series} unit={unitText(query.data.found.unit)} from={query.data.range.from / 1000} to={query.data.range.to / 1000} height={150} /></Suspense>
          <p className="muted">{t("telemetry.derived.previewSaid", { count: query.data.found.items.length, buckets: query.data.found.buckets, members: query.data.found.members, unit: unitText(query.data.found.unit) || "–" })}</p>
        </>
      ) : <div className="chart-wait" />}
    </section>
  );
}
