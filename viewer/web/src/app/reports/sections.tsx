/** The sections of a report as they are read and printed. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useBuilding } from "../context";
import { unitText } from "../lib/format";
import { useClassName } from "../lib/names";
import { SeverityTag } from "../parts";
import { Bars, LineCharts } from "./drawings";
import type { AlarmNumbers, LongAlarm, OrderCount, OrderNumbers, PointNumbers, Told, UseNumbers } from "./types";
import type { ReportWords } from "./words";

export type Tone = "ok" | "warn" | "bad" | "none";

export function Section({ told, words }: { told: Told; words: ReportWords }): ReactNode {
  const { t } = useTranslation();
  return (
    <section className={`rp-section rp-${told.kind}`}>
      {told.kind === "text" && !told.title ? null : <h2>{told.title ?? t(`reports.kind.${told.kind}`)}</h2>}
      {told.withheld ? <p className="muted">{t("reports.withheld")}</p> : <Body told={told} words={words} />}
    </section>
  );
}

function Body({ told, words }: { told: Exclude<Told, { withheld: true }>; words: ReportWords }): ReactNode {
  switch (told.kind) {
    case "text": return <>{told.text.split(/\n\s*\n/).map((part, i) => <p key={i} className="rp-text">{part}</p>)}</>;
    case "overview": return <OverviewFigures figures={told.figures} words={words} />;
    case "use": return <Uses media={told.media} words={words} />;
    case "chart": return <><LineCharts numbers={told} words={words} /><Gone points={told.gone} /></>;
    case "points": return <><PointTable points={told.points} words={words} /><Gone points={told.gone} /></>;
    case "alarms": return <Alarms numbers={told} words={words} />;
    case "orders": return <Orders numbers={told} words={words} />;
  }
}

function Gone({ points }: { points: string[] }): ReactNode {
  const { t } = useTranslation();
  return points.length > 0 ? <p className="muted">{t("reports.gone", { points: points.join(", ") })}</p> : null;
}

function Figures({ items }: { items: { name: string; value: ReactNode; note?: ReactNode; tone?: Tone }[] }): ReactNode {
  return (
    <dl className="rp-figures">
      {items.map((one) => (
        <div key={one.name} className={`tone-${one.tone ?? "none"}`}><dt>{one.name}</dt><dd className="num">{one.value}</dd>{one.note ? <dd className="rp-note">{one.note}</dd> : null}</div>
      ))}
    </dl>
  );
}

function OverviewFigures({ figures, words }: { figures: Extract<Told, { kind: "overview"; figures: unknown }>["figures"]; words: ReportWords }): ReactNode {
  const { t } = useTranslation();
  const { n } = words;
  const alarms = figures.alarms.reduce((sum, one) => sum + one.count, 0);
  const lifts = figures.safety.lifts.filter((lift) => lift.state === "fault").length;
  const { comfort } = figures;
  return (
    <>
      <p className="muted rp-when">{t("reports.overview.at")}</p>
      <Figures items={[
        { name: t("reports.overview.alarms"), value: n(alarms), tone: alarms > 0 ? "bad" : "ok" },
        { name: t("reports.overview.orders"), value: n(figures.orders_open), ...(figures.orders_overdue > 0 ? { note: t("reports.overview.overdue", { count: figures.orders_overdue }), tone: "bad" } : {}) },
        { name: t("reports.overview.comfort"), value: comfort.rooms > 0 ? words.percent(comfort.comfortable / comfort.rooms) : "–", note: t("reports.overview.rooms", { count: comfort.rooms }) },
        { name: t("reports.overview.points"), value: `${n(figures.points_online)} / ${n(figures.points)}` },
        ...(figures.power === null ? [] : [{ name: t("reports.overview.power"), value: words.value(figures.power, "KiloW") }]),
        { name: t("reports.overview.fire"), value: n(figures.safety.fire.alarms), tone: figures.safety.fire.alarms > 0 ? "bad" as const : "none" as const },
        ...(figures.safety.lifts.length > 0 ? [{ name: t("reports.overview.lifts"), value: n(lifts), tone: lifts > 0 ? "bad" as const : "none" as const }] : []),
        ...(figures.area === null ? [] : [{ name: t("reports.overview.area"), value: words.value(Math.round(figures.area), "M2") }]),
      ]} />
    </>
  );
}

// Energy and water

const STATE_TONE = { within: "ok", near: "warn", over: "bad" } as const;

function Uses({ media, words }: { media: UseNumbers[]; words: ReportWords }): ReactNode {
  const { t } = useTranslation();
  if (media.length === 0) return <p className="muted">{t("reports.use.none")}</p>;
  return <>{media.map((use) => <Medium key={use.medium} use={use} words={words} />)}</>;
}

function Medium({ use, words }: { use: UseNumbers; words: ReportWords }): ReactNode {
  const { t } = useTranslation();
  const amount = (value: number | null): string => (value === null ? t("reports.use.unknown") : words.amount(value, use.unit));
  const beside = (value: number | null): string | undefined => (value && use.used.amount !== null ? signed(words, use.used.amount / value - 1) : undefined);
  return (
    <div className="rp-medium">
      <h3>{t(`overview.use.${use.medium}`)}</h3>
      <Figures items={[
        { name: t("reports.use.used"), value: amount(use.used.amount), note: use.used.since ? t("reports.use.since", { when: words.time(use.used.since) }) : use.used.amount !== null && !use.used.complete ? t("reports.use.incomplete") : undefined },
        { name: t("reports.use.before"), value: amount(use.before), note: beside(use.before) },
        { name: t("reports.use.yearBefore"), value: amount(use.year_before), note: beside(use.year_before) },
        ...(use.quota === null ? [] : [{ name: t("reports.use.quota"), value: amount(use.quota), tone: use.state ? STATE_TONE[use.state] : ("none" as const), note: use.state ? t(`reports.use.${use.state}`) : undefined }]),
      ]} />
      <Bars use={use} words={words} />
      {use.storeys.length > 0 ? (
        <Counted title={t("reports.use.byStorey")} storeys items={use.storeys.toSorted((a, b) => b.amount - a.amount).map((one) => ({ name: one.name, count: one.amount }))} n={(value) => words.amount(value, use.unit)} />
      ) : null}
    </div>
  );
}

/** How much more or less, beside what it is compared with. */
function signed(words: ReportWords, share: number): string {
  return `${share > 0 ? "+" : share < 0 ? "−" : "±"}${words.percent(Math.abs(share))}`;
}

/** The first column is the name of the row. */
function Table({ head, rows, wide = false }: { head: string[]; rows: ReactNode[][]; wide?: boolean }): ReactNode {
  return (
    <div className="rp-scroll" tabIndex={0} role="group" aria-label={head[0] ?? ""}>
      <table className={`rp-table${wide ? " is-wide" : ""}`}>
        <thead><tr>{head.map((one) => <th key={one} scope="col">{one}</th>)}</tr></thead>
        <tbody>{rows.map((cells, i) => <tr key={i}>{cells.map((cell, at) => (at === 0 ? <th key={at} scope="row">{cell}</th> : <td key={at}>{cell}</td>))}</tr>)}</tbody>
      </table>
    </div>
  );
}

function PointTable({ points, words }: { points: PointNumbers[]; words: ReportWords }): ReactNode {
  const { t } = useTranslation();
  const rows = points.map((one) => {
    const value = (number: number | null): string => (number === null ? "–" : one.kind === "bool" ? words.percent(number) : words.value(number, null));
    const limits = one.limits === null ? t("reports.points.noLimits") : `${one.low === null ? "…" : words.value(one.low, null)} – ${one.high === null ? "…" : words.value(one.high, null)}`;
    return [
      <span key="name" className="rp-point"><b>{one.name}</b><small>{[unitText(one.unit), one.place, one.count > 0 ? t("reports.points.count", { count: one.count }) : t("reports.points.none")].filter(Boolean).join(" · ")}</small></span>,
      value(one.mean), value(one.min), value(one.max),
      <span key="limits" title={one.limits === "rules" ? t("reports.points.byRules") : undefined}>{limits}</span>,
      one.within === null ? "–" : <b key="within" className={`tone-text-${one.within >= 0.99 ? "ok" : one.within >= 0.9 ? "warn" : "bad"}`}>{words.percent(one.within)}</b>,
      words.percent(one.covered),
      one.gaps === 0 ? "0" : <span key="gaps" className="rp-gaps">{one.gaps}<small>{t("reports.points.longest", { long: words.long(one.longest_gap) })}</small>{one.longest_gap_from ? <small>{t("reports.points.from", { when: words.time(one.longest_gap_from) })}</small> : null}</span>,
    ];
  });
  const cut = points.find((one) => one.raw_from !== null)?.raw_from;
  const names = (["point", "mean", "min", "max", "limits", "within", "known", "gaps"] as const).map((name) => t(`reports.points.${name}`));
  return <>{<Table wide head={names} rows={rows} />}{cut ? <p className="muted">{t("reports.points.rawFrom", { when: words.time(cut) })}</p> : null}</>;
}

// Alarms and orders

function share(part: number, of: number): number | null {
  return of > 0 ? part / of : null;
}

const toneOf = (value: number | null, good: number, fair: number): Tone => (value === null ? "none" : value >= good ? "ok" : value >= fair ? "warn" : "bad");

function Alarms({ numbers, words }: { numbers: AlarmNumbers; words: ReportWords }): ReactNode {
  const { t } = useTranslation();
  const className = useClassName();
  const { n } = words;
  if (numbers.raised === 0 && numbers.open === 0) return <p className="muted">{t("reports.alarms.none")}</p>;
  const timely = share(numbers.timely, numbers.timely + numbers.late);
  return (
    <>
      <Figures items={[
        { name: t("reports.alarms.raised"), value: n(numbers.raised) },
        { name: t("reports.alarms.timely"), value: timely === null ? "–" : words.percent(timely), note: t("reports.alarms.ofThem", { long: words.long(numbers.ack_within ?? 600) }), tone: toneOf(timely, 0.95, 0.8) },
        { name: t("reports.alarms.mean"), value: numbers.seconds_to_acknowledge === null ? "–" : words.long(numbers.seconds_to_acknowledge) },
        { name: t("reports.alarms.open"), value: n(numbers.open), tone: numbers.open > 0 ? "bad" : "ok" },
      ]} />
      <Table head={[t("reports.alarms.severity"), t("reports.alarms.raised"), t("reports.alarms.timely"), t("reports.alarms.late"), t("reports.alarms.open")]}
        rows={numbers.severities.map((one) => [<SeverityTag key="s" severity={one.severity} />, n(one.raised), n(one.timely), n(one.late), n(one.open)])} />
      <div className="rp-pair">
        <Counted title={t("reports.alarms.byRule")} items={numbers.rules.map((one) => ({ name: one.name, count: one.count }))} n={n} />
        <Counted title={t("reports.alarms.byClass")} items={numbers.classes.map((one) => ({ name: one.name ? className(one.name) : t("reports.alarms.noElement"), count: one.count }))} n={n} />
      </div>
      <LongList title={t("reports.alarms.standing")} items={numbers.standing} held words={words} />
      <LongList title={t("reports.alarms.longest")} items={numbers.longest} words={words} />
    </>
  );
}

function Counted({ title, items, n, storeys = false }: { title: string; items: { name: string; count: number }[]; n: (value: number) => string; storeys?: boolean }): ReactNode {
  const most = Math.max(Number.MIN_VALUE, ...items.map((one) => one.count));
  if (items.length === 0) return null;
  return (
    <div>
      <h3>{title}</h3>
      <ol className={`rp-counted${storeys ? " is-storeys" : ""}`}>{items.map((one, i) => <li key={i}><span>{one.name}</span><b className="num">{n(one.count)}</b><i aria-hidden style={{ width: `${(100 * one.count) / most}%` }} /></li>)}</ol>
    </div>
  );
}

function LongList({ title, items, held = false, words }: { title: string; items: LongAlarm[]; held?: boolean; words: ReportWords }): ReactNode {
  const { t } = useTranslation();
  if (items.length === 0) return null;
  return (
    <div>
      <h3>{title}</h3>
      <Table head={[t("alarm.title"), t("reports.alarms.raised"), t(held ? "reports.alarms.held" : "reports.alarms.lasting")]} rows={items.map((one) => [
        <span key="m" className="rp-point"><span className="rp-alarm"><SeverityTag severity={one.severity} compact /><b>{one.message}</b></span><small>{[one.element, one.storey, one.open && !held ? t("reports.alarms.stillOpen") : null].filter(Boolean).join(" · ")}</small></span>,
        words.time(one.raised_at), words.long(one.seconds),
      ])} />
    </div>
  );
}

function Orders({ numbers, words }: { numbers: OrderNumbers; words: ReportWords }): ReactNode {
  const { t, i18n } = useTranslation();
  const { building } = useBuilding();
  const { n } = words;
  if (numbers.created + numbers.done + numbers.open + numbers.cancelled === 0) return <p className="muted">{t("reports.orders.none")}</p>;
  const timely = share(numbers.timely, numbers.timed);
  const stars = numbers.stars === null ? null : new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 }).format(numbers.stars);
  return (
    <>
      <Figures items={[
        { name: t("reports.orders.created"), value: n(numbers.created) },
        { name: t("reports.orders.done"), value: n(numbers.done) },
        { name: t("reports.orders.timely"), value: timely === null ? "–" : words.percent(timely), tone: toneOf(timely, 0.9, 0.75) },
        { name: t("reports.orders.mean"), value: numbers.seconds_to_done === null ? "–" : words.long(numbers.seconds_to_done) },
        { name: t("reports.orders.open"), value: n(numbers.open), ...(numbers.overdue > 0 ? { note: t("reports.overview.overdue", { count: numbers.overdue }), tone: "bad" as const } : {}) },
        ...(stars === null ? [] : [{ name: t("reports.orders.stars"), value: stars, note: t("reports.orders.starsOf", { stars, count: numbers.ratings }) }]),
      ]} />
      <OrderTable name={t("reports.orders.priority")} counts={numbers.priorities} word={(one) => t(`priority.${one as "low"}`)} words={words} />
      <OrderTable name={t("reports.orders.origin")} counts={numbers.origins} word={(one) => t(`reports.orders.from.${one as "plan"}`)} words={words} />
      {numbers.oldest.length > 0 ? (
        <div>
          <h3>{t("reports.orders.oldest")}</h3>
          <Table head={[t("nav.orders"), t("reports.orders.created"), t("reports.orders.due")]} rows={numbers.oldest.map((one) => [
            <Link key="t" to={`/b/${building.id}/orders/${one.id}`}>{`${one.number} ${one.title}`}</Link>,
            words.time(one.created_at),
            one.due_at ? <span key="d" className={one.overdue ? "tone-text-bad" : ""}>{words.time(one.due_at)}</span> : t("reports.orders.noDue"),
          ])} />
        </div>
      ) : null}
    </>
  );
}

function OrderTable({ name, counts, word, words }: { name: string; counts: OrderCount[]; word: (name: string) => string; words: ReportWords }): ReactNode {
  const { t } = useTranslation();
  const { n } = words;
  const head = [name, ...(["created", "done", "timely", "open", "overdue"] as const).map((one) => t(`reports.orders.${one}`))];
  return <Table head={head} rows={counts.map((one) => [word(one.name), n(one.created), n(one.done), one.timed > 0 ? `${n(one.timely)} / ${n(one.timed)}` : "–", n(one.open), n(one.overdue)])} />;
}
