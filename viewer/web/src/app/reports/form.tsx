/** Defining a report: its period, its sections in their order, who sees it, and when it is made by itself. */
import { App, Button, DatePicker, Dropdown, Form, Input, InputNumber, Modal, Segmented, Select, Switch } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { ArrowDown, ArrowUp, Plus, X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { post, request } from "../../api/client";
import { useBuilding } from "../context";
import { toRule } from "../lib/recurrence";
import { PeopleSelect, type Who } from "../pages/people";
import { RuleBuilder } from "../pages/rule-builder";
import { IconButton } from "../parts";
import { itemsOf, usePaged, useWrite } from "../queries";
import { useMay } from "../session";
import { symbolOf, type FullPoint } from "../telemetry/types";
import { unitText } from "../lib/format";
import type { Opened } from "./reports";
import { KINDS, PERIODS, type Chosen, type Definition, type Kind, type PeriodKind, type Report } from "./types";

interface Values {
  name: string;
  period: PeriodKind;
  days?: [Dayjs, Dayjs];
  shared: boolean;
  scheduled: boolean;
  start: Dayjs;
  rrule: string | null;
  tell?: Who;
}

/** A section while it is chosen; the number keeps it apart from others of its kind. */
interface Draft {
  id: number;
  chosen: Chosen;
}

const FIRST: readonly Kind[] = ["use", "points", "alarms", "orders"];
const MOST_LINES = 8;

function fresh(kind: Kind): Chosen {
  if (kind === "text") return { kind, text: "" };
  if (kind === "chart") return { kind, points: [] };
  if (kind === "points") return { kind, points: [] };
  if (kind === "alarms") return { kind, ack_within: 600 };
  return { kind };
}

/** Every Monday at six, or whatever comes after the period. */
function scheduleFor(period: PeriodKind): { start: Dayjs; rrule: string } {
  const start = dayjs().add(1, "day").hour(6).minute(0).second(0).millisecond(0);
  const each = { interval: 1, weekdays: [0], monthDay: 1, count: null };
  if (period === "day") return { start, rrule: toRule({ ...each, every: "day" }) };
  if (period === "week") return { start, rrule: toRule({ ...each, every: "week" }) };
  return { start, rrule: toRule({ ...each, every: "month", interval: period === "quarter" ? 3 : period === "year" ? 12 : 1 }) };
}

export default function ReportForm({ opened, close }: { opened: Opened; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const may = useMay();
  const [form] = Form.useForm<Values>();
  const [drafts, setDrafts] = useState<Draft[]>(() => (opened.report?.sections ?? FIRST.filter((kind) => kind !== "points").map(fresh)).map((chosen, id) => ({ id, chosen })));
  const [wrong, setWrong] = useState(false);
  const save = useWrite((body: Definition) => (opened.report && !opened.copy ? request<Report>("PUT", `/reports/${opened.report.id}`, { body }) : post<Report>(`/buildings/${building.id}/reports`, body)), ["reports"], () => {
    void message.success(t("reports.saved"));
    close();
  });
  const finish = (values: Values): void => {
    if (drafts.length === 0 || drafts.some((one) => problemOf(one.chosen) !== null)) return setWrong(true);
    save.mutate(definition(values, drafts.map((one) => one.chosen)));
  };
  return (
    <Modal open title={t(opened.report && !opened.copy ? "reports.edit" : "reports.create")} onCancel={close} onOk={form.submit} okText={t("reports.form.save")} cancelText={t("action.cancel")} width={640} okButtonProps={{ loading: save.isPending }} keyboard={false} mask={{ closable: false }} destroyOnHidden>
      <Form form={form} layout="vertical" requiredMark={false} onFinish={finish} initialValues={initial(opened, t("reports.copyOf", { name: opened.report?.name ?? "" }))}>
        <Form.Item name="name" label={t("reports.form.name")} rules={[{ required: true, whitespace: true, message: t("reports.form.nameMissing") }]}><Input autoFocus maxLength={200} placeholder={t("reports.form.nameHint")} /></Form.Item>
        <Period form={form} />
        <Form.Item label={t("reports.form.sections")} className="rp-form-sections">
          <SectionList drafts={drafts} set={setDrafts} wrong={wrong} />
        </Form.Item>
        <Schedule />
        {may("topic.write") ? <label className="rp-switch"><Form.Item name="shared" valuePropName="checked" noStyle><Switch size="small" /></Form.Item>{t("reports.form.sharing")}</label> : null}
        <Tell />
      </Form>
    </Modal>
  );
}

function initial({ report, copy }: Opened, copied: string): Values {
  const days = report?.first_day && report.last_day ? { days: [dayjs(report.first_day), dayjs(report.last_day)] as [Dayjs, Dayjs] } : {};
  return {
    name: report ? (copy ? copied : report.name) : "", period: report?.period ?? "month", ...days, shared: report !== null && !copy && report.shared, scheduled: report !== null && !copy && report.starts_at !== null,
    ...(report?.starts_at ? { start: dayjs(report.starts_at), rrule: report.rrule } : scheduleFor(report?.period ?? "month")), ...(report?.tell && !copy ? { tell: { crew: report.tell } } : {}),
  };
}

function definition(values: Values, sections: Chosen[]): Definition {
  const ranged = values.period === "range" && values.days;
  return {
    name: values.name, period: values.period, sections, shared: values.shared,
    first_day: ranged ? ranged[0].format("YYYY-MM-DD") : null, last_day: ranged ? ranged[1].format("YYYY-MM-DD") : null,
    schedule: values.scheduled ? { starts_at: values.start.toISOString(), rrule: values.rrule } : null, tell: values.shared && values.scheduled ? (values.tell?.crew ?? values.tell?.assignee ?? null) : null,
  };
}

function problemOf(chosen: Chosen): "textMissing" | "pointsMissing" | null {
  if (chosen.kind === "text" && chosen.text.trim() === "") return "textMissing";
  return (chosen.kind === "chart" || chosen.kind === "points") && chosen.points.length === 0 ? "pointsMissing" : null;
}

function Period({ form }: { form: ReturnType<typeof Form.useForm<Values>>[0] }): ReactNode {
  const { t } = useTranslation();
  const period = Form.useWatch("period", form);
  return (
    <>
      <Form.Item name="period" label={t("reports.form.period")}>
        <Segmented block className="rp-periods" options={PERIODS.map((value) => ({ value, label: t(`reports.period.${value}`) }))} onChange={(value) => { if (!form.getFieldValue("scheduled")) form.setFieldsValue(scheduleFor(value)); }} />
      </Form.Item>
      {period === "range" ? <Form.Item name="days" label={t("reports.form.days")} rules={[{ required: true, message: t("reports.form.daysMissing") }]}><DatePicker.RangePicker className="full" /></Form.Item> : null}
    </>
  );
}

function Schedule(): ReactNode {
  const { t } = useTranslation();
  const form = Form.useFormInstance<Values>();
  const scheduled = Form.useWatch("scheduled", form);
  const start = Form.useWatch("start", form);
  return (
    <>
      <label className="rp-switch"><Form.Item name="scheduled" valuePropName="checked" noStyle><Switch size="small" /></Form.Item>{t("reports.form.schedule")}</label>
      {scheduled ? (
        <div className="rp-schedule">
          <Form.Item name="start" label={t("reports.form.start")} rules={[{ required: true }]}><DatePicker showTime={{ format: "HH:mm" }} format="YYYY-MM-DD HH:mm" allowClear={false} className="full" /></Form.Item>
          <Form.Item name="rrule" label={t("rule.repeat")}><RuleBuilder start={start?.toDate() ?? NOW} /></Form.Item>
        </div>
      ) : null}
    </>
  );
}

const NOW = new Date();

function Tell(): ReactNode {
  const { t } = useTranslation();
  const form = Form.useFormInstance<Values>();
  const shared = Form.useWatch("shared", form);
  const scheduled = Form.useWatch("scheduled", form);
  return shared && scheduled ? <Form.Item name="tell" label={t("reports.form.tell")} extra={t("reports.form.tellHint")}><PeopleSelect /></Form.Item> : null;
}

function SectionList({ drafts, set, wrong }: { drafts: Draft[]; set: (drafts: Draft[]) => void; wrong: boolean }): ReactNode {
  const { t } = useTranslation();
  const move = (from: number, to: number): void => {
    const next = [...drafts];
    const [one] = next.splice(from, 1);
    if (one) next.splice(to, 0, one);
    set(next);
  };
  const add = (kind: Kind): void => set([...drafts, { id: Math.max(-1, ...drafts.map((one) => one.id)) + 1, chosen: fresh(kind) }]);
  return (
    <>
      <ol className="rp-drafts">
        {drafts.map(({ id, chosen }, i) => {
          const problem = wrong ? problemOf(chosen) : null;
          return (
            <li key={id} className={`rp-draft${problem ? " is-wrong" : ""}`}>
              <header>
                <b>{t(`reports.kind.${chosen.kind}`)}</b>
                <IconButton icon={ArrowUp} size={14} label={t("reports.form.up")} disabled={i === 0} onClick={() => move(i, i - 1)} />
                <IconButton icon={ArrowDown} size={14} label={t("reports.form.down")} disabled={i === drafts.length - 1} onClick={() => move(i, i + 1)} />
                <IconButton icon={X} size={14} label={t("reports.form.remove")} onClick={() => set(drafts.filter((one) => one.id !== id))} />
              </header>
              <Choice chosen={chosen} set={(next) => set(drafts.map((one) => (one.id === id ? { id, chosen: next } : one)))} />
              {problem ? <p className="sev-text-critical" role="alert">{t(`reports.form.${problem}`)}</p> : null}
            </li>
          );
        })}
      </ol>
      {wrong && drafts.length === 0 ? <p className="sev-text-critical" role="alert">{t("reports.form.sectionMissing")}</p> : null}
      <Dropdown trigger={["click"]} menu={{ onClick: ({ key }) => add(key as Kind), items: KINDS.map((key) => ({ key, label: <span className="rp-kind"><b>{t(`reports.kind.${key}`)}</b><small>{t(`reports.kindHint.${key}`)}</small></span> })) }}>
        <Button size="small" icon={<Plus size={14} aria-hidden />}>{t("reports.form.add")}</Button>
      </Dropdown>
    </>
  );
}

/** What there is to choose of a section. */
function Choice({ chosen, set }: { chosen: Chosen; set: (chosen: Chosen) => void }): ReactNode {
  const { t } = useTranslation();
  const title = <Input size="small" maxLength={200} value={chosen.title ?? ""} placeholder={t("reports.form.sectionTitle")} aria-label={t("reports.form.sectionTitle")} onChange={(event) => set({ ...chosen, title: event.target.value || null })} />;
  if (chosen.kind === "text") {
    return <>{title}<Input.TextArea autoSize={{ minRows: 2, maxRows: 10 }} maxLength={10_000} value={chosen.text} placeholder={t("reports.form.textHint")} aria-label={t("reports.form.text")} onChange={(event) => set({ ...chosen, text: event.target.value })} /></>;
  }
  if (chosen.kind === "chart") return <>{title}<PointsSelect value={chosen.points} most={MOST_LINES} onChange={(points) => set({ ...chosen, points })} /></>;
  if (chosen.kind === "points") {
    const known = new Map(chosen.points.map((one) => [one.point, one]));
    return (
      <>
        {title}
        <PointsSelect value={chosen.points.map((one) => one.point)} most={100} onChange={(points) => set({ ...chosen, points: points.map((point) => known.get(point) ?? { point }) })} />
        {chosen.points.map((one) => (
          <div key={one.point} className="rp-limits">
            <span title={one.point}>{one.point}</span>
            {(["low", "high"] as const).map((side) => (
              <InputNumber key={side} size="small" controls={false} value={one[side] ?? null} prefix={t(`reports.form.${side}`)} aria-label={`${one.point}: ${t(`reports.form.${side}`)}`}
                onChange={(value) => set({ ...chosen, points: chosen.points.map((other) => (other === one ? { ...one, [side]: value } : other)) })} />
            ))}
          </div>
        ))}
        {chosen.points.length > 0 ? <small className="muted">{t("reports.form.limitsHint")}</small> : null}
      </>
    );
  }
  if (chosen.kind === "alarms") {
    return (
      <label className="rp-within">{t("reports.form.ackWithin")}
        <InputNumber size="small" min={1} max={1440} value={Math.round((chosen.ack_within ?? 600) / 60)} suffix={t("reports.form.minutes")} onChange={(value) => set({ ...chosen, ack_within: (value ?? 10) * 60 })} />
      </label>
    );
  }
  return null;
}

/** Points by key, found by the server as one types; only those that have numbers. */
function PointsSelect({ value, most, onChange }: { value: string[]; most: number; onChange: (value: string[]) => void }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const [q, setQ] = useState("");
  const points = usePaged<FullPoint>(["points", "picker", building.id, q], "/points", { building: building.id, q, limit: 100 });
  const found = itemsOf(points.data).filter((one) => one.kind === "number" || one.kind === "bool");
  return (
    <Select mode="multiple" size="small" className="full" maxCount={most} value={value} loading={points.isFetching} placeholder={t("reports.form.pointsHint")} aria-label={t("reports.form.points")}
      showSearch={{ filterOption: false, onSearch: setQ, autoClearSearchValue: false }} onChange={onChange} optionLabelProp="title"
      options={found.map((one) => ({ value: one.key, title: one.name, label: <span className="rp-kind"><b>{one.name}</b><small>{[symbolOf(one) || unitText(one.unit), one.element?.name, one.key].filter(Boolean).join(" · ")}</small></span> }))} />
  );
}
