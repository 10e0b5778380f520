/** What one widget shows: changes are seen at once beside the form. */
import { Drawer, Form, Input, InputNumber, Select } from "antd";
import { useDeferredValue, useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useBuilding } from "../context";
import { usePhone } from "../lib/prefs";
import { unitText } from "../lib/format";
import { useQuantityName } from "../lib/names";
import { itemsOf, usePaged, useTree } from "../queries";
import { useColourings } from "../scene/effects";
import { symbolOf, type FullPoint } from "../telemetry/types";
import { useSaved } from "../workspace/queries";
import type { Tree } from "../../api/types";
import { usePointsByKey } from "./queries";
import { PERIODS, type PlaceWidget, type PointsWidget, type PointWidget, type Widget } from "./types";

export default function WidgetForm({ widget, change, close }: { widget: Widget; change: (widget: Widget) => void; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const phone = usePhone();
  return (
    <Drawer open onClose={close} title={t(`dashboards.kind.${widget.kind}`)} placement={phone ? "bottom" : "right"} size={phone ? "75%" : 360} mask={false}>
      <Form layout="vertical" requiredMark={false}>
        <Form.Item label={t("dashboards.titleField")}><Input value={widget.title ?? ""} maxLength={200} placeholder={t("dashboards.titleHint")} aria-label={t("dashboards.titleField")} onChange={(event) => change({ ...widget, title: event.target.value })} /></Form.Item>
        {"point" in widget ? <OfPoint widget={widget} change={change} /> : null}
        {"points" in widget ? <OfPoints widget={widget} change={change} /> : null}
        {widget.kind === "plan" || widget.kind === "scene" ? <OfPlace widget={widget} change={change} /> : null}
        {widget.kind === "text" ? (
          <Form.Item label={t("dashboards.kind.text")} extra={t("dashboards.markdownHint")}>
            <Input.TextArea rows={10} maxLength={10_000} value={widget.text} aria-label={t("dashboards.kind.text")} onChange={(event) => change({ ...widget, text: event.target.value })} />
          </Form.Item>
        ) : null}
      </Form>
    </Drawer>
  );
}

function OfPoint({ widget, change }: { widget: PointWidget; change: (widget: Widget) => void }): ReactNode {
  const { t } = useTranslation();
  const limit = (side: "low" | "high"): ReactNode => (
    <InputNumber value={widget[side] ?? null} aria-label={t(`dashboards.${side}`)} placeholder={t(`dashboards.${side}`)} className="full" onChange={(value) => change({ ...widget, [side]: value })} />
  );
  return (
    <>
      <Form.Item label={t("dashboards.point")}><PointSelect keys={[widget.point]} most={1} change={([key]) => key && change({ ...widget, point: key })} /></Form.Item>
      <Form.Item label={t("dashboards.limits")} extra={t("dashboards.limitsHint")}><div className="db-limits">{limit("low")}<span>–</span>{limit("high")}</div></Form.Item>
    </>
  );
}

function OfPoints({ widget, change }: { widget: PointsWidget; change: (widget: Widget) => void }): ReactNode {
  const { t } = useTranslation();
  return (
    <>
      <Form.Item label={t("dashboards.points")}><PointSelect keys={widget.points} most={20} change={(keys) => keys.length > 0 && change({ ...widget, points: keys })} /></Form.Item>
      {widget.kind === "table" ? null : (
        <Form.Item label={t("dashboards.period")}><Select value={widget.span ?? "day"} aria-label={t("dashboards.period")} onChange={(span) => change({ ...widget, span })} options={PERIODS.map((one) => ({ value: one, label: t(`dashboards.last.${one}`) }))} /></Form.Item>
      )}
    </>
  );
}

/** Searches on the server: a building may have thousands. */
function PointSelect({ keys, most, change }: { keys: readonly string[]; most: number; change: (keys: string[]) => void }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const [q, setQ] = useState("");
  const wanted = useDeferredValue(q.trim());
  const found = usePaged<FullPoint>(["points", "picker", building.id, wanted], "/points", { building: building.id, q: wanted, limit: 200 });
  const chosen = usePointsByKey(keys);
  const options = useMemo(() => {
    const all = new Map([...chosen.points, ...itemsOf(found.data).filter((point) => !point.retired_at)].map((point) => [point.key, point]));
    return [...all.values()].map((point) => ({ value: point.key, label: point.name, said: [symbolOf(point), point.key].filter(Boolean).join(" · ") }));
  }, [chosen.points, found.data]);
  const given = most === 1 ? (keys[0] ?? null) : [...keys];
  return (
    <Select<string | string[] | null, (typeof options)[number]> {...(most === 1 ? {} : { mode: "multiple" as const, maxCount: most })} value={given} aria-label={t(most === 1 ? "dashboards.point" : "dashboards.points")} className="full"
      showSearch={{ filterOption: false, onSearch: setQ }} loading={found.isFetching} options={options} placeholder={t("telemetry.points.search")}
      optionRender={({ data }) => <span className="db-option"><span>{data.label}</span><small>{data.said}</small></span>}
      onChange={(value) => change(value === null ? [] : Array.isArray(value) ? value : [value])} />
  );
}

function OfPlace({ widget, change }: { widget: PlaceWidget; change: (widget: Widget) => void }): ReactNode {
  const { building } = useBuilding();
  const tree = useTree(building.id);
  return tree.data ? <PlaceFields widget={widget} change={change} tree={tree.data} /> : null;
}

function PlaceFields({ widget, change, tree }: { widget: PlaceWidget; change: (widget: Widget) => void; tree: Tree }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const name = useQuantityName();
  const known = useColourings(tree);
  const saved = useSaved(building.id);
  const views = (saved.data ?? []).flatMap((one) => (one.kind === "viewpoint" && typeof one.content["view"] === "string" ? [{ value: one.content["view"], label: one.name }] : []));
  const storeys = tree.storeys.filter((one) => one.id !== null).map((one) => ({ value: one.id ?? "", label: one.name ?? one.id }));
  const quantities = known.filter((one) => widget.kind === "scene" || one.target === "room").map((one) => ({ value: one.key, label: [`${name(one.name, one.label)}`, unitText(one.unit), t(one.target === "room" ? "dashboards.ofRooms" : "dashboards.ofEquipment")].filter(Boolean).join(" · ") }));
  return (
    <>
      {widget.kind === "scene" ? (
        <Form.Item label={t("dashboards.viewpoint")} extra={t("dashboards.viewpointHint")}>
          <Select value={widget.view ?? ""} aria-label={t("dashboards.viewpoint")} onChange={(view) => change({ ...widget, view })} options={[{ value: "", label: t("dashboards.wholeBuilding") }, ...views, ...(widget.view && !views.some((one) => one.value === widget.view) ? [{ value: widget.view, label: t("dashboards.keptView") }] : [])]} />
        </Form.Item>
      ) : null}
      <Form.Item label={t("dashboards.storey")}><Select allowClear value={widget.storey ?? null} aria-label={t("dashboards.storey")} placeholder={t(widget.kind === "scene" ? "dashboards.allStoreys" : "dashboards.firstStorey")} options={storeys} onChange={(storey: string | undefined) => change({ ...widget, storey: storey ?? null })} /></Form.Item>
      <Form.Item label={t("dashboards.quantity")}><Select value={widget.quantity ?? ""} aria-label={t("dashboards.quantity")} options={[{ value: "", label: t("dashboards.noColours") }, ...quantities]} onChange={(quantity) => change({ ...widget, quantity })} /></Form.Item>
    </>
  );
}
