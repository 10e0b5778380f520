/** Ctrl+K: every page, every action of the 3D view, every saved view, and any element by name. */
import { useQuery } from "@tanstack/react-query";
import { Input, Modal } from "antd";
import { Bookmark, Box, ChevronsRight, FileText, Search } from "lucide-react";
import { useMemo, useState, type KeyboardEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useNavigate } from "react-router";
import { get } from "../../api/client";
import { useBuilding } from "../context";
import { useMay } from "../session";
import { ranked } from "../workspace/commands";
import { sceneCommands } from "../workspace/scene-commands";
import { useStore } from "../lib/store";
import { useSaved, type Found } from "../workspace/queries";
import "../workspace/workspace.css";

interface Entry {
  id: string;
  kind: "page" | "command" | "view" | "element";
  label: string;
  hint?: string;
  run: () => void;
}

const PAGES = [
  ["scene", "", "model.read"], ["overview", "/overview", "building.read"], ["trends", "/trends", "reading.read"], ["telemetry", "/telemetry/points", "point.read"],
  ["alarms", "/alarms", "alarm.read"], ["orders", "/orders", "work_order.read"], ["plans", "/plans", "work_order.read"], ["issues", "/issues", "topic.read"],
  ["models", "/models", "model.read"], ["checks", "/checks", "model.read"],
] as const;
const ICON = { page: FileText, command: ChevronsRight, view: Bookmark, element: Box } as const;

export function CommandPalette({ close }: { close: () => void }): ReactNode {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [cursor, setCursor] = useState(0);
  const entries = useEntries(text);
  const at = Math.min(cursor, entries.length - 1);
  const run = (entry: Entry | undefined): void => {
    if (!entry) return;
    close();
    entry.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown") setCursor(Math.min(at + 1, entries.length - 1));
    else if (event.key === "ArrowUp") setCursor(Math.max(at - 1, 0));
    else if (event.key === "Enter") run(entries[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Modal open onCancel={close} footer={null} closable={false} width={580} className="palette" title={null} aria-label={t("workspace.palette")}>
      <Input autoFocus className="palette-input" size="large" prefix={<Search size={16} aria-hidden />} placeholder={t("workspace.paletteHint")} value={text} spellCheck={false}
        role="combobox" aria-label={t("workspace.palette")} aria-expanded aria-controls="palette-list" aria-activedescendant={entries[at] ? `palette-${at}` : undefined}
        onKeyDown={onKeyDown} onChange={(event) => {
          setText(event.target.value);
          setCursor(0);
        }} />
      {entries.length === 0 ? <p className="palette-none">{t("workspace.noCommand")}</p> : null}
      <ul id="palette-list" className="palette-list" role="listbox" aria-label={t("workspace.palette")}>
        {entries.map((entry, i) => {
          const Icon = ICON[entry.kind];
          return (
            <li key={entry.id} id={`palette-${i}`} role="option" aria-selected={i === at} onMouseMove={() => setCursor(i)} onClick={() => run(entry)}
              ref={i === at ? (node) => node?.scrollIntoView({ block: "nearest" }) : null}>
              <Icon size={15} strokeWidth={1.7} aria-hidden /><span>{entry.label}</span><small>{entry.hint ?? t(`workspace.${entry.kind}`)}</small>
            </li>
          );
        })}
      </ul>
    </Modal>
  );
}

function useEntries(text: string): Entry[] {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const may = useMay();
  const navigate = useNavigate();
  const location = useLocation();
  const commands = useStore(sceneCommands);
  const saved = useSaved(building.id);
  const wanted = text.trim();
  const found = useQuery({
    queryKey: ["elements", "palette", building.id, wanted],
    queryFn: ({ signal }) => get<Found>(`/buildings/${building.id}/search`, { q: wanted, limit: 6 }, signal),
    enabled: wanted.length > 1,
    retry: false,
    placeholderData: (previous) => previous,
  });
  const base = `/b/${building.id}`;
  const onScene = location.pathname.replace(/\/$/, "") === base;
  return useMemo(() => {
    const pages = PAGES.filter(([, , needs]) => may(needs)).map(([key, path]): Entry => ({ id: `page-${key}`, kind: "page", label: t(`nav.${key}`), run: () => void navigate(base + path) }));
    const actions = onScene ? commands.map((one): Entry => ({ id: `do-${one.id}`, kind: "command", label: t(one.label), ...(one.keys ? { hint: one.keys } : {}), run: one.run })) : [];
    const views = (saved.data ?? []).map((one): Entry => ({ id: one.id, kind: "view", label: one.name, hint: t(`workspace.kinds.${one.kind}`), run: () => void navigate(`${base}?saved=${one.id}`) }));
    const elements = wanted.length > 1 && !found.isError ? (found.data?.items ?? []).map((one): Entry => ({
      id: one.id, kind: "element", label: one.name ?? one.long_name ?? one.global_id, hint: [one.storey_name, one.space_name].filter(Boolean).join(" · "),
      run: () => void navigate(`${base}?element=${one.global_id}`),
    })) : [];
    return [...ranked([...actions, ...pages, ...views], wanted), ...elements];
  }, [commands, found.data, found.isError, may, navigate, base, onScene, saved.data, t, wanted]);
}
