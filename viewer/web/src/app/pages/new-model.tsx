/** Upload of an IFC file: drop, name, bytes on their way, then the import's stages. */
import { useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Form, Input, Progress, Select, Upload } from "antd";
import { FileUp } from "lucide-react";
import { useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, post, upload, type Upload as Sending } from "../../api/client";
import type { Building, Job } from "../../api/types";
import { formatBytes } from "../lib/format";
import { readAgain } from "../lib/read-again";
import { useErrorText } from "../parts";
import { ErrorWhere, JobView } from "./import-job";

const DISCIPLINES = ["arc", "str", "mep", "ele", "oth"] as const;

type Phase =
  | { at: "choose" }
  | { at: "sending"; sent: number; total: number }
  | { at: "job"; id: string }
  | { at: "failed"; error: unknown };

interface Values {
  building?: string;
  model: string;
  discipline: string;
}

/** Without `building` one is made first. */
export default function NewModel({ building, done, models = [] }: {
  building: Building | null; done?: () => void; models?: readonly { name: string; discipline: string }[];
}): ReactNode {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const [phase, setPhase] = useState<Phase>({ at: "choose" });
  const [made, setMade] = useState<Building | null>(building);
  const sending = useRef<Sending<Job> | null>(null);
  const [form] = Form.useForm<Values>();
  const busy = phase.at === "sending" || phase.at === "job";

  const choose = (chosen: File): void => {
    setFile(chosen);
    setPhase({ at: "choose" });
    const stem = chosen.name.replace(/\.(ifc|ifczip|zip)$/i, "");
    const known = models.find((one) => one.name === stem);
    form.setFieldsValue({ model: stem, ...(known ? { discipline: known.discipline } : {}), ...(building ? {} : { building: stem }) });
  };
  const start = async (values: Values): Promise<void> => {
    if (!file) return;
    try {
      setPhase({ at: "sending", sent: 0, total: file.size });
      const target = made ?? (await post<Building>("/buildings", { name: values.building }));
      setMade(target);
      const body = new FormData();
      body.append("building", target.id);
      body.append("model", values.model);
      body.append("discipline", values.discipline);
      body.append("file", file, file.name);
      sending.current = upload<Job>("/models", body, (sent, total) => setPhase({ at: "sending", sent, total }));
      const job = await sending.current.result;
      setPhase({ at: "job", id: job.id });
    } catch (error) {
      setPhase(error instanceof ApiError && error.code === "cancelled" ? { at: "choose" } : { at: "failed", error });
    }
  };
  return (
    <div className="upload">
      {phase.at === "job" && made ? (
        <JobView id={phase.id} building={made} again={() => {
          setPhase({ at: "choose" });
          setFile(null);
        }} onDone={() => {
          void readAgain(client, ["models", "tree", "tileset"]);
          done?.();
        }} />
      ) : (
        <>
          <Upload.Dragger accept=".ifc,.ifczip,.zip" showUploadList={false} multiple={false} disabled={busy}
            beforeUpload={(chosen) => {
              choose(chosen);
              return false;
            }}>
            <FileUp size={28} strokeWidth={1.4} aria-hidden />
            <p className="upload-title">{file ? file.name : t("upload.drop")}</p>
            <p className="muted">{file ? formatBytes(file.size, i18n.language) : t("upload.formats")}</p>
          </Upload.Dragger>
          {phase.at === "failed" ? <UploadError error={phase.error} /> : null}
          {file ? (
            <Form form={form} layout="vertical" requiredMark={false} disabled={busy} initialValues={{ discipline: "arc" }} onFinish={(values) => void start(values)}>
              {building ? null : (
                <Form.Item name="building" label={t("upload.building")} rules={[{ required: true, whitespace: true, message: t("upload.buildingMissing") }]}>
                  <Input maxLength={200} />
                </Form.Item>
              )}
              <div className="form-pair">
                <Form.Item name="model" label={t("upload.model")} rules={[{ required: true, whitespace: true, message: t("upload.modelMissing") }]}
                  extra={building ? t("upload.modelHint") : null}>
                  <Input maxLength={200} />
                </Form.Item>
                <Form.Item name="discipline" label={t("upload.discipline")}>
                  <Select options={DISCIPLINES.map((one) => ({ value: one, label: t(`discipline.${one}`) }))} />
                </Form.Item>
              </div>
              {phase.at === "sending" ? (
                <div className="upload-progress">
                  <Progress percent={phase.total ? Math.floor((phase.sent / phase.total) * 100) : 0} size="small" status="active" />
                  <span className="muted num">{t("upload.sent", { sent: formatBytes(phase.sent, i18n.language), total: formatBytes(phase.total, i18n.language) })}</span>
                  <Button size="small" disabled={false} onClick={() => sending.current?.cancel()}>{t("action.cancel")}</Button>
                </div>
              ) : <Button type="primary" size="large" block htmlType="submit">{t("upload.start")}</Button>}
            </Form>
          ) : null}
        </>
      )}
    </div>
  );
}

function UploadError({ error }: { error: unknown }): ReactNode {
  const { t } = useTranslation();
  const text = useErrorText();
  const where = error instanceof ApiError ? error.where : null;
  const code = error instanceof ApiError ? error.code : null;
  return <Alert type="error" showIcon role="alert" title={text(error)} description={<ErrorWhere where={where} code={code} label={t("upload.where")} />} />;
}
