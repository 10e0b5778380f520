/** Keys that work everywhere; the 3D view adds its own (see `useKey`). */
import { Modal } from "antd";
import { lazy, Suspense, useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { useBuilding } from "../context";
import { useKey } from "../lib/keys";

// Loaded when it is first asked for: the first page is none the larger for it.
const CommandPalette = lazy(async () => ({ default: (await import("./palette")).CommandPalette }));

const KEYS = [
  ["Ctrl+K", "palette"], ["/", "search"], ["F", "fit"], ["Esc", "clear"], ["L", "labels"], ["I", "isolate"], ["H", "hide"], ["G", "ghost"], ["Ctrl+Z", "undo"], ["Ctrl+Y", "redo"], ["A", "alarms"], ["O", "orders"],
  ["V", "scene"], ["?", "help"],
] as const;

export function Shortcuts(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  useKey("?", () => setOpen((shown) => !shown));
  useKey("a", () => void navigate(`/b/${building.id}/alarms`));
  useKey("o", () => void navigate(`/b/${building.id}/orders`));
  useKey("v", () => void navigate(`/b/${building.id}`));
  return (
    <>
    <PaletteKey />
    <Modal open={open} onCancel={() => setOpen(false)} footer={null} title={t("keys.title")} width={420}>
      <dl className="keys">
        {KEYS.map(([key, name]) => (
          <div key={key}>
            <dt><kbd>{key}</kbd></dt>
            <dd>{t(`keys.${name}`)}</dd>
          </div>
        ))}
      </dl>
      <p className="muted">{t("keys.mouse")}</p>
    </Modal>
    </>
  );
}

/** Ctrl+K, also while one types. */
function PaletteKey(): ReactNode {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
      event.preventDefault();
      setOpen((shown) => !shown);
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
  return open ? <Suspense fallback={null}><CommandPalette close={() => setOpen(false)} /></Suspense> : null;
}
