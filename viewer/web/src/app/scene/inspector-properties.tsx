import { Button, Input } from "antd";
import { ChevronRight, Plus, Trash2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { patch } from "../../api/client";
import type { ElementDetail, PropertySets, PropertyValue } from "../../api/types";
import { formatNumber } from "../lib/format";
import { useClassName } from "../lib/names";
import { IconButton } from "../parts";
import { useWrite } from "../queries";
import { useMay } from "../session";
import { FactMenu, type About } from "../workspace/fact-menu";
import { propertyKey, sameValue, unitSign } from "../workspace/text";
import { Relations } from "./inspector-relations";

export function Properties({ element }: { element: ElementDetail }): ReactNode {
  const { t } = useTranslation();
  const className = useClassName();
  const facts: [string, ReactNode, About?][] = [
    [t("inspector.class"), element.predefined_type ? `${className(element.ifc_class)} · ${element.predefined_type}` : className(element.ifc_class),
      { name: t("inspector.class"), key: "is", value: element.ifc_class, group: "class" }],
    [t("inspector.type"), element.type?.name, { name: t("inspector.type"), key: "type", value: sameValue(element.type?.name), group: "type" }],
    [t("inspector.description"), element.description],
    [t("inspector.objectType"), element.object_type],
    [t("inspector.tag"), element.tag],
    [t("inspector.systems"), element.systems.map((one) => one.name).filter(Boolean).join(", ")],
    [t("inspector.materials"), element.materials.map((one) => brief(one)).join(", ")],
    [t("inspector.classifications"), element.classifications.map((one) => brief(one)).join(", ")],
    [t("inspector.asset"), element.asset ? [element.asset.code, element.asset.manufacturer, element.asset.product].filter(Boolean).join(" · ") : null],
    [t("inspector.model"), element.model],
    [t("inspector.geometry"), element.geometry === "box" ? t("inspector.geometryBox") : null],
  ];
  return (
    <div className="sections">
      <dl className="facts">
        {facts.filter(([, value]) => Boolean(value)).map(([name, value, about]) => <div key={name} {...(about ? { className: "has-menu" } : {})}><dt>{name}</dt><dd>{value}</dd>{about ? <FactMenu about={about} /> : null}</div>)}
      </dl>
      <OwnProperties element={element} />
      <Relations element={element} />
      <Sets sets={element.quantities} open />
      <Sets sets={element.psets} />
    </div>
  );
}

/** A material or classification is a name, or an object that carries one. */
export function brief(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === null || typeof value !== "object") return String(value);
  const object = value as Record<string, unknown>;
  const parts = [object["identification"] ?? object["code"], object["name"] ?? object["material"]].filter((one): one is string => typeof one === "string");
  return parts.join(" ") || Object.values(object).filter((one) => typeof one === "string").join(" ");
}

/** A property as the search language names it. */
function aboutProperty(set: string, name: string, value: unknown): About {
  const key = propertyKey(`${set}.${name}`);
  return { name, key, value: sameValue(value), group: `property:${key}` };
}

function Sets({ sets, open = false }: { sets: PropertySets; open?: boolean }): ReactNode {
  const names = Object.keys(sets).toSorted();
  return names.map((name, i) => <Group key={name} title={name} values={sets[name] ?? {}} open={open || (i < 2 && names.length < 6)} />);
}

function Group({ title, values, open }: { title: string; values: Record<string, PropertyValue>; open: boolean }): ReactNode {
  const { t, i18n } = useTranslation();
  const names = Object.keys(values);
  return (
    <details className="group" open={open}>
      <summary><ChevronRight size={13} aria-hidden /><span>{title}</span><small>{names.length}</small></summary>
      <dl className="facts">
        {names.map((name) => {
          const property = values[name];
          if (!property) return null;
          return (
            <div key={name} className="has-menu">
              <dt title={name}>{name}</dt>
              <dd>
                {valueText(property.value, i18n.language, t("value.yes"), t("value.no"))}
                {property.unit ? <span className="unit"> {unitSign(property.unit)}</span> : null}
                {property.inherited ? <em title={t("inspector.inheritedHint")}>{t("inspector.inherited")}</em> : null}
              </dd>
              <FactMenu about={aboutProperty(title, name, property.value)} />
            </div>
          );
        })}
      </dl>
    </details>
  );
}

export function valueText(value: unknown, language: string, yes: string, no: string): string {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return value ? yes : no;
  if (typeof value === "number") return formatNumber(value, language);
  if (Array.isArray(value)) return value.map((one) => valueText(one, language, yes, no)).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

function OwnProperties({ element }: { element: ElementDetail }): ReactNode {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const [adding, setAdding] = useState(false);
  const save = useWrite(
    (change: Record<string, string | null>) => patch(`/elements/${element.id}`, { own_properties: change }),
    ["element"],
    () => {
      setName("");
      setValue("");
      setAdding(false);
    },
  );
  const names = Object.keys(element.own_properties);
  const editable = may("element.write");
  if (names.length === 0 && !editable) return null;
  return (
    <section className="own">
      <header>
        <span>{t("inspector.own")}</span>
        {editable && !adding ? <Button size="small" type="text" icon={<Plus size={13} />} onClick={() => setAdding(true)}>{t("action.add")}</Button> : null}
      </header>
      <dl className="facts">
        {names.map((one) => (
          <div key={one}>
            <dt>{one}</dt>
            <dd>
              {editable ? (
                <Input size="small" variant="borderless" className="own-value" aria-label={one}
                  defaultValue={valueText(element.own_properties[one], i18n.language, t("value.yes"), t("value.no"))}
                  onPressEnter={(event) => event.currentTarget.blur()}
                  onBlur={(event) => {
                    if (event.target.value !== String(element.own_properties[one])) save.mutate({ [one]: event.target.value });
                  }} />
              ) : valueText(element.own_properties[one], i18n.language, t("value.yes"), t("value.no"))}
              {editable ? <IconButton icon={Trash2} size={13} label={t("action.delete")} onClick={() => save.mutate({ [one]: null })} /> : null}
            </dd>
          </div>
        ))}
      </dl>
      {adding ? (
        <form className="own-new" onSubmit={(event) => {
          event.preventDefault();
          if (name.trim()) save.mutate({ [name.trim()]: value });
        }}>
          <Input size="small" autoFocus placeholder={t("inspector.ownName")} aria-label={t("inspector.ownName")} value={name} onChange={(event) => setName(event.target.value)} />
          <Input size="small" placeholder={t("inspector.ownValue")} aria-label={t("inspector.ownValue")} value={value} onChange={(event) => setValue(event.target.value)} />
          <Button size="small" type="primary" htmlType="submit" loading={save.isPending} disabled={!name.trim()}>{t("action.save")}</Button>
          <Button size="small" type="text" onClick={() => setAdding(false)}>{t("action.cancel")}</Button>
        </form>
      ) : null}
      {names.length === 0 && !adding ? <p className="muted">{t("inspector.ownNone")}</p> : null}
    </section>
  );
}
