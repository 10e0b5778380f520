/** Above the charts: which time, what beside it, what over it, and ways to keep it or take it along. */
import { App, Button, DatePicker, Dropdown, Input, Modal, Segmented, Select } from "antd";
import dayjs from "dayjs";
import {
  Bookmark, ChevronLeft, ChevronRight, Download, Link2, ListPlus, Radio, Settings2, Trash2, ZoomIn, ZoomOut,
} from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useBuilding, useModeValue } from "../../context";
import { usePhone } from "../../lib/prefs";
import { useStore } from "../../lib/store";
import { IconButton, useErrorText } from "../../parts";
import { useMe } from "../../session";
import { downloadPost } from "../download";
import type { FullPoint } from "../types";
import { exportPng, type Drawn } from "./export";
import { isPreset, moved, offsetOf, PRESETS, spanOf, zoomed, type Preset, type Range } from "./ranges";
import { savedViews, withoutView, withView } from "./saved";
import type { Shown } from "./shown";
import { COMPARES, parseView, viewText, type TrendsView } from "./view";

interface Props {
  view: TrendsView;
  change: (next: (before: TrendsView) => TrendsView) => void;
  shown: Shown;
  show: (range: Range) => void;
  zone: string;
  points: ReadonlyMap<string, FullPoint>;
  drawn: () => Drawn[];
  /** On a phone: open the list of points. */
  pick: (() => void) | null;
}

export function TrendsToolbar({ view, change, shown, show, zone, points, drawn, pick }: Props): ReactNode {
  const { t } = useTranslation();
  const phone = usePhone();
  const custom = isPreset(view.range) ? "custom" : view.range;
  const presets = PRESETS.map((one) => ({ value: one, label: t(`telemetry.trends.preset.${one}`) }));
  const chosen = isPreset(view.range) ? view.range : "custom";
  return (
    <div className="trends-bar" role="toolbar" aria-label={t("telemetry.trends.tools")}>
      <h1 className="sr-only">{t("nav.trends")}</h1>
      {phone ? (
        <Select value={chosen} onChange={(value) => value !== "custom" && show(value as Preset)} aria-label={t("telemetry.trends.range")} className="trends-preset"
          options={[...presets, ...(chosen === "custom" ? [{ value: "custom" as const, label: t("telemetry.trends.preset.custom") }] : [])]} />
      ) : (
        <Segmented<string> value={chosen} onChange={(value) => show(value as Preset)} options={presets} aria-label={t("telemetry.trends.range")} />
      )}
      <span className="trends-move">
        <IconButton icon={ChevronLeft} label={t("telemetry.trends.earlier")} onClick={() => show(moved(shown.span.get(), -0.5, Date.now()))} />
        <IconButton icon={ZoomIn} label={t("telemetry.trends.zoomIn")} onClick={() => show(zoomed(shown.span.get(), 0.5, middle(shown), Date.now()))} />
        <IconButton icon={ZoomOut} label={t("telemetry.trends.zoomOut")} onClick={() => show(zoomed(shown.span.get(), 2, middle(shown), Date.now()))} />
        <IconButton icon={ChevronRight} label={t("telemetry.trends.later")} onClick={() => show(moved(shown.span.get(), 0.5, Date.now()))} />
      </span>
      <SpanPicker key={JSON.stringify(custom)} shown={shown} zone={zone} show={show} live={isPreset(view.range)} />
      <span className="grow" />
      <Select value={view.compare} onChange={(compare) => change((before) => ({ ...before, compare }))} aria-label={t("telemetry.trends.compare.title")} className="trends-compare"
        options={COMPARES.map((one) => ({ value: one, label: t(`telemetry.trends.compare.${one}`) }))} />
      <Dropdown trigger={["click"]} menu={{
        multiple: true, selectable: true, selectedKeys: SHOWN.filter((one) => view[one]),
        items: SHOWN.map((one) => ({ key: one, label: t(`telemetry.trends.shown.${one}`) })),
        onClick: ({ key }) => change((before) => ({ ...before, [key]: !before[key as Switch] })),
      }}>
        <Button icon={<Settings2 size={15} aria-hidden />} aria-label={t("telemetry.trends.shown.title")} />
      </Dropdown>
      <Keep view={view} change={change} />
      <Take view={view} shown={shown} points={points} drawn={drawn} />
      {pick ? <Button type="primary" icon={<ListPlus size={15} aria-hidden />} onClick={pick}>{t("telemetry.trends.add")}</Button> : null}
    </div>
  );
}

const SHOWN = ["bands", "marks", "statistics", "table"] as const;
type Switch = (typeof SHOWN)[number];

function middle(shown: Shown): number {
  const { from, to } = shown.span.get();
  const cursor = shown.cursor.get();
  return cursor === null ? (from + to) / 2 : cursor * 1000;
}

/** From and to on the wall clock of the building. */
function SpanPicker({ shown, zone, show, live }: { shown: Shown; zone: string; show: (range: Range) => void; live: boolean }): ReactNode {
  const { t } = useTranslation();
  const span = useStore(shown.span);
  const own = -new Date().getTimezoneOffset() * 60_000;
  // The picker knows the browser's zone only: it is shown, and asked, moments that look there as they look at the site.
  const toPicker = (at: number): dayjs.Dayjs => dayjs(at + offsetOf(zone, at) - (-new Date(at).getTimezoneOffset() * 60_000 || own));
  const fromPicker = (day: dayjs.Dayjs): number => {
    const wall = Date.UTC(day.year(), day.month(), day.date(), day.hour(), day.minute());
    return wall - offsetOf(zone, wall - offsetOf(zone, wall));
  };
  return (
    <span className="trends-span">
      <DatePicker.RangePicker showTime={{ format: "HH:mm" }} format="YYYY-MM-DD HH:mm" allowClear={false} value={[toPicker(span.from), toPicker(span.to)]} suffixIcon={null} variant="filled"
        aria-label={t("telemetry.trends.range")} onChange={(days) => {
          const [from, to] = days ?? [];
          if (!from || !to) return;
          const wanted = { from: fromPicker(from), to: fromPicker(to) };
          if (wanted.to - wanted.from >= 60_000) show(wanted);
        }} />
      {live ? <span className="trends-live" title={t("telemetry.trends.liveHint")}><Radio size={13} aria-hidden />{t("telemetry.trends.live")}</span> : null}
    </span>
  );
}

/** Views with a name, and a link that carries this one. */
function Keep({ view, change }: { view: TrendsView; change: (next: (before: TrendsView) => TrendsView) => void }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const me = useMe();
  const store = savedViews(me.name, building.id);
  const kept = useStore(store);
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState("");
  const save = (): void => {
    store.set((before) => withView(before, name.trim(), viewText(view)));
    setNaming(false);
    void message.success(t("telemetry.trends.saved", { name: name.trim() }));
  };
  const copy = async (): Promise<void> => {
    const { from, to } = spanOf(view.range, Date.now(), "UTC");
    const fixed = isPreset(view.range) ? view : { ...view, range: { from, to } };
    await navigator.clipboard.writeText(`${location.origin}/b/${building.id}/trends?${viewText(fixed)}`);
    void message.success(t("telemetry.trends.copied"));
  };
  const open = (text: string): void => change(() => parseView(new URLSearchParams(text)));
  return (
    <>
      <Dropdown trigger={["click"]} menu={{
        items: [
          ...kept.views.map((one) => ({
            key: `view:${one.name}`, label: (
              <span className="menu-row">{one.name}<button type="button" className="trends-forget" aria-label={t("telemetry.trends.forget", { name: one.name })} onClick={(event) => {
                event.stopPropagation();
                store.set((before) => withoutView(before, one.name));
              }}><Trash2 size={13} aria-hidden /></button></span>
            ), onClick: () => open(one.view),
          })),
          ...(kept.views.length > 0 ? [{ type: "divider" as const }] : []),
          { key: "save", label: t("telemetry.trends.save"), icon: <Bookmark size={14} aria-hidden />, disabled: view.charts.length === 0, onClick: () => setNaming(true) },
          { key: "link", label: t("telemetry.trends.copy"), icon: <Link2 size={14} aria-hidden />, onClick: () => void copy() },
        ],
      }}>
        <Button icon={<Bookmark size={15} aria-hidden />} aria-label={t("telemetry.trends.views")} />
      </Dropdown>
      <Modal open={naming} title={t("telemetry.trends.save")} onCancel={() => setNaming(false)} onOk={save} okText={t("action.save")} okButtonProps={{ disabled: !name.trim() }} destroyOnHidden width={380}>
        <Input value={name} onChange={(event) => setName(event.target.value)} onPressEnter={() => name.trim() && save()} placeholder={t("telemetry.trends.viewName")} aria-label={t("telemetry.trends.viewName")} maxLength={80} autoFocus />
        <p className="muted trends-note">{t("telemetry.trends.savedHere")}</p>
      </Modal>
    </>
  );
}

/** Readings of the time shown as a file, the charts as a picture. */
function Take({ view, shown, points, drawn }: Pick<Props, "view" | "shown" | "points" | "drawn">): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const mode = useModeValue();
  const text = useErrorText();
  const [busy, setBusy] = useState(false);
  const take = async (format: string): Promise<void> => {
    const { from, to } = shown.span.get();
    const days = [from, to].map((at) => new Date(at).toISOString().slice(0, 10)).join("-");
    setBusy(true);
    try {
      if (format === "png") await exportPng(drawn(), mode, `${building.name} · ${days.replace(/-(?=\d{4})/, " – ")}`, `trends-${days}.png`);
      else {
        const ids = [...new Set(view.charts.flat())].filter((id) => points.has(id));
        await downloadPost("/readings/export", { points: ids, from: new Date(from).toISOString(), to: new Date(to).toISOString(), format }, `readings-${days}.${format}`);
      }
    } catch (error) {
      void message.error(text(error), 6);
    } finally {
      setBusy(false);
    }
  };
  const formats = ["csv", "parquet", "arrow", "png"] as const;
  return (
    <Dropdown trigger={["click"]} disabled={view.charts.length === 0} menu={{
      items: formats.map((one) => ({ key: one, label: t(`telemetry.trends.export.${one}`) })), onClick: ({ key }) => void take(key),
    }}>
      <Button icon={<Download size={15} aria-hidden />} loading={busy} aria-label={t("telemetry.trends.export.title")} />
    </Dropdown>
  );
}
