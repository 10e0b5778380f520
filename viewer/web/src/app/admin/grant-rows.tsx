/** The grants of one account or key, with adding and revoking. */
import { Button, Popconfirm, Skeleton } from "antd";
import { Plus, Trash2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { del } from "../../api/client";
import { PlaceName } from "../access/pieces";
import { useRoleName } from "../lib/roles";
import { Failure, IconButton } from "../parts";
import { useWrite } from "../queries";
import { useMay } from "../session";
import { GrantForm } from "./grant-form";
import { GRANTS_TOUCH, GRANT_WRITE } from "./grants-shared";
import { useGrants } from "./queries";

export function GrantRows(subject: { account?: string; keyName?: string; keyId?: string }): ReactNode {
  const { t } = useTranslation();
  const may = useMay();
  const roleName = useRoleName();
  const grants = useGrants(subject.account ? { account: subject.account } : { key: subject.keyId ?? subject.keyName ?? null });
  const revoke = useWrite((id: string) => del(`/grants/${id}`), GRANTS_TOUCH);
  const [adding, setAdding] = useState(false);
  if (grants.isError) return <Failure error={grants.error} retry={() => void grants.refetch()} />;
  if (!grants.data) return <div className="tab-form"><Skeleton active title={false} /></div>;
  return (
    <div className="tab-form">
      {grants.data.length === 0 ? <p className="muted">{t("access.grants.noneOfOne")}</p> : (
        <ul className="grant-rows">
          {grants.data.map((one) => (
            <li key={one.id}>
              <b>{roleName(one.role)}</b>
              <PlaceName place={one.place} />
              <span className="grow" />
              {may(GRANT_WRITE) ? (
                <Popconfirm title={t("access.grants.revokeSure")} description={t("access.grants.revokeHint")} okText={t("access.grants.revoke")} cancelText={t("action.cancel")}
                  okButtonProps={{ danger: true }} onConfirm={() => revoke.mutate(one.id)}>
                  <span><IconButton icon={Trash2} size={15} label={t("access.grants.revoke")} /></span>
                </Popconfirm>
              ) : null}
            </li>
          ))}
        </ul>
      )}
      {may(GRANT_WRITE) ? <Button icon={<Plus size={15} />} onClick={() => setAdding(true)}>{t("access.grants.new")}</Button> : null}
      {adding ? <GrantForm subject={subject.account ? { kind: "account", id: subject.account } : { kind: "key", id: subject.keyId ?? "", name: subject.keyName ?? "" }} close={() => setAdding(false)} /> : null}
    </div>
  );
}
