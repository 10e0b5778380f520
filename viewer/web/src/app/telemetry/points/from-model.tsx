/** Points for the sensors and actuators that the model has: seen first, then made. */
import { Alert, Button, Modal, Spin } from "antd";
import { useEffect, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { post } from "../../../api/client";
import { useBuilding } from "../../context";
import { useErrorText } from "../../parts";
import { useWrite } from "../../queries";
import { ImportResult, type ImportReport } from "./import-result";

export function FromModel({ close }: { close: () => void }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const text = useErrorText();
  const run = useWrite((dry: boolean) => post<ImportReport>("/points/from-model", { building: building.id, dry_run: dry }), []);
  const write = useWrite((dry: boolean) => post<ImportReport>("/points/from-model", { building: building.id, dry_run: dry }), ["points"]);
  const { mutate } = run;
  useEffect(() => mutate(true), [mutate]);
  const report = write.data ?? run.data;
  const todo = report ? report.created + report.updated + report.bound : 0;
  return (
    <Modal open title={t("telemetry.points.fromModel")} width={720} onCancel={close} destroyOnHidden footer={write.data ? <Button type="primary" onClick={close}>{t("action.close")}</Button> : (
      <><Button onClick={close}>{t("action.cancel")}</Button><Button type="primary" disabled={todo === 0} loading={write.isPending} onClick={() => write.mutate(false)}>{t("telemetry.import.doIt")}</Button></>
    )}>
      <p className="muted modal-lead">{t("telemetry.points.fromModelHint")}</p>
      {run.isError ? <Alert type="error" showIcon title={text(run.error)} /> : report ? <ImportResult report={report} done={write.data !== undefined} /> : <div className="center"><Spin /></div>}
    </Modal>
  );
}
