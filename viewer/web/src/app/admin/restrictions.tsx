/** Fields of an account's limits: until when, at which hours, from where, with which proof. Used in two forms. */
import { DatePicker, Form, Select, Switch } from "antd";
import type { Dayjs } from "dayjs";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { LoginHours } from "../../api/identity";
import { isNetwork } from "../lib/networks";
import { HoursEditor } from "./login-hours";

export interface RestrictionValues {
  valid_until?: Dayjs | null;
  login_hours?: LoginHours | null;
  login_networks?: string[] | null;
  require_second_factor?: boolean;
}

/** As the server takes them. */
export const restrictionsOf = (values: RestrictionValues): Record<string, unknown> => ({
  valid_until: values.valid_until?.toISOString() ?? null,
  login_hours: values.login_hours ?? null,
  login_networks: values.login_networks && values.login_networks.length > 0 ? values.login_networks : null,
  require_second_factor: values.require_second_factor ?? false,
});

export const isRestricted = (values: RestrictionValues): boolean => Object.values(restrictionsOf(values)).some((value) => value !== null && value !== false);

export function RestrictionFields(): ReactNode {
  const { t } = useTranslation();
  return (
    <>
      <Form.Item name="require_second_factor" valuePropName="checked" label={t("access.accounts.requireFactor")} extra={t("access.accounts.requireFactorHint")} layout="horizontal" className="switch-item">
        <Switch />
      </Form.Item>
      <Form.Item name="valid_until" label={t("access.accounts.validUntil")} extra={t("access.accounts.validUntilHint")}>
        <DatePicker showTime={{ format: "HH:mm" }} format="YYYY-MM-DD HH:mm" className="full" placeholder={t("access.accounts.forever")} />
      </Form.Item>
      <Form.Item name="login_hours" label={t("access.hours.title")}><HoursEditor /></Form.Item>
      <NetworksItem />
    </>
  );
}

export function NetworksItem({ name = "login_networks" }: { name?: string }): ReactNode {
  const { t } = useTranslation();
  return (
    <Form.Item name={name} label={t("access.networks.title")} extra={t("access.networks.hint")} rules={[{
      validator: (_, list: string[] | null) => {
        const wrong = (list ?? []).find((one) => !isNetwork(one));
        return wrong === undefined ? Promise.resolve() : Promise.reject(new Error(t("access.networks.wrong", { network: wrong })));
      },
    }]}>
      <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[" ", ",", ";"]} placeholder={t("access.networks.any")} />
    </Form.Item>
  );
}
