/** Elements whose GlobalId a version does not have: to be confirmed, lost, recognised. */
import { App, Button, Input, Modal, Skeleton } from "antd";
import { Box, Check, Fingerprint, Replace, X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useBuilding } from "../context";
import { formatNumber } from "../lib/format";
import { useClassName } from "../lib/names";
import { Empty, Failure, IconButton, IconLink, useErrorText } from "../parts";
import { useMay } from "../session";
import { useDecide, useMatches, type Compared, type Match } from "./queries";

const GROUPS = ["likely", "lost", "certain"] as const;
const SHOWN = 100;

export function Matches({ compared }: { compared: Compared }): ReactNode {
  const { t } = useTranslation();
  const matches = useMatches(compared);
  if (matches.isError) return <Failure error={matches.error} retry={() => void matches.refetch()} />;
  if (!matches.data) return <Skeleton active />;
  if (matches.data.length === 0) return <Empty icon={Fingerprint} title={t("versions.matches.none")} hint={t("versions.matches.noneHint")} />;
  return (
    <section className="changes">
      {GROUPS.map((kind) => {
        const group = matches.data.filter((one) => one.kind === kind);
        if (group.length === 0) return null;
        return (
          <section key={kind} aria-label={t(`versions.matches.${kind}`)}>
            <h2 className="match-head">{t(`versions.matches.${kind}`)} <span className="muted num">{group.length}</span></h2>
            <p className="muted">{t(`versions.matches.${kind}Hint`)}</p>
            <ul className="change-list">{group.slice(0, SHOWN).map((match) => <Row key={match.id} match={match} compared={compared} />)}</ul>
            {group.length > SHOWN ? <p className="muted">{t("versions.matches.some", { count: SHOWN })}</p> : null}
          </section>
        );
      })}
    </section>
  );
}

function Row({ match, compared }: { match: Match; compared: Compared }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const className = useClassName();
  const errorText = useErrorText();
  const may = useMay();
  const decide = useDecide(compared);
  const [asking, setAsking] = useState(false);
  const act = (action: "confirm" | "reject" | "correct", element?: string): void =>
    decide.mutate({ match, action, ...(element ? { element } : {}) }, {
      onError: (error) => void message.error(errorText(error)),
      onSuccess: () => setAsking(false),
    });
  const bindings = Object.entries(match.bindings).map(([name, count]) => t(`versions.matches.binding.${name as "points"}`, { count }));
  const inForce = match.state === "applied" || match.state === "confirmed" || match.state === "corrected";
  const show = `/b/${building.id}?changes=${compared.model}&from=${compared.from}&to=${compared.to}&focus=${encodeURIComponent(match.new_global_id ?? match.old_global_id)}`;
  return (
    <li className={`change match${match.kind === "lost" ? " is-lost" : ""}`}>
      <div className="change-text">
        <p>
          <b>{match.old_name ?? match.old_global_id}</b>
          {match.new_name && match.new_name !== match.old_name ? <> → <b>{match.new_name}</b></> : null}
          {" "}<span className="muted">{className(match.ifc_class)}{match.storey_name ? ` · ${match.storey_name}` : ""}</span>
        </p>
        <p className="muted mono">{match.old_global_id}{match.new_global_id ? ` → ${match.new_global_id}` : ""}</p>
        <p className="match-facts">
          {match.kind === "lost" ? null : <span className="tag is-plain num">{t("versions.matches.score", { percent: Math.round(match.score * 100) })}</span>}
          {match.reasons.map((reason) => <span key={reason} className="tag is-plain">{t(`versions.matches.reason.${reason as "shape"}`)}</span>)}
          {match.distance !== null && match.distance > 0.005 ? <span className="tag sev-medium num">{t("versions.matches.away", { metres: formatNumber(match.distance, i18n.language) })}</span> : null}
          {bindings.map((text) => <span key={text} className="tag is-ok">{text}</span>)}
          {match.state === "applied" || match.state === "waiting" || match.state === "lost" ? null : <span className="tag is-plain">{t(`versions.matches.state.${match.state}`)}</span>}
        </p>
      </div>
      {may("model.upload") ? (
        <div className="match-acts">
          {match.state === "waiting" ? <Button size="small" type="primary" icon={<Check size={14} />} loading={decide.isPending} onClick={() => act("confirm")}>{t("versions.matches.confirm")}</Button> : null}
          {match.state === "waiting" || inForce ? <Button size="small" icon={<X size={14} />} disabled={decide.isPending} onClick={() => act("reject")}>{t("versions.matches.reject")}</Button> : null}
          <IconButton icon={Replace} size={15} label={t("versions.matches.correct")} onClick={() => setAsking(true)} />
        </div>
      ) : null}
      <IconLink icon={Box} size={15} label={t("versions.flyTo", { id: match.old_name ?? match.old_global_id })} to={show} />
      {asking ? <Correct busy={decide.isPending} cancel={() => setAsking(false)} choose={(element) => act("correct", element)} /> : null}
    </li>
  );
}

function Correct({ busy, cancel, choose }: { busy: boolean; cancel: () => void; choose: (element: string) => void }): ReactNode {
  const { t } = useTranslation();
  const [value, setValue] = useState("");
  return (
    <Modal open title={t("versions.matches.correctTitle")} onCancel={cancel} confirmLoading={busy} okButtonProps={{ disabled: value.trim() === "" }} onOk={() => choose(value.trim())}
      okText={t("action.save")} cancelText={t("action.cancel")}>
      <Input autoFocus value={value} onChange={(event) => setValue(event.target.value)} aria-label="GlobalId" placeholder="GlobalId" />
      <p className="muted">{t("versions.matches.correctHint")}</p>
    </Modal>
  );
}
