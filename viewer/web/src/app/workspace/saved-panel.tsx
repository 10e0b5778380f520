/** What one keeps and what others share: viewpoints with their pictures, colouring rules, searches. */
import { App, Button, Dropdown, Tooltip } from "antd";
import { Bookmark, Camera, Ellipsis, Palette, Plus, Search, Users } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { del, patch as patchRequest, url } from "../../api/client";
import type { Tree } from "../../api/types";
import { useBuilding } from "../context";
import { Empty, Failure, Lines } from "../parts";
import { useWrite } from "../queries";
import { useColourings } from "../scene/effects";
import { usePatch, useScene } from "../scene/state";
import { useMay } from "../session";
import { thumbnail, useActions, useViewNow } from "./actions";
import { useSaved, type Content, type Saved, type SavedKind } from "./queries";
import { RulesEditor } from "./rules-editor";
import { SaveDialog } from "./save-dialog";
import { quoted } from "./text";

const KINDS: readonly SavedKind[] = ["viewpoint", "rules", "search"];
const ICON = { viewpoint: Camera, rules: Palette, search: Search } as const;

export function SavedPanel({ tree }: { tree: Tree }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const scene = useScene();
  const now = useViewNow();
  const saved = useSaved(building.id);
  const [saving, setSaving] = useState(false);
  const [rules, setRules] = useState<Saved | "new" | null>(null);
  if (saved.isError) return <Failure error={saved.error} retry={() => void saved.refetch()} />;
  return (
    <div className="saved-panel">
      <div className="saved-new">
        <Button size="small" icon={<Camera size={14} />} disabled={!scene} onClick={() => setSaving(true)}>{t("workspace.keepView")}</Button>
        <Button size="small" icon={<Plus size={14} />} onClick={() => setRules("new")}>{t("workspace.newRules")}</Button>
      </div>
      {saved.data ? null : <Lines />}
      {saved.data?.length === 0 ? <Empty icon={Bookmark} title={t("workspace.noneSaved")} hint={t("workspace.noneSavedHint")} /> : null}
      {KINDS.map((kind) => {
        const members = saved.data?.filter((one) => one.kind === kind) ?? [];
        if (members.length === 0) return null;
        return (
          <section key={kind}>
            <h4>{t(`workspace.kinds.${kind}`)}</h4>
            <ul className={`saved-list is-${kind}`}>{members.map((one) => <SavedRow key={one.id} saved={one} tree={tree} edit={() => setRules(one)} />)}</ul>
          </section>
        );
      })}
      {saving && scene ? <SaveDialog kind="viewpoint" content={now} picture={() => thumbnail(scene)} close={() => setSaving(false)} /> : null}
      {rules ? <RulesEditor saved={rules === "new" ? null : rules} close={() => setRules(null)} /> : null}
    </div>
  );
}

function SavedRow({ saved, tree, edit }: { saved: Saved; tree: Tree; edit: () => void }): ReactNode {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const { building } = useBuilding();
  const known = useColourings(tree);
  const may = useMay();
  const act = useActions();
  const patch = usePatch();
  const share = useWrite(() => patchRequest<Saved>(`/saved/${saved.id}`, { shared: !saved.shared }), ["saved"]);
  const remove = useWrite(() => del(`/saved/${saved.id}`), ["saved"]);
  const Icon = ICON[saved.kind];
  const content = saved.content as Content;
  const items = [
    { key: "link", label: t("workspace.copyLink") },
    ...(saved.kind === "search" ? [{ key: "within", label: t("workspace.searchWithin") }] : []),
    ...(saved.kind === "rules" ? [{ key: "edit", label: t(saved.mine ? "action.edit" : "workspace.copyRules") }] : []),
    ...(saved.mine && may("topic.write") ? [{ key: "share", label: t(saved.shared ? "workspace.unshare" : "workspace.share") }] : []),
    ...(saved.mine ? [{ key: "delete", danger: true, label: t("action.delete") }] : []),
  ];
  const choose = (key: string): void => {
    if (key === "link") void navigator.clipboard.writeText(`${window.location.origin}/b/${building.id}?saved=${saved.id}`).then(() => message.success(t("workspace.linkCopied")));
    else if (key === "within") patch({ query: `in:${quoted(saved.name)} `, leftTab: "search" });
    else if (key === "edit") edit();
    else if (key === "share") share.mutate(undefined);
    else remove.mutate(undefined);
  };
  return (
    <li className="saved-row">
      <button type="button" className="saved-open" onClick={() => void act.open(saved, known)}>
        {saved.has_picture ? <img alt="" loading="lazy" src={url(`/saved/${saved.id}/picture`)} /> : <Icon size={15} strokeWidth={1.7} aria-hidden />}
        <span>
          <b>{saved.name}</b>
          {saved.kind === "search" && content.query !== saved.name ? <small><code>{content.query}</code></small> : null}
          {saved.kind === "rules" ? <small className="saved-swatches">{content.rules?.map((rule) => <i key={rule.label + rule.query} style={{ background: rule.colour }} title={rule.label} />)}</small> : null}
          {saved.mine ? null : <small>{t("workspace.by_who", { who: saved.owner })}</small>}
        </span>
      </button>
      {saved.mine && saved.shared ? <Tooltip title={t("workspace.shared")}><Users size={13} aria-label={t("workspace.shared")} className="saved-shared" /></Tooltip> : null}
      <Dropdown trigger={["click"]} menu={{ items, onClick: ({ key }) => choose(key) }}>
        <button type="button" className="icon-button" aria-label={t("workspace.more", { name: saved.name })}><Ellipsis size={15} aria-hidden /></button>
      </Dropdown>
    </li>
  );
}
