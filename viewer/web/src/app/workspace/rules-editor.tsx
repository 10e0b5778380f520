/** Colouring rules: what a query finds takes a colour; the first rule that finds an element counts. */
import { Button, ColorPicker, Input, Modal, Segmented, Checkbox } from "antd";
import { ArrowUp, Plus, Trash2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { patch, post } from "../../api/client";
import { useBuilding } from "../context";
import { IconButton } from "../parts";
import { useWrite } from "../queries";
import { PALETTE, type Rule } from "../scene/rules";
import { useMay } from "../session";
import { useActions, type Others } from "./actions";
import type { Content, Saved } from "./queries";

const colourAt = (i: number): string => PALETTE[i % PALETTE.length] ?? "#d55e00";

export function RulesEditor({ saved, close }: { saved: Saved | null; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const may = useMay();
  const act = useActions();
  const content = (saved?.content ?? {}) as Content;
  const [name, setName] = useState(saved?.name ?? t("workspace.example.name"));
  const [shared, setShared] = useState(saved?.mine === true && saved.shared);
  const [others, setOthers] = useState<Others>(content.others ?? "ghost");
  const [rules, setRules] = useState<readonly Rule[]>(content.rules ?? [
    { query: "class:Wall,Door,Slab *.FireRating:none", colour: colourAt(0), label: t("workspace.example.missing") },
    { query: "class:Wall,Door,Slab *.FireRating:any", colour: colourAt(1), label: t("workspace.example.there") },
  ]);
  const full = rules.length > 0 && rules.every((rule) => rule.query.trim() && rule.label.trim());
  const change = (i: number, part: Partial<Rule>): void => setRules(rules.map((rule, k) => (k === i ? { ...rule, ...part } : rule)));
  const save = useWrite(() => {
    const body = { name: name.trim(), shared, content: { rules: [...rules], others } };
    return saved?.mine ? patch<Saved>(`/saved/${saved.id}`, body) : post<Saved>(`/buildings/${building.id}/saved`, { kind: "rules", ...body });
  }, ["saved"], () => {
    void act.paint(rules, name, others);
    close();
  });
  return (
    <Modal open width={720} title={t("workspace.rules")} onCancel={close} footer={[
      <Button key="try" disabled={!full} onClick={() => void act.paint(rules, name, others)}>{t("workspace.try")}</Button>,
      <Button key="save" type="primary" disabled={!full || !name.trim()} loading={save.isPending} onClick={() => save.mutate(undefined)}>{t("action.save")}</Button>,
    ]}>
      <div className="rules-editor">
        <label className="rules-name">{t("workspace.name")}<Input value={name} maxLength={200} onChange={(event) => setName(event.target.value)} /></label>
        <ol>
          {rules.map((rule, i) => (
            <li key={i}>
              <ColorPicker size="small" disabledAlpha value={rule.colour} onChangeComplete={(colour) => change(i, { colour: colour.toHexString().slice(0, 7).toLowerCase() })} presets={[{ label: "", colors: [...PALETTE] }]} />
              <Input aria-label={t("workspace.label", { n: i + 1 })} placeholder={t("workspace.labelHint")} className="rule-label" value={rule.label} maxLength={200} onChange={(event) => change(i, { label: event.target.value })} />
              <Input aria-label={t("workspace.query", { n: i + 1 })} placeholder="class:Wall *.FireRating:none" className="rule-query" value={rule.query} maxLength={2000} spellCheck={false} onChange={(event) => change(i, { query: event.target.value })} />
              <IconButton size={14} icon={ArrowUp} label={t("workspace.up", { n: i + 1 })} disabled={i === 0} onClick={() => setRules(rules.map((one, k) => (k === i - 1 ? rule : k === i ? (rules[i - 1] ?? one) : one)))} />
              <IconButton size={14} icon={Trash2} label={t("workspace.drop", { n: i + 1 })} disabled={rules.length === 1} onClick={() => setRules(rules.filter((_, k) => k !== i))} />
            </li>
          ))}
        </ol>
        <Button size="small" type="dashed" icon={<Plus size={14} />} disabled={rules.length >= 30} onClick={() => setRules([...rules, { query: "", colour: colourAt(rules.length), label: "" }])}>{t("workspace.addRule")}</Button>
        <div className="rules-others">
          <span>{t("workspace.others")}</span>
          <Segmented size="small" value={others === "hide" ? "ghost" : others} onChange={setOthers} options={[{ value: "ghost", label: t("workspace.ghosts") }, { value: "show", label: t("workspace.asTheyAre") }]} />
          <span className="grow" />
          {may("topic.write") ? <Checkbox checked={shared} onChange={(event) => setShared(event.target.checked)}>{t("workspace.share")}</Checkbox> : null}
        </div>
      </div>
    </Modal>
  );
}
