/** Whether the trail can be trusted: sealed how far, anchored where, verified when. */
import { App, Button } from "antd";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Anchor, Fingerprint, ShieldAlert, ShieldCheck, TriangleAlert } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get, post } from "../../api/client";
import type { ChainState } from "../../api/identity";
import type { Job } from "../../api/types";
import { formatNumber } from "../lib/format";
import { Ago, useErrorText } from "../parts";
import { isFinished, useJob, useWrite } from "../queries";

export function ChainBanner(): ReactNode {
  const { t, i18n } = useTranslation();
  const { message } = App.useApp();
  const text = useErrorText();
  const chain = useQuery({ queryKey: ["audit", "chain"], queryFn: ({ signal }) => get<ChainState>("/audit/chain", {}, signal), refetchInterval: 15_000 });
  const client = useQueryClient();
  const [job, setJob] = useState<string | null>(null);
  const run = useJob(job);
  const start = useWrite(() => post<Job>("/audit/verify"), [], (made) => setJob(made.id));
  const finished = run.data && isFinished(run.data) ? run.data : null;
  useEffect(() => {
    if (!finished) return;
    void client.invalidateQueries({ queryKey: ["audit"] });
    if (finished.state === "failed") void message.error(finished.error?.message ?? t("error.title"));
  }, [finished, client, message, t]);
  if (chain.isError) return <div className="chain is-bad" role="alert"><ShieldAlert size={18} aria-hidden />{text(chain.error)}</div>;
  const state = chain.data;
  if (!state) return <div className="chain" aria-busy="true" />;
  const n = (value: number): string => formatNumber(value, i18n.language);
  const findings = state.verified?.findings ?? [];
  const bad = !state.intact || state.verified?.ok === false;
  const Icon = bad ? ShieldAlert : ShieldCheck;
  return (
    <section className={`chain${bad ? " is-bad" : ""}`} aria-label={t("access.chain.title")}>
      <span className="chain-icon"><Icon size={20} strokeWidth={1.8} aria-hidden /></span>
      <div className="grow">
        <b>{t(bad ? "access.chain.broken" : "access.chain.whole")}</b>
        <ul className="chain-facts">
          <li title={state.hash}><Fingerprint size={13} aria-hidden />{t("access.chain.sealed", { seq: n(state.seq) })}{state.unsealed > 0 ? ` · ${t("access.chain.unsealed", { count: state.unsealed })}` : ""}</li>
          <li><Anchor size={13} aria-hidden />{state.anchored_at ? <span>{t("access.chain.anchored", { seq: n(state.anchored ?? 0) })} · <Ago at={state.anchored_at} /></span> : t("access.chain.notAnchored")}</li>
          <li>{state.verified ? <>{state.verified.ok ? <ShieldCheck size={13} aria-hidden /> : <TriangleAlert size={13} aria-hidden />}<span>{t("access.chain.verified", { entries: n(state.verified.entries) })} · <Ago at={state.verified.at} /></span></> : t("access.chain.neverVerified")}</li>
        </ul>
        {findings.length > 0 ? (
          <ul className="chain-findings">
            {findings.map((one, i) => <li key={i}><b>{i18n.exists(`access.chain.trouble.${one.trouble}`) ? t(`access.chain.trouble.${one.trouble}` as "access.chain.trouble.edited") : one.trouble}</b>{one.seq === null ? "" : ` ${t("access.audit.number", { seq: one.seq })}`} <span className="muted">{one.detail}</span></li>)}
          </ul>
        ) : null}
      </div>
      <Button icon={<ShieldCheck size={15} />} loading={start.isPending || (job !== null && !finished && !run.isError)} onClick={() => start.mutate(undefined)}>{t("access.chain.verify")}</Button>
    </section>
  );
}
