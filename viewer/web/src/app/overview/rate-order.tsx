/** What one thinks of work that is done (7.2.4c). */
import { App, Button, Input, Rate } from "antd";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { request } from "../../api/client";
import { useWrite } from "../queries";
import { useMe } from "../session";
import { useRatings, type Rating } from "./queries";

export function RateOrder({ order }: { order: string }): ReactNode {
  const { t } = useTranslation();
  const me = useMe();
  const ratings = useRatings(order, true);
  if (!ratings.data) return null;
  const mine = ratings.data.find((one) => one.rated_by === me.name) ?? null;
  const others = ratings.data.filter((one) => one !== mine);
  return (
    <section className="card">
      <h2>{t("overview.rate.title")}</h2>
      <Mine key={mine?.rated_at ?? "none"} order={order} mine={mine} />
      {others.map((one) => (
        <p key={one.rated_by} className="muted"><b>{one.rated_by}</b> {t("overview.rate.star", { count: one.stars })}{one.comment ? `: ${one.comment}` : ""}</p>
      ))}
    </section>
  );
}

function Mine({ order, mine }: { order: string; mine: Rating | null }): ReactNode {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [stars, setStars] = useState(mine?.stars ?? 0);
  const [comment, setComment] = useState(mine?.comment ?? "");
  const send = useWrite(() => request("PUT", `/work-orders/${order}/rating`, { body: { stars, comment: comment.trim() || null } }), ["ratings", "overview"], () => void message.success(t("overview.rate.thanks")));
  const changed = stars !== (mine?.stars ?? 0) || comment.trim() !== (mine?.comment ?? "");
  return (
    <form className="ov-rate" onSubmit={(event) => { event.preventDefault(); if (stars > 0) send.mutate(undefined); }}>
      <Rate value={stars} onChange={setStars} allowClear={false} aria-label={t("overview.rate.label")} tooltips={[1, 2, 3, 4, 5].map((count) => t("overview.rate.star", { count }))} />
      <Input.TextArea autoSize={{ minRows: 1, maxRows: 4 }} maxLength={2000} value={comment} onChange={(event) => setComment(event.target.value)} placeholder={t("overview.rate.comment")} aria-label={t("overview.rate.comment")} />
      <Button htmlType="submit" disabled={stars === 0 || !changed} loading={send.isPending}>{t("overview.rate.send")}</Button>
    </form>
  );
}
