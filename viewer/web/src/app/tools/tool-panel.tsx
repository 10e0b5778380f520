/** What the chosen tool wants, and what was measured: over the 3D view. */
import { Button, Slider } from "antd";
import { ArrowDown, ArrowLeft, ArrowRight, ArrowUp, FlipVertical2, Trash2, X, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { usePhone } from "../lib/prefs";
import { IconButton } from "../parts";
import { useScene } from "../scene/state";
import { useTools } from "./hooks";
import { finished, formatReading, readingOf, type Measure } from "./state";
import "./tools.css";

export function ToolPanel(): ReactNode {
  const { t } = useTranslation();
  const [tools, patch] = useTools();
  const { tool, points, measures, section, apart } = tools;
  if (!tool && measures.length === 0 && !section && apart === 0) return null;
  return (
    <section className="tool-panel" aria-label={t("tools.title")}>
      {tool ? (
        <header role="status">
          <Hint what={tool.kind === "measure" ? tool.what : tool.kind === "walk" && tool.started ? "walking" : tool.kind} clicks={points.length} />
          {tool.kind === "measure" && tool.what === "area" && points.length > 2 ? <Button size="small" type="link" onClick={() => patch(finished(tools))}>{t("tools.close")}</Button> : null}
          <IconButton icon={X} size={14} label={t("tools.end")} onClick={() => patch({ tool: null, points: [] })} />
        </header>
      ) : null}
      {tool?.kind === "walk" && tool.started ? <Pad /> : null}
      {measures.length > 0 ? <Measures measures={measures} patch={patch} /> : null}
      {section ? (
        <div className="tool-row">
          <span className="grow">{t(section.kind === "box" ? "tools.boxOn" : "tools.planeOn")}</span>
          {section.kind === "plane" ? (
            <IconButton icon={FlipVertical2} size={14} label={t("tools.flip")} onClick={() => patch({ section: { ...section, direction: [-section.direction[0], -section.direction[1], -section.direction[2]] } })} />
          ) : null}
          <IconButton icon={Trash2} size={14} label={t("tools.noSection")} onClick={() => patch({ section: null })} />
        </div>
      ) : null}
      {apart > 0 ? (
        <div className="tool-row">
          <span>{t("tools.apartOn")}</span>
          <Slider className="grow" min={0} max={12} step={0.5} value={apart} onChange={(value) => patch({ apart: value })} ariaLabelForHandle={t("tools.apartOn")} tooltip={{ formatter: (value) => `${value} m` }} />
        </div>
      ) : null}
    </section>
  );
}

type Wanted = "distance" | "clear" | "angle" | "area" | "plane" | "walk" | "walking";

/** What the next click is for. */
function Hint({ what, clicks }: { what: Wanted; clicks: number }): ReactNode {
  const { t } = useTranslation();
  const next = clicks === 0 ? what : what === "angle" ? (clicks === 1 ? "angleMiddle" : "angleEnd") : what === "distance" ? "distanceEnd" : what;
  return <span className="grow">{t(`tools.hint.${next}`)}</span>;
}

function Measures({ measures, patch }: { measures: readonly Measure[]; patch: (change: { measures: readonly Measure[] }) => void }): ReactNode {
  const { t, i18n } = useTranslation();
  return (
    <>
      <ul className="measure-list">
        {measures.map((one) => {
          const reading = readingOf(one);
          const length = (value: number): string => formatReading({ value, unit: "m" }, i18n.language);
          return (
            <li key={one.id}>
              <span className="muted">{t(`tools.what.${one.what}`)}</span>
              <b className="num grow">{reading ? formatReading(reading, i18n.language) : t("tools.nothing")}</b>
              <IconButton icon={X} size={13} label={t("tools.remove")} onClick={() => patch({ measures: measures.filter((other) => other !== one) })} />
              {reading?.level !== undefined && reading.height !== undefined ? <small className="num">{t("tools.parts", { level: length(reading.level), height: length(Math.abs(reading.height)) })}</small> : null}
              {reading?.perimeter !== undefined ? <small className="num">{t("tools.perimeter", { length: length(reading.perimeter) })}</small> : null}
              {reading?.note ? <small className="is-warning">{t(`tools.${reading.note}`)}</small> : null}
            </li>
          );
        })}
      </ul>
      {measures.length > 1 ? <Button size="small" type="text" icon={<Trash2 size={13} />} onClick={() => patch({ measures: [] })}>{t("tools.removeAll")}</Button> : null}
    </>
  );
}

const PAD: { key: "forward" | "left" | "back" | "right"; icon: LucideIcon }[] = [
  { key: "left", icon: ArrowLeft }, { key: "forward", icon: ArrowUp }, { key: "back", icon: ArrowDown }, { key: "right", icon: ArrowRight },
];

/** Buttons to walk by where there are no keys. */
function Pad(): ReactNode {
  const { t } = useTranslation();
  const scene = useScene();
  if (!usePhone()) return null;
  return (
    <div className="walk-pad">
      {PAD.map(({ key, icon: Icon }) => {
        const press = (on: boolean) => () => scene?.walk.press(key, on);
        return (
          <button key={key} type="button" aria-label={t(`tools.go.${key}`)} onPointerDown={press(true)} onPointerUp={press(false)} onPointerLeave={press(false)} onPointerCancel={press(false)}
            onContextMenu={(event) => event.preventDefault()}><Icon size={20} aria-hidden /></button>
        );
      })}
    </div>
  );
}
