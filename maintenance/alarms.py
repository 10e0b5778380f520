"""The alarm engine: accepted readings in, alarms in the database out.

Telemetry calls the engine with every batch after its commit. The call only sifts (`RuleTable`) and puts what may
move into a backlog; the engine's own loop writes it, one transaction for state, history, event and, where the rule
asks for one, the work order. In each transaction the state is read again under a lock, so that acknowledgements
from elsewhere and other servers are respected; what the engine holds in memory only serves to reject quickly.

Nothing is missed: at start, after every change of a rule and after a failure, all rules run once against `latest`.
Timers are rows, so a restart in the middle of an on-delay fires at the same event time.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import psycopg
import structlog

from identity import SYSTEM
from maintenance import alarm_store, orders
from maintenance.alarm_state import Change, Quality, Reading, State, abandon, advance, observe
from maintenance.alarm_table import AcceptedBatch, PointRule, RuleTable
from twin.db import Conn, Database, rows
from twin.errors import Unavailable
from twin.settings import Settings

log = structlog.get_logger()

LOOK_EVERY_S: Final = 5.0  # for shelvings that end; on-delays are awaited exactly
RETRY_AFTER_S: Final = 1.0
CHUNK: Final = 200  # rules per transaction: a flood must not hold one for seconds
BACKLOG_LIMIT: Final = 200_000  # readings; beyond it only the latest of each point counts


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Backlog:
    """Readings of one rule that are not yet written, in event order. None of them: let time pass."""

    before: datetime | None  # event time of the newest reading before them
    readings: list[Reading] = field(default_factory=list)


class AlarmEngine:
    """Runs all alarm rules. `run` lives as long as the server; calling the engine hands it a committed batch.

    There is one event loop and no lock: whatever happens between two awaits happens at once.
    """

    def __init__(self, db: Database, settings: Settings, clock: Callable[[], datetime] = utc_now) -> None:
        self._db = db
        self._language = settings.language
        self._clock = clock
        self._table = RuleTable()
        self._backlog: dict[UUID, _Backlog] = {}
        self._size = 0  # readings in the backlog
        self._writing: frozenset[UUID] = frozenset()  # rules whose new state the table does not know yet
        self._held: list[AcceptedBatch] | None = []  # batches that wait for the rules to be loaded
        self._reload = True
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self.evaluations = 0  # readings × rules, since the start

    async def __call__(self, batch: AcceptedBatch) -> None:
        """Take a batch that has been committed. Never waits for the database."""
        if self._held is not None:
            self._held.append(batch)
            return
        try:
            self._sift(batch)
        except Exception:
            self.rules_changed()  # whatever it was: look at `latest` again
            raise

    def rules_changed(self) -> None:
        """Load all rules again. The engine hears of changes by itself (NOTIFY twin_alarm_rule); this is sooner."""
        self._reload = True
        self.poke()

    def poke(self) -> None:
        """Look at the clock and the backlog now."""
        self._idle.clear()
        self._wake.set()

    async def settle(self) -> None:
        """Wait until everything handed over so far has been evaluated and written."""
        self.poke()
        await self._idle.wait()

    async def run(self) -> None:
        """Evaluate until cancelled. Survives a database that goes away."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            while True:
                try:
                    await self._turn()
                except (psycopg.Error, Unavailable) as error:
                    log.warning("alarm engine waits for the database", error=str(error).strip())
                    self._reload = True
                    await asyncio.sleep(RETRY_AFTER_S)
                    continue
                await self._pause()

    async def _turn(self) -> None:
        """Do everything there is to do now."""
        self._wake.clear()
        await self._write_backlog()
        if self._reload:
            self._reload = False
            await self._load()
        await self._let_time_pass()
        await self._write_backlog()

    async def _pause(self) -> None:
        if self._wake.is_set():
            return
        self._idle.set()
        due = self._table.next_due()
        wait = LOOK_EVERY_S if due is None else (due - self._clock()).total_seconds()
        with contextlib.suppress(TimeoutError):
            # Not wait_for: before Python 3.12 it swallows a cancellation that meets the wake-up.
            async with asyncio.timeout(min(max(wait, 0.0), LOOK_EVERY_S)):
                await self._wake.wait()
        self._idle.clear()

    async def _listen(self) -> None:
        """Load the rules again whenever somebody has committed a change to one."""
        while True:
            try:
                async with self._db.listener() as conn:
                    await conn.execute("LISTEN twin_alarm_rule")
                    self.rules_changed()
                    async for _ in conn.notifies():
                        self.rules_changed()
            except (psycopg.Error, Unavailable) as error:
                log.warning("alarm engine cannot listen for rules", error=str(error).strip())
            await asyncio.sleep(RETRY_AFTER_S)

    # -- sifting: no await in here -------------------------------------------------------------------------

    def _sift(self, batch: AcceptedBatch) -> None:
        table = self._table
        for row, before, readings in table.sift(batch):
            rule_id = table.rules[row].id
            waiting = self._backlog.get(rule_id)
            if waiting is not None:
                waiting.readings += readings
            elif rule_id in self._writing or table.moves(row, before, readings):
                self._put(row, before, readings)
            else:
                continue
            self._size += len(readings)
        self.evaluations = table.evaluations
        if self._size > BACKLOG_LIMIT:
            log.error("alarm engine cannot keep up: only the latest reading of each point counts", readings=self._size)
            self._backlog.clear()
            self._size = 0
            self._reload = True
        if self._backlog or self._reload:
            self.poke()

    def _put(self, row: int, before: datetime | None, readings: list[Reading]) -> None:
        self._backlog[self._table.rules[row].id] = _Backlog(before, readings)
        self._table.mark_busy(row)

    async def _let_time_pass(self) -> None:
        now = self._clock()
        for row in self._table.due(now):
            if self._table.rules[row].id not in self._backlog:
                self._put(row, self._table.seen_at(row), [])
        async with self._db.connection() as conn:
            ended = await rows(
                conn, "SELECT rule_id FROM alarm WHERE closed_at IS NULL AND shelved_until <= %s", (now,)
            )
        for each in ended:
            known = self._table.row_of.get(each["rule_id"])
            before = None if known is None else self._table.seen_at(known)
            self._backlog.setdefault(each["rule_id"], _Backlog(before))

    # -- loading -------------------------------------------------------------------------------------------

    async def _load(self) -> None:
        """Take over all rules as they are now and run each once against the latest reading of its point.

        Batches that come in meanwhile are held and sifted by the new table: those already in `latest` are late.
        """
        self._held = []
        async with self._db.transaction() as conn:
            tracked = await alarm_store.load_tracked(conn)
        table = RuleTable([PointRule(t.rule_id, t.handle, t.threshold) for t in tracked if t.live])
        table.evaluations = self._table.evaluations
        self._table = table
        for each in tracked:
            readings = _latest(each)
            if (row := table.row_of.get(each.rule_id)) is None:  # disabled or deleted, but its alarm is still active
                self._backlog[each.rule_id] = _Backlog(None)
                continue
            table.set(row, each.state)
            if table.moves(row, None, readings):
                self._put(row, None, readings)
            if each.latest is not None:
                table.saw(row, each.latest[0])
        held, self._held = self._held, None
        for batch in held:
            self._sift(batch)

    # -- writing -------------------------------------------------------------------------------------------

    async def _write_backlog(self) -> None:
        while self._backlog:
            ids = list(self._backlog)[:CHUNK]
            if not await self._write_some(ids) and len(ids) > 1:
                for rule_id in ids:  # find the one that fails, save the others
                    await self._write_some([rule_id])

    async def _write_some(self, ids: list[UUID]) -> bool:
        """Write the backlog of these rules. False when it cannot be; a single one is then given up, loudly."""
        chunk = {rule_id: self._backlog.pop(rule_id) for rule_id in ids if rule_id in self._backlog}
        self._size -= sum(len(waiting.readings) for waiting in chunk.values())
        self._writing = frozenset(chunk)
        try:
            await self._write(chunk)
        except (psycopg.OperationalError, psycopg.InterfaceError, Unavailable):
            self._give_back(chunk)
            raise
        except Exception:
            log.exception("alarm rules could not be run", rules=len(chunk), first=str(ids[0]))
            if len(chunk) > 1:
                self._give_back(chunk)
            return False
        finally:
            self._writing = frozenset()
        return True

    def _give_back(self, chunk: dict[UUID, _Backlog]) -> None:
        """What could not be written waits again, before what has come in since."""
        for rule_id, waiting in chunk.items():
            self._size += len(waiting.readings)
            newer = self._backlog.get(rule_id)
            if newer is not None:
                waiting.readings += newer.readings
            self._backlog[rule_id] = waiting

    async def _write(self, chunk: dict[UUID, _Backlog]) -> None:
        now = self._clock()
        outcome: dict[UUID, State] = {}
        async with self._db.transaction() as conn:
            told: dict[UUID, list[str]] = {}
            for tracked in await alarm_store.lock_tracked(conn, list(chunk)):
                state, changes = _run(tracked, chunk[tracked.rule_id], now)
                happened = await alarm_store.write_outcome(conn, tracked, state, changes, now, self._language)
                await self._order(conn, tracked, happened, now)
                told |= happened
                outcome[tracked.rule_id] = state
            if told:
                await alarm_store.announce(conn, told)
        for rule_id, state in outcome.items():
            if (row := self._table.row_of.get(rule_id)) is not None:
                self._table.set(row, state, busy=rule_id in self._backlog)

    async def _order(
        self, conn: Conn, tracked: alarm_store.Tracked, happened: dict[UUID, list[str]], now: datetime
    ) -> None:
        """Make the work order that the rule asks for (7.7.1a-1)."""
        if not tracked.work_order:
            return
        for alarm_id, kinds in happened.items():
            if {"raised", "again"} & set(kinds) and await orders.needs_order(conn, alarm_id):
                await orders.order_from_alarm(conn, SYSTEM, alarm_id, now=now, crew=tracked.crew)


def _latest(tracked: alarm_store.Tracked) -> list[Reading]:
    if tracked.latest is None:
        return []
    ts, value, quality = tracked.latest
    return [Reading(ts, 0.0, max(quality, Quality.BAD)) if value is None else Reading(ts, value, quality)]


def _run(tracked: alarm_store.Tracked, waiting: _Backlog, now: datetime) -> tuple[State, Sequence[Change]]:
    """The state machine over everything that waits, then until now."""
    state = State(tracked.state.timer, tracked.state.alarm, waiting.before)
    if not tracked.live:
        state, changes = abandon(state, now)
    else:
        changes = []
        for reading in waiting.readings:
            state, more = observe(tracked.threshold, state, reading)
            changes += more
    state, more = advance(tracked.threshold, state, now)
    return state, changes + more
