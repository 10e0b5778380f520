/** The dashboards of a building. */
import { App, Button, Dropdown, Skeleton } from "antd";
import { ChevronDown, Copy, Download, LayoutTemplate, MonitorPlay, Plus, Trash2, Upload, Users, PanelsTopLeft } from "lucide-react";
import { useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { del, post } from "../../api/client";
import { useBuilding } from "../context";
import { Ago, Empty, Failure, IconButton, PageHead } from "../parts";
import { usePoints, useTree, useWrite } from "../queries";
import { useColourings } from "../scene/effects";
import { download } from "../telemetry/download";
import type { Tree } from "../../api/types";
import { readDashboard, useDashboards } from "./queries";
import { freeName, fromBuilding, parsed, written } from "./template";
import type { Dashboard, Layout, WholeDashboard } from "./types";
import { WallDialog } from "./wall-dialog";
import "./dashboards.css";

const NO_TREE: Tree = { building: "", building_id: "", elements: 0, site: "", site_id: "", storeys: [] };

export default function Dashboards(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const list = useDashboards(building.id);
  const [wall, setWall] = useState(false);
  const all = list.data ?? [];
  const make = useMake(all);
  return (
    <div className="page-body">
      <PageHead title={t("nav.dashboards")} sub={t("dashboards.sub")}>
        {all.length > 0 ? <Button icon={<MonitorPlay size={15} aria-hidden />} onClick={() => setWall(true)}>{t("dashboards.wall")}</Button> : null}
        <NewButton make={make} />
      </PageHead>
      {list.isError ? <Failure error={list.error} retry={() => void list.refetch()} /> : !list.data ? <Skeleton active /> : all.length === 0 ? (
        <Empty icon={PanelsTopLeft} title={t("dashboards.none")} hint={t("dashboards.noneHint")} action={<Button type="primary" loading={make.busy} disabled={make.busy} icon={<LayoutTemplate size={15} aria-hidden />} onClick={make.fromTemplate}>{t("dashboards.template")}</Button>} />
      ) : <ul className="rows">{all.map((one) => <Row key={one.id} dashboard={one} make={make} />)}</ul>}
      {wall ? <WallDialog dashboards={all} close={() => setWall(false)} /> : null}
    </div>
  );
}

interface Make {
  busy: boolean;
  empty: () => void;
  fromTemplate: () => void;
  from: (name: string, layout: Layout) => void;
}

function useMake(known: readonly Dashboard[]): Make {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const navigate = useNavigate();
  const points = usePoints(building.id);
  const tree = useTree(building.id);
  const colours = useColourings(tree.data ?? NO_TREE);
  const taken = known.filter((one) => one.mine).map((one) => one.name);
  const write = useWrite(
    (given: { name: string; layout: Layout }) => post<WholeDashboard>(`/buildings/${building.id}/dashboards`, { ...given, name: freeName(given.name, taken) }), ["dashboards"],
    (made) => void navigate(`/b/${building.id}/dashboards/${made.id}`, { state: { edit: true } }),
  );
  const template = (): void => write.mutate({ name: building.name.slice(0, 190), layout: fromBuilding(points.data ?? [], colours, tree.data ?? null, { temperatures: t("dashboards.temperatures"), use: t("dashboards.use") }) });
  return {
    busy: write.isPending || points.isLoading || tree.isLoading,
    empty: () => write.mutate({ name: t("dashboards.newName"), layout: { widgets: [] } }), fromTemplate: template, from: (name, layout) => write.mutate({ name, layout }),
  };
}

function NewButton({ make }: { make: Make }): ReactNode {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const file = useRef<HTMLInputElement>(null);
  const read = async (given: File | undefined): Promise<void> => {
    const found = given && given.size < 5_000_000 ? parsed(await given.text()) : null;
    if (found) make.from(found.name, found.layout);
    else void message.error(t("dashboards.noFile"));
  };
  return (
    <>
      <Dropdown trigger={["click"]} menu={{
        items: [
          { key: "template", icon: <LayoutTemplate size={14} />, label: t("dashboards.template"), onClick: make.fromTemplate, disabled: make.busy },
          { key: "empty", icon: <Plus size={14} />, label: t("dashboards.empty"), onClick: make.empty },
          { key: "import", icon: <Upload size={14} />, label: t("dashboards.import"), onClick: () => file.current?.click() },
        ],
      }}>
        <Button type="primary" loading={make.busy} icon={<Plus size={15} aria-hidden />}>{t("dashboards.create")}<ChevronDown size={14} aria-hidden /></Button>
      </Dropdown>
      <input ref={file} type="file" accept="application/json,.json" hidden aria-label={t("dashboards.import")} onChange={(event) => {
        void read(event.target.files?.[0]);
        event.target.value = "";
      }} />
    </>
  );
}

function Row({ dashboard, make }: { dashboard: Dashboard; make: Make }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { modal } = App.useApp();
  const remove = useWrite(() => del(`/dashboards/${dashboard.id}`), ["dashboards"]);
  const read = useWrite((_: "copy" | "file") => readDashboard(dashboard.id), [], (whole, what) => {
    if (what === "copy") make.from(t("dashboards.copyOf", { name: whole.name }).slice(0, 190), whole.layout);
    else download(new Blob([written(whole.name, whole.layout)], { type: "application/json" }), `${whole.name.replaceAll(/[\\/:*?"<>|]/g, "_")}.dashboard.json`);
  });
  return (
    <li className="row">
      <Link className="row-main" to={`/b/${building.id}/dashboards/${dashboard.id}`}>
        <span className="row-line"><b>{dashboard.name}</b>{dashboard.shared ? <span className="db-shared"><Users size={13} aria-hidden />{dashboard.mine ? t("dashboards.shared") : t("dashboards.by", { name: dashboard.owner })}</span> : null}</span>
        <span className="row-line muted"><span>{t("dashboards.widgets", { count: dashboard.widgets })}</span><span aria-hidden>·</span><Ago at={dashboard.changed_at} /></span>
      </Link>
      <span className="row-actions">
        <IconButton icon={Copy} size={15} label={t("dashboards.copy", { name: dashboard.name })} onClick={() => read.mutate("copy")} />
        <IconButton icon={Download} size={15} label={t("dashboards.export", { name: dashboard.name })} onClick={() => read.mutate("file")} />
        {dashboard.mine ? (
          <IconButton icon={Trash2} size={15} label={t("dashboards.remove", { name: dashboard.name })} onClick={() => void modal.confirm({
            title: t("dashboards.removeSure", { name: dashboard.name }), content: dashboard.shared ? t("dashboards.removeHint") : null, okText: t("action.delete"), cancelText: t("action.cancel"),
            okButtonProps: { danger: true }, onOk: () => remove.mutateAsync(undefined).catch(() => undefined),
          })} />
        ) : null}
      </span>
    </li>
  );
}
