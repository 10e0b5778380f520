/** One page of refused readings: as a table, on a phone as cards. */
import { Checkbox, Table, Tooltip } from "antd";
import { type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { components } from "../../api/schema.gen";
import { formatTime, shortTime } from "../lib/format";
import { useActorName } from "../lib/names";
import { Ago } from "../parts";
import { sourceTitle } from "./source-names";

export type Quarantined = components["schemas"]["Quarantined"];

interface Props {
  items: readonly Quarantined[];
  state: string;
  /** null: none can be chosen. */
  chosen: number[] | null;
  choose: (ids: number[]) => void;
}

/** A reason in a few words; one that this page does not know by its code. */
export function useReason(): (code: string) => string {
  const { t, i18n } = useTranslation();
  return (code) => {
    const key = `telemetry.quarantine.reason.${code.replace(".", "_")}`;
    return i18n.exists(key) ? t(key as "telemetry.quarantine.reason.reading_kind") : code;
  };
}

const written = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function Said({ of }: { of: Quarantined }): ReactNode {
  const { i18n } = useTranslation();
  const at = of.ts ? Date.parse(of.ts) : Number.NaN;
  return <span className="num nowrap" title={of.ts ?? ""}>{Number.isNaN(at) ? (of.ts ?? "–") : shortTime(at, i18n.language)}</span>;
}

/** What the server said when it came, in the language of who sent it; for those who read another, a tip. */
function Why({ of }: { of: Quarantined }): ReactNode {
  const { i18n } = useTranslation();
  const reason = useReason();
  const [text, foreign] = [reason(of.code), i18n.language.startsWith("zh") !== /[\u4e00-\u9fff]/.test(of.message)];
  return (
    <span className="quarantine-why">
      <Tooltip title={foreign ? of.message : of.code}><b>{text}</b></Tooltip>
      {foreign || text === of.message ? null : <small className="muted">{of.message}</small>}
    </span>
  );
}

function Became({ of }: { of: Quarantined }): ReactNode {
  const { t } = useTranslation();
  const actor = useActorName();
  const key = typeof of.became?.["point"] === "string" ? of.became["point"] : null;
  return (
    <span className="quarantine-why">
      <span>{of.settled_by ? actor(of.settled_by) : "–"} <Ago at={of.settled_at} /></span>
      {key && key !== of.point ? <small className="muted">{t("telemetry.quarantine.as")} <code>{key}</code></small> : null}
    </span>
  );
}

export function QuarantineTable({ items, state, chosen, choose }: Props): ReactNode {
  const { t, i18n } = useTranslation();
  return (
    <Table<Quarantined> size="small" rowKey="id" dataSource={items} className="data-table" pagination={false} scroll={{ x: 860 }}
      {...(chosen ? { rowSelection: { selectedRowKeys: chosen, onChange: (keys) => choose(keys as number[]), getCheckboxProps: (one) => ({ "aria-label": t("telemetry.quarantine.pick", { point: one.point }) }) } } : {})} columns={[
        { title: t("telemetry.points.point"), key: "point", render: (_, one) => <code className="quarantine-key">{one.point}</code> },
        { title: t("telemetry.quarantine.ts"), key: "ts", render: (_, one) => <Said of={one} /> },
        { title: t("telemetry.quarantine.value"), key: "value", render: (_, one) => <span className="num quarantine-value" title={JSON.stringify(one.value)}>{written(one.value)}</span> },
        { title: t("telemetry.quarantine.why"), key: "why", width: "36%", render: (_, one) => <Why of={one} /> },
        { title: t("telemetry.quarantine.source"), key: "source", render: (_, one) => (one.source ? <span title={one.source}>{sourceTitle(one.source)}</span> : "–") },
        { title: t("telemetry.quarantine.came"), key: "came", render: (_, one) => <span className="nowrap" title={formatTime(one.received_at, i18n.language)}><Ago at={one.received_at} /></span> },
        ...(state === "open" ? [] : [{ title: t("telemetry.quarantine.settled"), key: "settled", render: (_: unknown, one: Quarantined) => <Became of={one} /> }]),
      ]} />
  );
}

export function QuarantineCards({ items, state, chosen, choose }: Props): ReactNode {
  const { t } = useTranslation();
  const all = chosen !== null && items.length > 0 && items.every((one) => chosen.includes(one.id));
  return (
    <>
      {chosen ? <Checkbox className="quarantine-all" checked={all} indeterminate={!all && chosen.length > 0} onChange={(event) => choose(event.target.checked ? items.map((one) => one.id) : [])}>{t("telemetry.quarantine.pickAll")}</Checkbox> : null}
      <ul className="rows">
        {items.map((one) => (
          <li key={one.id} className="row quarantine-card">
            {chosen ? <Checkbox checked={chosen.includes(one.id)} aria-label={t("telemetry.quarantine.pick", { point: one.point })} onChange={(event) => choose(event.target.checked ? [...chosen, one.id] : chosen.filter((id) => id !== one.id))} /> : null}
            <div className="row-main">
              <span className="row-line"><code className="quarantine-key">{one.point}</code><b className="num quarantine-value">{written(one.value)}</b></span>
              <Why of={one} />
              <span className="row-line muted"><Said of={one} />{one.source ? <span>{sourceTitle(one.source)}</span> : null}<Ago at={one.received_at} /></span>
              {state === "open" ? null : <Became of={one} />}
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}
