/** Where points are let go while no chart is seen: it appears with the drag, over the lower part of the model. */
import { ChartLine } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { carries } from "../lib/dragged";
import { DropZone } from "../telemetry/trends/drop-zone";
import { useDraw } from "./charts";

export function ChartDrop(): ReactNode {
  const { t } = useTranslation();
  const draw = useDraw();
  const [dragging, setDragging] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const start = (event: DragEvent): void => {
      const wanted = carries(event.dataTransfer);
      timer = setTimeout(() => setDragging(wanted)); // Chromium ends a drag when the page changes while it starts
    };
    const end = (): void => {
      clearTimeout(timer);
      setDragging(false);
    };
    document.addEventListener("dragstart", start);
    document.addEventListener("dragend", end);
    document.addEventListener("drop", end);
    return () => {
      end();
      document.removeEventListener("dragstart", start);
      document.removeEventListener("dragend", end);
      document.removeEventListener("drop", end);
    };
  }, []);
  if (!dragging) return null;
  return <DropZone className="chart-drop" drop={(what) => draw(what)}><ChartLine size={18} aria-hidden />{t("several.dropHere")}</DropZone>;
}
