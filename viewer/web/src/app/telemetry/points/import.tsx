/** Points from a list: CSV, XLSX or a Brick graph. First what it would do, row by row, then that. */
import { Alert, Button, Modal, Upload } from "antd";
import { FileUp } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { upload } from "../../../api/client";
import { useBuilding } from "../../context";
import { formatBytes } from "../../lib/format";
import { useErrorText } from "../../parts";
import { useWrite } from "../../queries";
import { ImportResult, type ImportReport } from "./import-result";

export function ImportPoints({ close }: { close: () => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const text = useErrorText();
  const [file, setFile] = useState<File | null>(null);
  const send = (dry: boolean, chosen: File): Promise<ImportReport> => {
    const body = new FormData();
    body.append("building", building.id);
    body.append("dry_run", String(dry));
    body.append("file", chosen, chosen.name);
    return upload<ImportReport>("/points/import", body, () => undefined).result;
  };
  const dry = useWrite((chosen: File) => send(true, chosen), []);
  const write = useWrite((chosen: File) => send(false, chosen), ["points"]);
  const report = write.data ?? dry.data;
  const todo = report ? report.created + report.updated + report.bound : 0;
  const choose = (chosen: File): void => {
    write.reset();
    setFile(chosen);
    dry.mutate(chosen);
  };
  return (
    <Modal open title={t("telemetry.points.import")} width={760} onCancel={close} destroyOnHidden footer={write.data ? <Button type="primary" onClick={close}>{t("action.close")}</Button> : (
      <><Button onClick={close}>{t("action.cancel")}</Button>
        <Button type="primary" disabled={!file || todo === 0} loading={write.isPending} onClick={() => file && write.mutate(file)}>{todo > 0 ? t("telemetry.import.doCount", { count: todo }) : t("telemetry.import.doIt")}</Button></>
    )}>
      <div className="import-steps">
        {write.data ? null : (
          <Upload.Dragger accept=".csv,.xlsx,.ttl" showUploadList={false} multiple={false} disabled={dry.isPending || write.isPending} beforeUpload={(chosen) => {
            choose(chosen);
            return false;
          }}>
            <FileUp size={26} strokeWidth={1.4} aria-hidden />
            <p className="upload-title">{file ? file.name : t("telemetry.import.drop")}</p>
            <p className="muted">{file ? formatBytes(file.size, i18n.language) : t("telemetry.import.pointFormats")}</p>
          </Upload.Dragger>
        )}
        {dry.isPending ? <p className="muted" role="status">{t("telemetry.import.reading")}</p> : null}
        {dry.isError && !report ? <Alert type="error" showIcon role="alert" title={text(dry.error)} /> : null}
        {report ? <ImportResult report={report} done={write.data !== undefined} /> : null}
        {file || write.data ? null : <p className="muted import-columns">{t("telemetry.import.columns")} <code>key, name, kind, unit, element, brick_class, labels, expected_interval, stale_after, min_value, max_value, deadband, sampling, writable, tags</code></p>}
      </div>
    </Modal>
  );
}
