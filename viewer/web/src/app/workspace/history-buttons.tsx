/** Undo and redo of what one sees, beside the other tools. */
import { Redo2, Undo2 } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "../lib/store";
import { IconButton } from "../parts";
import { useHistoryKeys, useViewActions, viewHistory } from "./view-history";

export function HistoryButtons({ shown }: { shown: boolean }): ReactNode {
  const { t } = useTranslation();
  const { undo, redo } = useViewActions();
  const { past, future } = useStore(viewHistory);
  useHistoryKeys(shown, undo, redo);
  return (
    <span className="wide-only history-buttons">
      <IconButton icon={Undo2} label={t("workspace.undo")} shortcut="Ctrl+Z" disabled={past.length === 0} onClick={undo} />
      <IconButton icon={Redo2} label={t("workspace.redo")} shortcut="Ctrl+Y" disabled={future.length === 0} onClick={redo} />
    </span>
  );
}
