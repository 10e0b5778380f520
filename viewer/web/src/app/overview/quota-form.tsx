/** Quotas of a year, month by month (8.4.8c). */
import { App, Button, InputNumber, Modal, Segmented, Select } from "antd";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { request } from "../../api/client";
import { useBuilding } from "../context";
import { unitText } from "../lib/format";
import { serverNow } from "../lib/clock";
import { useWrite } from "../queries";
import { useWords } from "./numbers";
import { useConsumption, useQuotas, type Medium } from "./queries";

const MEDIA: readonly Medium[] = ["electricity", "heat", "water", "gas"];
const UNITS: Record<Medium, string> = { electricity: "KiloW-HR", heat: "KiloW-HR", water: "M3", gas: "M3" };
const MONTHS = Array.from({ length: 12 }, (_, i) => i + 1);

export default function QuotaForm({ close }: { close: () => void }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const uses = useConsumption(building.id).data?.media ?? [];
  const measured = MEDIA.filter((medium) => uses.some((use) => use.medium === medium));
  const [medium, setMedium] = useState<Medium>(measured[0] ?? "electricity");
  const now = new Date(serverNow()).getFullYear();
  const [year, setYear] = useState(now);
  const quotas = useQuotas(building.id, year);
  const known = quotas.data?.find((quota) => quota.medium === medium)?.months;
  return (
    <Modal open title={t("overview.quota.title")} onCancel={close} footer={null} width={560} destroyOnHidden>
      <div className="ov-quota-head">
        <Segmented value={medium} onChange={setMedium} options={(measured.length > 0 ? measured : MEDIA).map((one) => ({ value: one, label: t(`overview.use.${one}`) }))} aria-label={t("overview.quota.medium")} />
        <Select value={year} onChange={setYear} options={[now - 1, now, now + 1].map((value) => ({ value, label: String(value) }))} aria-label={t("overview.quota.year")} />
      </div>
      {quotas.isSuccess ? <Months key={`${medium} ${year}`} medium={medium} year={year} known={known ?? null} close={close} /> : null}
    </Modal>
  );
}

/** Thousands apart, in both languages by commas; what is typed may have them too. */
const grouped = (value: number | string | undefined): string => String(value ?? "").replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ",");
const plain = (text: string | undefined): number => Number((text ?? "").replaceAll(/[^\d.]/g, ""));

function Months({ medium, year, known, close }: { medium: Medium; year: number; known: readonly (number | null)[] | null; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const { building } = useBuilding();
  const { message } = App.useApp();
  const { amount, month } = useWords();
  const use = useConsumption(building.id).data?.media.find((one) => one.medium === medium);
  const [months, setMonths] = useState<(number | null)[]>(() => MONTHS.map((_, i) => known?.[i] ?? null));
  const save = useWrite(() => request("PUT", `/buildings/${building.id}/quotas`, { body: { medium, year, months } }), ["quotas", "overview"], () => {
    void message.success(t("overview.quota.saved"));
    close();
  });
  const fill = (): void => setMonths(MONTHS.map((number) => {
    const found = use?.months.find((one) => one.month === number);
    const value = found?.year === year ? found.before : (found?.amount ?? null);
    return value === null || value <= 0 ? null : Number(value.toPrecision(2));
  }));
  const sum = months.reduce<number>((total, one) => total + (one ?? 0), 0);
  return (
    <form onSubmit={(event) => { event.preventDefault(); save.mutate(undefined); }}>
      <div className="ov-quota-months">
        {MONTHS.map((number, i) => (
          <label key={number}>
            <span>{month(year, number)}</span>
            <InputNumber<number> min={0.001} value={months[i] ?? null} suffix={unitText(UNITS[medium])} controls={false} formatter={grouped} parser={plain} onChange={(value) => setMonths(months.map((old, at) => (at === i ? value : old)))} />
          </label>
        ))}
      </div>
      <p className="muted">{t("overview.quota.hint")}</p>
      <div className="ov-quota-foot">
        <b className="num">{t("overview.quota.sum", { sum: amount(sum, UNITS[medium]) })}</b>
        <span className="grow" />
        {use ? <Button onClick={fill}>{t("overview.quota.fill")}</Button> : null}
        <Button type="primary" htmlType="submit" loading={save.isPending}>{t("overview.quota.save")}</Button>
      </div>
    </form>
  );
}
