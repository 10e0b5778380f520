/** What can be taken along of a model: the enriched file, COBie, the list of its elements. */
import { App, Button, Dropdown } from "antd";
import { FileDown } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { post, url } from "../../api/client";
import type { Job, Model } from "../../api/types";
import { useWrite } from "../queries";
import { useMay } from "../session";
import { resultOf } from "./queries";

interface Made {
  href: string;
  file_name: string;
}

export function Exports({ model }: { model: Model }): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const { message } = App.useApp();
  const make = useWrite(
    async (kind: string) => resultOf<Made>(await post<Job>(`/models/${model.id}/versions/${model.current_version}/exports`, { kind })),
    [],
    (made) => {
      void message.success(t("checks.made", { name: made.file_name }));
      window.location.assign(url(made.href));
    },
  );
  if (!may("model.export")) return null;
  const busy = make.isPending;
  return (
    <section className="card check-head check-out">
      <div><h2>{t("checks.out")}</h2><p className="muted">{t("checks.outHint")}</p></div>
      <div className="check-actions">
        <Button icon={<FileDown size={15} />} loading={busy} onClick={() => make.mutate("ifc")}>{t(busy ? "checks.making" : "checks.ifc")}</Button>
        <Dropdown disabled={busy} menu={{ items: ["xlsx", "ods", "csv"].map((key) => ({ key, label: key.toUpperCase() })), onClick: ({ key }) => make.mutate(`cobie.${key}`) }}>
          <Button icon={<FileDown size={15} />}>{t("checks.cobie")}</Button>
        </Dropdown>
        <Dropdown menu={{
          items: ["xlsx", "csv"].map((format) => ({ key: format, label: <a href={url("/elements/export", { model: model.id, format })} download>{format.toUpperCase()}</a> })),
        }}>
          <Button icon={<FileDown size={15} />}>{t("checks.list")}</Button>
        </Dropdown>
      </div>
    </section>
  );
}
