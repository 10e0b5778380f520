/** The tabs of a narrow panel: all of them are seen, or scrolled to; none goes into a menu. Keys as the ARIA practices say. */
import { useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

export interface PanelTab {
  key: string;
  label: ReactNode;
  children: ReactNode;
}

export function PanelTabs({ items, first, label }: { items: readonly PanelTab[]; first: string; label: string }): ReactNode {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState(first);
  const at = Math.max(0, items.findIndex((one) => one.key === chosen));
  const active = items[at];
  if (!active) return null;
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = event.key === "ArrowRight" ? at + 1 : event.key === "ArrowLeft" ? at - 1 : event.key === "Home" ? 0 : event.key === "End" ? -1 : null;
    const next = to === null ? undefined : items.at(to % items.length);
    if (!next) return;
    event.preventDefault();
    setChosen(next.key);
    list.current?.querySelector<HTMLElement>(`[data-tab="${next.key}"]`)?.focus();
  };
  return (
    <>
      <div ref={list} className="panel-tab-list" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
        {items.map((one) => (
          <button key={one.key} type="button" role="tab" id={`${id}-${one.key}`} data-tab={one.key} aria-selected={one === active} tabIndex={one === active ? 0 : -1}
            {...(one === active ? { "aria-controls": `${id}-panel` } : {})} onClick={(event) => {
              setChosen(one.key);
              event.currentTarget.scrollIntoView({ block: "nearest", inline: "nearest" });
            }}>{one.label}</button>
        ))}
      </div>
      <div key={active.key} className="panel-tab-body" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${active.key}`} tabIndex={0}>{active.children}</div>
    </>
  );
}
