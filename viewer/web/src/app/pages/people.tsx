/** Choosing a person or a crew. Who may not list accounts can still name a crew. */
import { useQuery } from "@tanstack/react-query";
import { Select } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Account } from "../../api/identity";
import { everything } from "../queries";
import { useMay, useMe } from "../session";

const CREWS = ["crew", "facility_engineer", "duty_operator"] as const;

export interface Who {
  assignee?: string;
  crew?: string;
}

export function PeopleSelect({ value, onChange }: { value?: Who; onChange?: (value: Who) => void }): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const me = useMe();
  const accounts = useQuery({
    queryKey: ["accounts"],
    queryFn: ({ signal }) => everything<Account>("/accounts", {}, signal),
    enabled: may("account.read"),
  });
  const people = accounts.data?.filter((one) => !one.disabled) ?? [{ name: me.name, display_name: me.display_name }];
  const current = value?.assignee ? `a:${value.assignee}` : value?.crew ? `c:${value.crew}` : undefined;
  return (
    <Select allowClear showSearch={{ optionFilterProp: "label" }} className="full" value={current ?? null} placeholder={t("order.who")} aria-label={t("order.who")}
      onChange={(key: string | undefined) => onChange?.(key ? (key.startsWith("a:") ? { assignee: key.slice(2) } : { crew: key.slice(2) }) : {})}
      options={[
        { label: t("order.crews"), options: CREWS.map((crew) => ({ value: `c:${crew}`, label: t(`role.${crew}`) })) },
        { label: t("order.people"), options: people.map((one) => ({ value: `a:${one.name}`, label: one.display_name ? `${one.display_name} (${one.name})` : one.name })) },
      ]} />
  );
}
