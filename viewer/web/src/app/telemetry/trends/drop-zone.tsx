/** A place that points can be dropped on: from a list of points, an inspector, a tree or what a search found. */
import { useState, type DragEvent, type ReactNode } from "react";
import { carried, carries, type Dragged } from "../../lib/dragged";

export function DropZone({ drop, children, className = "" }: { drop: (what: Dragged) => void; children: ReactNode; className?: string }): ReactNode {
  const [over, setOver] = useState(false);
  return (
    <div className={`trend-drop ${className}${over ? " is-over" : ""}`} onDragOver={(event: DragEvent) => {
      if (!carries(event.dataTransfer)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      setOver(true);
    }} onDragLeave={(event) => {
      if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
    }} onDrop={(event) => {
      setOver(false);
      if (!carries(event.dataTransfer)) return;
      event.preventDefault();
      drop(carried(event.dataTransfer));
    }}>{children}</div>
  );
}
