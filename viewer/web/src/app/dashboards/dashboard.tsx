/** One dashboard: to look at, to arrange, to share, to hang on a wall. */
import { App, Button, Dropdown, Input, Skeleton } from "antd";
import { ArrowLeft, ChevronDown, MonitorPlay, Pencil, Plus, Rows3, Undo2, Users } from "lucide-react";
import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useNavigate, useParams } from "react-router";
import { ApiError, post, request } from "../../api/client";
import { useBuilding } from "../context";
import { Empty, Failure, IconButton, IconLink, useErrorText } from "../parts";
import { usePoints } from "../queries";
import { useMay } from "../session";
import { Board } from "./board";
import { packed } from "./grid";
import { useDashboard } from "./queries";
import { freeName, fresh } from "./template";
import { Sharing } from "./form-sharing";
import { KINDS, type Kind, type Layout, type Widget, type WholeDashboard } from "./types";
import { WallDialog } from "./wall-dialog";
import "./dashboards.css";

const WidgetForm = lazy(() => import("./form"));

export default function DashboardPage(): ReactNode {
  const { dashboard = "" } = useParams();
  const read = useDashboard(dashboard);
  if (read.isError) return <div className="page-body"><Failure error={read.error} retry={() => void read.refetch()} /></div>;
  if (!read.data) return <div className="page-body"><Skeleton active /></div>;
  return <Shown key={read.data.id} dashboard={read.data} />;
}

/** What is being changed; the server has `revision` of it. */
interface Draft {
  name: string;
  shared: boolean;
  layout: Layout;
  past: Layout[];
}

function Shown({ dashboard }: { dashboard: WholeDashboard }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const location = useLocation();
  const opensInEditor = dashboard.mine && (location.state as { edit?: boolean } | null)?.edit === true;
  const [draft, setDraft] = useState<Draft | null>(opensInEditor ? draftOf(dashboard) : null);
  const [open, setOpen] = useState<string | null>(null);
  const [wall, setWall] = useState(false);
  useWarning(draft !== null && (draft.past.length > 0 || draft.name !== dashboard.name || draft.shared !== dashboard.shared));
  const layout = draft?.layout ?? dashboard.layout;
  const change = (next: Layout): void => setDraft((before) => before && { ...before, layout: next, past: [...before.past, before.layout].slice(-50) });
  const chosen = draft?.layout.widgets.find((one) => one.id === open);
  const done = (): void => {
    setDraft(null);
    setOpen(null);
  };
  return (
    <div className={`page-body is-wide db-page${chosen ? " has-form" : ""}`}>
      <header className="page-head db-head">
        <IconLink icon={ArrowLeft} label={t("dashboards.all")} to={`/b/${building.id}/dashboards`} />
        {draft ? <Editing dashboard={dashboard} draft={draft} setDraft={setDraft} change={change} open={setOpen} done={done} /> : (
          <>
            <div><h1>{dashboard.name}</h1><p>{dashboard.shared ? <span className="db-shared"><Users size={13} aria-hidden />{dashboard.mine ? t("dashboards.shared") : t("dashboards.by", { name: dashboard.owner })}</span> : t("dashboards.private")}</p></div>
            <div className="page-actions">
              <Button icon={<MonitorPlay size={15} aria-hidden />} onClick={() => setWall(true)}>{t("dashboards.wall")}</Button>
              {dashboard.mine ? <Button type="primary" icon={<Pencil size={15} aria-hidden />} onClick={() => setDraft(draftOf(dashboard))}>{t("action.edit")}</Button> : <CopyButton dashboard={dashboard} />}
            </div>
          </>
        )}
      </header>
      {layout.widgets.length === 0 ? <Empty icon={Rows3} title={t("dashboards.noWidgets")} hint={t("dashboards.noWidgetsHint")} /> : <Board layout={layout} arrange={draft ? { change, open: setOpen } : null} />}
      {chosen ? <Suspense fallback={null}><WidgetForm widget={chosen} change={(next: Widget) => change({ widgets: layout.widgets.map((one) => (one.id === next.id ? next : one)) })} close={() => setOpen(null)} /></Suspense> : null}
      {wall ? <WallDialog dashboards={[dashboard]} close={() => setWall(false)} /> : null}
    </div>
  );
}

const draftOf = (dashboard: WholeDashboard): Draft => ({ name: dashboard.name, shared: dashboard.shared, layout: dashboard.layout, past: [] });

/** Leaving the site asks first. */
function useWarning(changed: boolean): void {
  useEffect(() => {
    if (!changed) return;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [changed]);
}

function Editing({ dashboard, draft, setDraft, change, open, done }: {
  dashboard: WholeDashboard; draft: Draft; setDraft: (draft: Draft) => void; change: (layout: Layout) => void; open: (id: string) => void; done: () => void;
}): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const may = useMay();
  const points = usePoints(building.id);
  const { save, saving } = useSave(dashboard, done);
  const back = (): void => {
    const layout = draft.past.at(-1);
    if (layout) setDraft({ ...draft, layout, past: draft.past.slice(0, -1) });
  };
  const undo = useRef(back);
  useEffect(() => {
    undo.current = back;
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea, [contenteditable]");
      if (typing || event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey) return;
      event.preventDefault();
      undo.current();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
  const add = (kind: Kind): void => {
    const next = fresh(draft.layout, kind, points.data ?? []);
    const made = next.widgets.at(-1);
    if (!made || next === draft.layout) return;
    change(next);
    open(made.id);
  };
  return (
    <>
      <div className="db-name"><Input value={draft.name} maxLength={200} aria-label={t("dashboards.name")} status={draft.name.trim() ? "" : "error"} onChange={(event) => setDraft({ ...draft, name: event.target.value })} />
        <Sharing shared={draft.shared} disabled={!may("topic.write")} change={(shared) => setDraft({ ...draft, shared })} /></div>
      <div className="page-actions">
        <IconButton icon={Undo2} label={t("dashboards.undo")} shortcut="Ctrl Z" disabled={draft.past.length === 0} onClick={back} />
        <IconButton icon={Rows3} label={t("dashboards.pack")} onClick={() => change({ widgets: packed(draft.layout.widgets) })} />
        <Dropdown trigger={["click"]} menu={{ items: KINDS.map((kind) => ({ key: kind, label: <span className="db-option"><span>{t(`dashboards.kind.${kind}`)}</span><small>{t(`dashboards.kindHint.${kind}`)}</small></span>, onClick: () => add(kind) })) }}>
          <Button icon={<Plus size={15} aria-hidden />}>{t("dashboards.add")}<ChevronDown size={14} aria-hidden /></Button>
        </Dropdown>
        <Button onClick={done}>{t("action.cancel")}</Button>
        <Button type="primary" loading={saving} disabled={!draft.name.trim()} onClick={() => save(draft)}>{t("action.save")}</Button>
      </div>
    </>
  );
}

/** Saves over the revision that was read; where somebody saved meanwhile, it says so and nothing is lost. */
function useSave(dashboard: WholeDashboard, done: () => void): { save: (draft: Draft) => void; saving: boolean } {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { message, modal } = App.useApp();
  const text = useErrorText();
  const [saving, setSaving] = useState(false);
  const told = (saved: WholeDashboard): void => {
    client.setQueryData(["dashboard", saved.id], saved);
    void client.invalidateQueries({ queryKey: ["dashboards"] });
    done();
  };
  const copy = async (draft: Draft): Promise<void> => {
    const stamp = new Date().toISOString().slice(0, 16).replace("T", " ");
    const made = await post<WholeDashboard>(`/buildings/${building.id}/dashboards`, { name: freeName(`${draft.name} ${stamp}`.slice(0, 190), []), shared: false, layout: draft.layout });
    told(made);
    void navigate(`/b/${building.id}/dashboards/${made.id}`);
  };
  const fail = (error: unknown): void => void message.error(text(error), 8);
  const save = (draft: Draft): void => {
    setSaving(true);
    const body = { name: draft.name.trim(), shared: draft.shared, layout: draft.layout, revision: dashboard.revision };
    void request<WholeDashboard>("PUT", `/dashboards/${dashboard.id}`, { body }).then(told, (error: unknown) => {
      if (!(error instanceof ApiError) || error.code !== "dashboard.changed") return fail(error);
      void modal.confirm({
        title: t("dashboards.changedTitle"), content: t("dashboards.changedHint"), okText: t("dashboards.saveCopy"), cancelText: t("dashboards.loadAgain"),
        onOk: () => copy(draft).catch(fail),
        onCancel: () => {
          done();
          void client.invalidateQueries({ queryKey: ["dashboard", dashboard.id] });
        },
      });
    }).finally(() => setSaving(false));
  };
  return { save, saving };
}

function CopyButton({ dashboard }: { dashboard: WholeDashboard }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const navigate = useNavigate();
  const { message } = App.useApp();
  const text = useErrorText();
  const copy = (): void => {
    const body = { name: t("dashboards.copyOf", { name: dashboard.name }).slice(0, 190), layout: dashboard.layout };
    void post<WholeDashboard>(`/buildings/${building.id}/dashboards`, body).then((made) => navigate(`/b/${building.id}/dashboards/${made.id}`, { state: { edit: true } }), (error: unknown) => void message.error(text(error), 6));
  };
  return <Button onClick={copy}>{t("dashboards.makeCopy")}</Button>;
}
