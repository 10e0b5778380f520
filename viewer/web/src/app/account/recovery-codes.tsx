/** Recovery codes: shown once, to copy, print or download. */
import { Alert, Button, Checkbox } from "antd";
import { Download, Printer } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { CopyButton } from "../access/pieces";
import { useMe } from "../session";

export function RecoveryCodes({ codes, done }: { codes: readonly string[]; done: () => void }): ReactNode {
  const { t } = useTranslation();
  const me = useMe();
  const [stored, setStored] = useState(false);
  const text = `${t("access.recovery.sheet", { name: me.name, host: window.location.host })}\n\n${codes.join("\n")}\n`;
  return (
    <div className="secret-once">
      <Alert type="warning" showIcon title={t("access.recovery.lead")} />
      <ul className="recovery-codes" data-testid="recovery-codes" aria-label={t("access.recovery.title")}>{codes.map((code) => <li key={code}>{code}</li>)}</ul>
      <div className="detail-actions">
        <CopyButton text={codes.join("\n")} />
        <Button icon={<Download size={15} />} onClick={() => save(text)}>{t("access.recovery.download")}</Button>
        <Button icon={<Printer size={15} />} onClick={() => print(text)}>{t("access.recovery.print")}</Button>
      </div>
      <Checkbox checked={stored} onChange={(event) => setStored(event.target.checked)}>{t("access.stored")}</Checkbox>
      <Button type="primary" block size="large" disabled={!stored} onClick={done}>{t("access.done")}</Button>
    </div>
  );
}

function save(text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = "twin-recovery-codes.txt";
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Prints the codes alone, from a frame of their own. */
function print(text: string): void {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  document.body.append(frame);
  const page = frame.contentDocument;
  if (!page || !frame.contentWindow) return;
  const sheet = page.createElement("pre");
  sheet.textContent = text;
  sheet.style.font = "16px/2 monospace";
  page.body.append(sheet);
  frame.contentWindow.addEventListener("afterprint", () => frame.remove());
  frame.contentWindow.print();
}
