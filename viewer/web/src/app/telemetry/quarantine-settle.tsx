/** Putting refused readings in again, or aside. All that a filter finds is done in the server's pieces, until nothing is left to do. */
import { Alert, App, Button, DatePicker, Modal } from "antd";
import { useQueryClient } from "@tanstack/react-query";
import { RotateCcw, Trash2 } from "lucide-react";
import dayjs from "dayjs";
import { useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { post, type Query } from "../../api/client";
import type { components } from "../../api/schema.gen";
import { formatNumber } from "../lib/format";
import { readAgain } from "../lib/read-again";
import { useErrorText } from "../parts";
import { useWrite } from "../queries";
import { PointField } from "./fields";
import { useReason } from "./quarantine-table";

export type Target = { ids: number[] } | { filter: Query };
type Replayed = components["schemas"]["Replayed"];

const AT_ONCE = 10_000; // readings that one request settles, the oldest first
const TOUCHED = ["quarantine", "points", "sources"] as const;

interface Progress {
  accepted: number;
  duplicate: number;
  rejected: number;
  items: Replayed["items"];
  /** The oldest that a filter finds were refused once more: what is newer was not tried. */
  stuck: boolean;
}

export function ReplayButton({ target, done }: { target: Target; done: () => void }): ReactNode {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const count = "ids" in target ? target.ids.length : 0;
  return (
    <>
      <Button type="primary" icon={<RotateCcw size={15} aria-hidden />} onClick={() => setOpen(true)}>{count > 0 ? t("telemetry.quarantine.replayCount", { count }) : t("telemetry.quarantine.replayAll")}</Button>
      {open ? <Replay target={target} close={(any) => {
        setOpen(false);
        if (any) done();
      }} /> : null}
    </>
  );
}

function Replay({ target, close }: { target: Target; close: (any: boolean) => void }): ReactNode {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const text = useErrorText();
  const [point, setPoint] = useState<string | null>(null);
  const [ts, setTs] = useState<dayjs.Dayjs | null>(null);
  const [progress, setProgress] = useState<Progress | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const stopped = useRef(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    stopped.current = false;
    let sum: Progress = { accepted: 0, duplicate: 0, rejected: 0, items: [], stuck: false };
    try {
      for (;;) {
        const done = await post<Replayed>("/quarantine/replay", { ...target, ...(point ? { point } : {}), ...(ts ? { ts: ts.toISOString() } : {}) });
        const full = "filter" in target && done.chosen >= AT_ONCE;
        sum = { accepted: sum.accepted + done.accepted, duplicate: sum.duplicate + done.duplicate, rejected: done.rejected, items: done.items, stuck: full && done.rejected >= AT_ONCE };
        setProgress(sum);
        if (!full || sum.stuck || stopped.current) break;
      }
    } catch (problem) {
      setError(problem);
    }
    await readAgain(client, TOUCHED);
    setBusy(false);
  };
  const single = "ids" in target && target.ids.length === 1;
  const over = progress !== null && !busy;
  return (
    <Modal open title={t("telemetry.quarantine.replay")} onCancel={() => {
      stopped.current = true;
      close(progress !== null);
    }} destroyOnHidden footer={over ? <Button type="primary" onClick={() => close(true)}>{t("action.close")}</Button> : (
      <><Button onClick={() => {
        stopped.current = true;
        if (!busy) close(false);
      }}>{t("action.cancel")}</Button><Button type="primary" loading={busy} onClick={() => void run()}>{t("telemetry.quarantine.replay")}</Button></>
    )}>
      {progress ? <Outcome of={progress} busy={busy} language={i18n.language} /> : (
        <>
          <p className="muted modal-lead">{"ids" in target ? t("telemetry.quarantine.replayTheseHint", { count: target.ids.length }) : t("telemetry.quarantine.replayAllHint")}</p>
          <div className="modal-field"><label htmlFor="replay-point">{t("telemetry.quarantine.otherPoint")}</label><PointField id="replay-point" value={point} onChange={(next) => setPoint(typeof next === "string" ? next : null)} /></div>
          {single ? <div className="modal-field"><label htmlFor="replay-ts">{t("telemetry.quarantine.otherTime")}</label><DatePicker id="replay-ts" showTime value={ts} onChange={(next) => setTs(next)} className="full" maxDate={dayjs()} /></div> : null}
        </>
      )}
      {error ? <Alert type="error" showIcon role="alert" title={text(error)} /> : null}
    </Modal>
  );
}

function Outcome({ of, busy, language }: { of: Progress; busy: boolean; language: string }): ReactNode {
  const { t } = useTranslation();
  const reason = useReason();
  const n = (value: number): string => formatNumber(value, language);
  const codes = [...new Set(of.items.map((one) => one.code))];
  return (
    <div className="quarantine-outcome" aria-live="polite">
      <Alert type={busy ? "info" : of.rejected > 0 ? "warning" : "success"} showIcon title={t("telemetry.quarantine.replayed", { accepted: n(of.accepted), duplicate: n(of.duplicate), rejected: n(of.rejected) })} />
      {of.stuck ? <p>{t("telemetry.quarantine.stuck")}</p> : null}
      {codes.length > 0 ? <ul>{codes.slice(0, 5).map((code) => <li key={code}><b>{reason(code)}</b><small className="muted">{of.items.find((one) => one.code === code)?.message}</small></li>)}</ul> : null}
    </div>
  );
}

export function Dismiss({ target, done }: { target: Target; done: () => void }): ReactNode {
  const { t } = useTranslation();
  const { modal, message } = App.useApp();
  const count = "ids" in target ? target.ids.length : 0;
  const dismiss = useWrite(async () => {
    let all = 0;
    for (;;) {
      const { dismissed } = await post<{ dismissed: number }>("/quarantine/dismiss", target);
      all += dismissed;
      if ("ids" in target || dismissed < AT_ONCE) return all;
    }
  }, ["quarantine"], (all) => {
    void message.success(t("telemetry.quarantine.dismissed", { count: all }));
    done();
  });
  return (
    <Button icon={<Trash2 size={15} aria-hidden />} loading={dismiss.isPending} onClick={() => void modal.confirm({
      title: count > 0 ? t("telemetry.quarantine.dismissSure", { count }) : t("telemetry.quarantine.dismissAllSure"), content: t("telemetry.quarantine.dismissHint"), okText: t("telemetry.quarantine.dismiss"), cancelText: t("action.cancel"), okButtonProps: { danger: true },
      onOk: () => dismiss.mutateAsync(undefined).catch(() => undefined),
    })}>{count > 0 ? t("telemetry.quarantine.dismissCount", { count }) : t("telemetry.quarantine.dismissAll")}</Button>
  );
}
