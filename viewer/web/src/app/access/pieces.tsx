/** Small pieces of the pages about accounts and rights. */
import { Alert, Button, Checkbox, Modal, Tooltip } from "antd";
import { Check, Copy, DoorClosed, Globe2, KeyRound, Layers, MapPin, Building2, Network, UserRound, type LucideIcon } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { HeldGrant, PlaceKind, PlaceRef } from "../../api/identity";
import { useRoleName } from "../lib/roles";

export type Tone = "ok" | "warn" | "bad" | "info" | "plain";
const TONES: Record<Tone, string> = { ok: "is-ok", warn: "sev-medium", bad: "sev-critical", info: "sev-low", plain: "is-plain" };

export function Tag({ tone, icon: Icon, children, title }: { tone: Tone; icon?: LucideIcon; children: ReactNode; title?: string }): ReactNode {
  return <span className={`tag ${TONES[tone]}`} title={title}>{Icon ? <Icon size={13} aria-hidden /> : null}{children}</span>;
}

/** Two letters, or one character of a Chinese name, on a colour that stays with the name. */
export function Avatar({ name, label, size = 30, program = false }: { name: string; label?: string | null; size?: number; program?: boolean }): ReactNode {
  const hue = [...name].reduce((sum, c) => (sum * 31 + (c.codePointAt(0) ?? 0)) % 360, 7);
  return (
    <span className={`avatar${program ? " is-program" : ""}`} style={{ width: size, height: size, fontSize: size * 0.38, "--hue": hue } as React.CSSProperties} aria-hidden>
      {program ? <KeyRound size={size * 0.5} strokeWidth={1.8} /> : initials(label || name)}
    </span>
  );
}

export function initials(name: string): string {
  const han = /\p{Script=Han}+/u.exec(name)?.[0];
  if (han) return han.length > 2 ? han.slice(-2) : han;
  const words = name.split(/[\s._@-]+/).filter(Boolean);
  const first = words[0]?.[0] ?? "?";
  return (first + (words.length > 1 ? (words[1]?.[0] ?? "") : (words[0]?.[1] ?? ""))).toUpperCase();
}

const PLACE_ICON: Record<PlaceKind, LucideIcon> = { site: MapPin, building: Building2, storey: Layers, system: Network };

export function PlaceName({ place }: { place: PlaceRef | null }): ReactNode {
  const { t } = useTranslation();
  const Icon = place ? (PLACE_ICON[place.kind] ?? DoorClosed) : Globe2;
  return <span className="place-name" title={place ? t(`access.place.${place.kind}`) : undefined}><Icon size={13} aria-hidden />{place?.name ?? t("access.place.everywhere")}{place?.building ? <small className="muted">{place.building}</small> : null}</span>;
}

/** What someone holds, in a line: the first few, the rest on hover. */
export function GrantList({ grants, most = 2 }: { grants: readonly HeldGrant[]; most?: number }): ReactNode {
  const { t } = useTranslation();
  const roleName = useRoleName();
  if (grants.length === 0) return <span className="muted">{t("access.grants.nothing")}</span>;
  const words = (one: HeldGrant): string => `${roleName(one.role)} · ${one.place?.name ?? t("access.place.everywhere")}`;
  const rest = grants.slice(most);
  return (
    <span className="grant-list">
      {grants.slice(0, most).map((one) => (
        <span key={one.id} className="grant-chip"><b>{roleName(one.role)}</b><PlaceName place={one.place} /></span>
      ))}
      {rest.length > 0 ? <Tooltip title={<>{rest.map((one) => <div key={one.id}>{words(one)}</div>)}</>}><span className="chip num" tabIndex={0}>+{rest.length}</span></Tooltip> : null}
    </span>
  );
}

export function CopyButton({ text, label, block = false }: { text: string; label?: string; block?: boolean }): ReactNode {
  const { t } = useTranslation();
  const [done, setDone] = useState(false);
  return (
    <Button icon={done ? <Check size={15} /> : <Copy size={15} />} block={block} onClick={() => {
      void navigator.clipboard.writeText(text).then(() => {
        setDone(true);
        setTimeout(() => setDone(false), 2000);
      });
    }}>{done ? t("access.copied") : (label ?? t("access.copy"))}</Button>
  );
}

/** Something that is shown this once: it closes only when its reader says that it is stored. */
export function SecretOnce({ title, lead, secret, note, close }: { title: string; lead: string; secret: string; note?: ReactNode; close: () => void }): ReactNode {
  const { t } = useTranslation();
  const [stored, setStored] = useState(false);
  return (
    <Modal open title={title} closable={false} keyboard={false} mask={{ closable: false }} width={520} onOk={close} okText={t("access.done")}
      okButtonProps={{ disabled: !stored }} cancelButtonProps={{ style: { display: "none" } }}>
      <div className="secret-once">
        <Alert type="warning" showIcon title={lead} />
        <code className="secret-text" data-testid="secret">{secret}</code>
        <CopyButton text={secret} block />
        {note}
        <Checkbox checked={stored} onChange={(event) => setStored(event.target.checked)}>{t("access.stored")}</Checkbox>
      </div>
    </Modal>
  );
}

export function SubjectName({ account, label, program }: { account: string; label?: string | null; program: boolean }): ReactNode {
  const Icon = program ? KeyRound : UserRound;
  return <span className="place-name"><Icon size={13} aria-hidden />{label || account}</span>;
}
