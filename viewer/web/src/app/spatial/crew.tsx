/** Who is nearest to a place and may be sent there (8.4.9b). Where people are is personal: it is asked for, and that is recorded. */
import { Button, Segmented } from "antd";
import { Footprints, Navigation, UserRoundSearch, UsersRound } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useBuilding } from "../context";
import { formatNumber } from "../lib/format";
import { useRoleName } from "../lib/roles";
import { Ago, Empty, Failure, IconLink, Lines } from "../parts";
import { useNearestCrew } from "./queries";
import { useSeconds } from "./seconds";
import type { CrewMember } from "./types";

const HOURS = [12, 24, 168] as const;

interface CrewProps {
  /** Element or room: id or GlobalId. */
  to: string;
  assign: (account: string) => void;
  /** Whom an assignment is on its way to. */
  pending: string | null;
}

/** A button until somebody wants to know. */
export function NearestCrew(props: CrewProps & { block?: boolean }): ReactNode {
  const { t } = useTranslation();
  const [asked, setAsked] = useState(false);
  if (asked) return <CrewList {...props} />;
  return (
    <div className="crew-ask">
      <Button icon={<UserRoundSearch size={15} />} block={props.block ?? false} onClick={() => setAsked(true)}>{t("spatial.crew.ask")}</Button>
      <small className="muted">{t("spatial.crew.recorded")}</small>
    </div>
  );
}

function CrewList({ to, assign, pending }: CrewProps): ReactNode {
  const { t } = useTranslation();
  const [hours, setHours] = useState<number>(HOURS[0]);
  const crew = useNearestCrew(to, hours);
  return (
    <div className="crew" role="group" aria-label={t("spatial.crew.title")} aria-busy={crew.isPending}>
      <header>
        <h3><UsersRound size={15} aria-hidden />{t("spatial.crew.title")}</h3>
        <Segmented size="small" value={hours} aria-label={t("spatial.crew.seen")} onChange={setHours}
          options={HOURS.map((value) => ({ value, label: value < 48 ? t("spatial.crew.hours", { count: value }) : t("spatial.crew.days", { count: value / 24 }) }))} />
      </header>
      {crew.isError ? <Failure error={crew.error} retry={() => void crew.refetch()} />
        : !crew.data ? <Lines count={3} />
        : crew.data.length === 0 ? <Empty icon={UserRoundSearch} title={t("spatial.crew.none")} hint={t("spatial.crew.noneHint")} />
        : <ol>{crew.data.map((one) => <Member key={one.account} member={one} to={to} assign={assign} pending={pending} />)}</ol>}
    </div>
  );
}

function Member({ member, to, assign, pending }: CrewProps & { member: CrewMember }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const roleName = useRoleName();
  const seconds = useSeconds();
  const name = member.display_name ?? member.account;
  return (
    <li>
      <span className="crew-who">
        <span><b>{name}</b>{member.crew ? <small className="muted">{roleName(member.crew)}</small> : null}{member.busy ? <em className="tag is-plain">{t("spatial.crew.busy")}</em> : null}</span>
        <small className="muted">{t("spatial.crew.last", { place: member.place.name ?? member.place.global_id })} · <Ago at={member.at} /></small>
      </span>
      <span className="crew-way num"><b><Footprints size={13} aria-hidden />{seconds(member.seconds)}</b><small className="muted">{formatNumber(Math.round(member.length), i18n.language)} m</small></span>
      <IconLink icon={Navigation} size={15} label={t("spatial.crew.way", { name })}
        to={`/b/${building.id}?route=${encodeURIComponent(to)}&from=${encodeURIComponent(member.place.global_id)}`} />
      <Button size="small" type="primary" loading={pending === member.account} disabled={pending !== null} aria-label={t("spatial.crew.assignTo", { name })}
        onClick={() => assign(member.account)}>{t("order.act.assign")}</Button>
    </li>
  );
}
