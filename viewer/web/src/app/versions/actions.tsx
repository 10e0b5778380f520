/** What can be done with a version: see what it changed, in a list or in 3D, or go back to it. */
import { useQueryClient } from "@tanstack/react-query";
import { App, Button } from "antd";
import { Box, GitCompareArrows, Undo2 } from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { ModelVersion } from "../../api/types";
import { useBuilding } from "../context";
import { readAgain } from "../lib/read-again";
import { LinkButton, useErrorText } from "../parts";
import { isFinished, useJob } from "../queries";
import { useMay } from "../session";
import { useRollBack } from "./queries";

export function VersionActions({ version, current, modelName }: { version: ModelVersion; current: boolean; modelName: string }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const may = useMay();
  const { version: n, model_id: model } = version;
  const matched = version.report.matched;
  const query = `from=${n - 1}&to=${n}`;
  return (
    <div className="version-actions">
      {n > 1 ? (
        <>
          <LinkButton to={`/b/${building.id}/models/${model}/changes?${query}`} size="small" icon={<GitCompareArrows size={14} />}>{t("versions.open")}</LinkButton>
          <LinkButton to={`/b/${building.id}?changes=${model}&${query}`} size="small" icon={<Box size={14} />}>{t("versions.show3d")}</LinkButton>
          {matched && matched.certain + matched.likely + matched.lost > 0 ? (
            <Link className="text-link" to={`/b/${building.id}/models/${model}/changes?${query}&tab=matches`}>{t("versions.matched", matched)}</Link>
          ) : null}
        </>
      ) : null}
      {!current && may("model.upload") ? <RollBack model={model} name={modelName} version={n} /> : null}
    </div>
  );
}

function RollBack({ model, name, version }: { model: string; name: string; version: number }): ReactNode {
  const { t } = useTranslation();
  const { modal, message } = App.useApp();
  const client = useQueryClient();
  const errorText = useErrorText();
  const ask = useRollBack(model);
  const [job, setJob] = useState<string | null>(null);
  const run = useJob(job);
  const state = run.data && isFinished(run.data) ? run.data : null;
  const busy = job !== null && state === null;
  const told = useRef<string | null>(null);
  useEffect(() => {
    if (!state || told.current === state.id) return;
    told.current = state.id;
    void readAgain(client, ["models", "tree", "elements", "element", "tileset"]);
    if (state.state === "done") void message.success(t("versions.rolledBack", { n: version }));
    else void message.error(state.error?.["message"] ? String(state.error["message"]) : t("versions.failed"));
  }, [state, client, message, t, version]);
  const sure = (): void => {
    modal.confirm({
      title: t("versions.rollbackSure", { n: version }), content: `${name}: ${t("versions.rollbackHint")}`, okText: t("versions.rollback", { n: version }), cancelText: t("action.cancel"),
      onOk: async () => {
        try {
          setJob((await ask.mutateAsync(version)).id);
        } catch (error) {
          void message.error(errorText(error));
        }
      },
    });
  };
  return <Button size="small" icon={<Undo2 size={14} />} loading={busy} onClick={sure}>{busy ? t("versions.rollingBack", { n: version }) : t("versions.rollbackTo")}</Button>;
}
