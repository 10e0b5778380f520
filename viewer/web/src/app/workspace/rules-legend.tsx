/** What the colours of rules mean, and how many elements each found; a click shows these alone. */
import { Save, X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "../parts";
import { usePatch, useSceneState } from "../scene/state";
import { rgbOf } from "../scene/rules";
import { SaveDialog } from "./save-dialog";

export function RulesLegend(): ReactNode {
  const { t } = useTranslation();
  const { painted, isolated } = useSceneState();
  const patch = usePatch();
  const [saving, setSaving] = useState(false);
  if (!painted?.rules) return null;
  const rules = painted.rules.map(({ query, colour, label }) => ({ query, colour, label }));
  const alone = (colour: string, label: string): void => {
    const wanted = rgbOf(colour).join();
    const ids = [...painted.colours].filter(([, rgb]) => rgb.join() === wanted).map(([id]) => id);
    patch({ isolated: isolated?.title === label ? { ids: [...painted.colours.keys()], title: painted.title } : { ids, title: label } });
  };
  return (
    <section className="legend rules-legend" aria-label={t("scene.legend")}>
      <header>
        <b>{painted.title}</b>
        <span className="grow" />
        <IconButton icon={Save} size={14} label={t("workspace.save.rules")} onClick={() => setSaving(true)} />
        <IconButton icon={X} size={14} label={t("action.close")} onClick={() => patch({ painted: null, isolated: null })} />
      </header>
      {painted.rules.map((rule) => (
        <button type="button" key={rule.label + rule.query} title={rule.query} disabled={rule.count === 0} aria-pressed={isolated?.title === rule.label} onClick={() => alone(rule.colour, rule.label)}>
          <i style={{ background: rule.colour }} />
          <span>{rule.label}</span>
          <b className="num">{rule.count}</b>
        </button>
      ))}
      {saving ? <SaveDialog kind="rules" content={() => ({ rules, others: isolated ? "ghost" : "show" })} suggested={painted.title} close={() => setSaving(false)} /> : null}
    </section>
  );
}
