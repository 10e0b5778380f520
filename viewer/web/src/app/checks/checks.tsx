/** Checks of the building's models: findings with the way to fix them, IDS results per specification, and exports. */
import { Button, Dropdown, Select, Skeleton, Upload } from "antd";
import { FileCheck2, FileDown, ListChecks, Play } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { upload, url } from "../../api/client";
import type { Job, Model } from "../../api/types";
import { useBuilding } from "../context";
import { shortTime } from "../lib/format";
import { Empty, Failure, PageHead } from "../parts";
import { useModels, useWrite } from "../queries";
import { useMay } from "../session";
import { Exports } from "./exports";
import { byWeight, resultOf, useCheck, useChecks, type CheckRun, type Finding } from "./queries";
import { FindingView, Outcome, SpecificationResult } from "./results";
import "../issues/issues.css";

export default function Checks(): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const models = useModels(building.id);
  const [params, setParams] = useSearchParams();
  const imported = (models.data ?? []).filter((one) => one.current_version !== null);
  const model = imported.find((one) => one.id === params.get("model")) ?? imported[0] ?? null;
  const runs = useChecks(model?.id ?? null);
  const chosen = params.get("check") ?? runs.data?.items.find((one) => one.status !== null)?.id ?? null;
  const set = (change: Record<string, string | null>): void => setParams((previous) => {
    for (const [key, value] of Object.entries(change)) {
      if (value) previous.set(key, value);
      else previous.delete(key);
    }
    return previous;
  }, { replace: true });
  return (
    <div className="page-body">
      <PageHead title={t("checks.title")} sub={t("checks.sub")}>
        {imported.length > 1 ? (
          <Select aria-label={t("checks.model")} value={model?.id ?? null} style={{ minWidth: 160 }} options={imported.map((one) => ({ value: one.id, label: one.name }))}
            onChange={(value) => set({ model: value, check: null })} />
        ) : null}
        {model ? <Start model={model} done={(check) => set({ check })} /> : null}
      </PageHead>
      {models.isError ? <Failure error={models.error} retry={() => void models.refetch()} /> : !models.data ? <Skeleton active /> : model === null ? (
        <Empty icon={ListChecks} title={t("checks.noModels")} hint={t("checks.noneHint")} />
      ) : (
        <>
          {runs.data && runs.data.items.length > 0 ? <Runs runs={runs.data.items} chosen={chosen} choose={(check) => set({ check })} /> : null}
          {chosen ? <Result id={chosen} /> : runs.data ? <Empty icon={ListChecks} title={t("checks.none")} hint={t("checks.noneHint")} /> : <Skeleton active />}
          <Exports model={model} />
        </>
      )}
    </div>
  );
}

/** Starts a check and follows it to its end. */
function Start({ model, done }: { model: Model; done: (check: string) => void }): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const start = useWrite(async (ids: File | null) => {
    const body = new FormData();
    if (ids) body.append("ids", ids, ids.name);
    else body.append("version", String(model.current_version));
    return resultOf<{ check: string }>(await upload<Job>(`/models/${model.id}/checks`, body, () => undefined).result);
  }, ["checks"], (made) => done(made.check));
  if (!may("model.check")) return null;
  const busy = start.isPending;
  return (
    <>
      <Upload accept=".ids,.xml" showUploadList={false} disabled={busy} beforeUpload={(file) => {
        start.mutate(file);
        return false;
      }}>
        <Button icon={<FileCheck2 size={15} />} disabled={busy}>{t("checks.runIds")}</Button>
      </Upload>
      <Button type="primary" icon={<Play size={15} />} loading={busy} onClick={() => start.mutate(null)}>{t(busy ? "checks.running" : "checks.run")}</Button>
    </>
  );
}

function Runs({ runs, chosen, choose }: { runs: readonly CheckRun[]; chosen: string | null; choose: (id: string) => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const name = (run: CheckRun): string => run.title ?? run.file_name ?? t("checks.rules");
  return (
    <Select aria-label={t("checks.history")} value={chosen} onChange={choose} style={{ width: "100%", maxWidth: 520, marginBottom: 12 }} options={runs.map((run) => ({
      value: run.id,
      label: `${name(run)} · ${t("checks.version", { version: run.version })} · ${shortTime(run.created_at, i18n.language)}${run.status === null ? "" : ` · ${t(run.status === "pass" ? "checks.pass" : "checks.fail")}`}`,
    }))} />
  );
}

function Result({ id }: { id: string }): ReactNode {
  const { t, i18n } = useTranslation();
  const check = useCheck(id, i18n.language);
  if (check.isError) return <Failure error={check.error} retry={() => void check.refetch()} />;
  if (!check.data) return <Skeleton active />;
  const { run, specifications } = check.data;
  const findings = byWeight(check.data.findings as unknown as Finding[]);
  const language = i18n.language.startsWith("zh") ? "zh" : "en";
  return (
    <section className="card pad">
      <div className="check-head">
        <h2>{run.title ?? run.file_name ?? t("checks.rules")} <Outcome status={run.status ?? "pass"} /></h2>
        <Dropdown menu={{
          items: (["bcf", "csv", "html"] as const).map((kind) => ({
            key: kind, label: <a href={url(`/checks/${id}.${kind}`, { language })} download>{t(kind === "bcf" ? "checks.asBcf" : kind === "csv" ? "checks.asCsv" : "checks.asHtml")}</a>,
          })),
        }}>
          <Button icon={<FileDown size={15} />}>{t("checks.download")}</Button>
        </Dropdown>
      </div>
      {run.kind === "model" && findings.length === 0 ? <p>{t("checks.fine")}</p> : null}
      {findings.map((finding) => <FindingView key={finding.code} finding={finding} language={language} />)}
      {specifications.map((one) => <SpecificationResult key={one.n} check={id} specification={one} />)}
    </section>
  );
}
