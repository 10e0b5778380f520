"""Ingest: every reading goes in here, whatever brought it, and is answered after the commit.

Submissions wait in one bounded line. One task takes all that is waiting (at most `MAX_ROWS`), stores it in one
transaction, answers, and hands the newly stored readings to the sinks: when nobody else is in line a submission
waits for nothing, and under load many share a commit. A full line is answered `ingest.busy`; a database that is
away `ingest.unavailable`: what was not acknowledged may be sent again, the same reading is then a duplicate.

History (files, replays) waits in a line of its own and yields: it is stored when no live data waits, and once after
`LIVE_TURNS` batches of that, so that years of it hold nobody up and come in all the same. Of it the sinks are told
only what is now the newest reading of its point.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

import numpy as np
import psycopg
import structlog
from numpy.typing import NDArray

from identity.access import limited_to
from identity.actor import Actor, Scope
from telemetry.decode import Columns, RawReading, columns_of, decode_body
from telemetry.registry import PointInfo, PointRegistry
from telemetry.rollups import mark_late
from telemetry.sources import SourceKind, SourceRef, ensure_source
from telemetry.store import (
    ACCEPTED,
    Readings,
    count_sources,
    newest_of,
    write_readings,
    write_refusals,
)
from telemetry.submission import Job, Outcome, Receipt, Settled, Together, counts_of, fail, joined, settle
from telemetry.validate import judge
from twin.db import Database, rows
from twin.errors import Invalid, Language, Unavailable
from twin.events import Event
from twin.settings import Settings

log = structlog.get_logger()

MAX_ROWS: Final = 20_000  # readings of one transaction: about 0.1 s of PostgreSQL's time
MAX_WAITING: Final = 200_000  # readings in line; about 10 MB
MAX_BATCHES: Final = 8  # stored batches that sinks may be behind before ingest waits for them
SINKS_END_S: Final = 10.0  # how long the end waits for the sinks: one that hangs must not hold up the server
ALLOWED_S: Final = 2.0  # for so long a limited sender's points are remembered
LIVE_TURNS: Final = 4  # batches of live data before a piece of history has its turn
DISK_FULL: Final = psycopg.errors.DiskFull
TRIES: Final = 3  # of a transaction that lost a deadlock to another server


@dataclass(frozen=True, slots=True)
class AcceptedBatch:
    """Newly stored readings, sorted by point and time, as columns of the same length n."""

    handles: NDArray[np.int64]  # (n,)
    ts: NDArray[np.int64]  # (n,) µs since 1970 UTC
    num: NDArray[np.float64]  # (n,) bools as 0 and 1, enums as their code; NaN: a text
    quality: NDArray[np.uint8]  # (n,) 0 good, 1 uncertain, 2 bad, 3 stale
    txt: NDArray[np.object_] | None  # (n,) None: there is no text among them
    points: dict[int, PointInfo]  # those of `handles`

    def __len__(self) -> int:
        return len(self.handles)

    def newest(self) -> Iterator[tuple[int, int, float | str, int]]:
        """`(handle, µs since 1970, value, quality)` of the newest reading of each point."""
        last = np.flatnonzero(np.append(self.handles[1:] != self.handles[:-1], True))
        values: list[float | str] = self.num[last].tolist()
        if self.txt is not None:
            values = [v if t is None else t for v, t in zip(values, self.txt[last].tolist(), strict=True)]
        columns = (self.handles[last].tolist(), self.ts[last].tolist(), values, self.quality[last].tolist())
        yield from zip(*columns, strict=True)


Sink = Callable[[AcceptedBatch], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Sender:
    """Which points a limited sender may write to, as far as it has been asked; `until`: monotonic seconds."""

    scope: Scope
    until: float
    handles: set[int]


class Ingest:
    """The one way in for readings. `async with Ingest(db, settings, sinks) as ingest: await ingest.submit(…)`.

    Leaving the block stores what is in line and lets the sinks finish.
    """

    def __init__(
        self, db: Database, settings: Settings, sinks: Iterable[Sink] = (), *, clock: Callable[[], float] = time.time
    ) -> None:
        self._db = db
        self._limit = settings.readings_limit
        self._ahead_us = int(settings.reading_ahead.total_seconds() * 1e6)
        self._clock = clock
        self.sinks: list[Sink] = list(sinks)
        self.trouble: str | None = None  # why the last batch could not be stored; None: it could
        self.registry = PointRegistry()
        self._sources: dict[str, SourceRef] = {}
        self._senders: dict[str, _Sender] = {}
        self._line: deque[Job] = deque()
        self._history: deque[Job] = deque()
        self._turns = 0  # batches of live data since history had its turn
        self._waiting = 0
        self._wake = asyncio.Event()
        self._closing = False
        self._batches: asyncio.Queue[AcceptedBatch] = asyncio.Queue(MAX_BATCHES)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._closing = False
        self._tasks = [
            asyncio.create_task(self._store_forever(), name="ingest-store"),
            asyncio.create_task(self._feed_forever(), name="ingest-sinks"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        self._wake.set()
        storing, feeding = self._tasks
        await storing
        try:
            await asyncio.wait_for(self._batches.join(), SINKS_END_S)
        except TimeoutError:
            log.warning("ingest.sinks_slow", batches=self._batches.qsize())  # made up from the database, as below
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)

    @property
    def is_open(self) -> bool:
        """Whether somebody stores what is put in line here."""
        return bool(self._tasks) and not self._closing

    async def source(self, name: str, kind: SourceKind = "http") -> SourceRef:
        """The source of this name, made at its first reading."""
        known = self._sources.get(name)
        if known is None:
            async with self._db.transaction() as conn:
                known = await ensure_source(conn, name, kind)
            self._sources[name] = known
        return known

    async def on_events(self, events: Sequence[Event]) -> None:
        """Forget points that changed. `api` calls it with every lot of events."""
        if any(event.topic in ("point", "model") for event in events):
            self._senders.clear()
        for event in events:
            if event.topic == "point":
                handle = event.data.get("handle")
                if isinstance(handle, int):
                    self.registry.forget(handle)
                else:
                    self.registry.clear()

    async def submit(self, source: SourceRef, readings: Sequence[RawReading], *, lang: Language = "en") -> Receipt:
        """Store readings; returns after the commit. Raises Invalid for a naive time, Unavailable: send again later."""
        for i, reading in enumerate(readings):
            if reading.ts.tzinfo is None:
                raise Invalid("reading.naive_time", where=f"readings.{i}.ts", ts=str(reading.ts))
        return await self._submit(source, columns_of(readings), lang)

    async def submit_body(
        self, source: SourceRef, body: bytes, *, lang: Language = "en", sender: Actor | None = None
    ) -> Receipt:
        """Store the readings of a `POST /readings` body. Raises also Invalid and TooLarge, for the body as a whole.

        To a `sender` whose grants are limited, points elsewhere are as unknown as those that do not exist.
        """
        return await self._submit(source, decode_body(body, self._limit), lang, sender=sender)

    async def submit_columns(
        self,
        source: SourceRef,
        columns: Columns,
        *,
        lang: Language = "en",
        live: bool = True,
        sender: Actor | None = None,
        building: UUID | None = None,
        again: bool = False,
        computed: bool = False,
        together: Together | None = None,
    ) -> Receipt:
        """Store readings that were decoded elsewhere; what was refused there goes into quarantine with them.

        To a `sender` whose grants are limited, or with a `building`, points elsewhere are unknown. Not `live`: history.
        `again`: they come out of quarantine, where what is refused stays as it is. `computed`: of derived points.
        """
        job = await self._judged(source, columns, lang, live=live, sender=sender, building=building, computed=computed)
        job.again, job.together = again, together
        return await self._wait(job)

    async def submit_arrays(
        self,
        source: SourceRef,
        keys: list[str],
        ts: NDArray[np.int64],
        values: NDArray[np.float64],
        *,
        live: bool = True,
    ) -> Receipt:
        """Store good numbers: keys, µs since 1970 UTC and values of the same length, at most `MAX_ROWS`.

        Not `live`: history, whose age says nothing about the source's clock.
        """
        columns = Columns(np.arange(len(keys)), keys, ts, values.tolist(), np.zeros(len(keys), np.uint8))
        return await self._wait(await self._judged(source, columns, "en", live=live))

    async def _submit(
        self, source: SourceRef, columns: Columns, lang: Language, *, sender: Actor | None = None
    ) -> Receipt:
        if not columns.keys and not columns.refused:
            return Receipt(0, 0, [])
        return await self._wait(await self._judged(source, columns, lang, sender=sender))

    async def _judged(
        self,
        source: SourceRef,
        columns: Columns,
        lang: Language,
        *,
        live: bool = True,
        sender: Actor | None = None,
        building: UUID | None = None,
        computed: bool = False,
    ) -> Job:
        if self._closing:
            raise Unavailable("ingest.closing")
        if self._waiting + len(columns.keys) > MAX_WAITING:
            raise Unavailable("ingest.busy", waiting=self._waiting)
        unknown = set(columns.keys).difference(self.registry.handles)
        if unknown:
            await self._look_up(unknown)
        allowed = await self._allowed(sender, columns.keys) if sender else None
        if building is not None:
            allowed = self._inside(building, allowed)
        now_us = int(self._clock() * 1e6)
        piece = judge(
            columns, self.registry, now_us=now_us, ahead_us=self._ahead_us, allowed=allowed, computed=computed
        )
        if not live:
            piece.skew_us = None
        return Job(source, piece, lang, asyncio.get_running_loop().create_future(), live)

    async def _wait(self, job: Job) -> Receipt:
        """Put a job in line; what became of it, after the commit."""
        (self._line if job.live else self._history).append(job)
        self._waiting += job.rows
        self._wake.set()
        return await job.done

    def _inside(self, building: UUID, allowed: Set[int] | None) -> Set[int]:
        """The handles of the known points of a building, of those that are `allowed`."""
        inside = {handle for handle, info in self.registry.infos.items() if info.building_id == building}
        return inside if allowed is None else inside & allowed

    async def _look_up(self, keys: set[str]) -> None:
        try:
            async with self._db.connection() as conn:
                await self.registry.load(conn, keys)
        except psycopg.OperationalError as error:
            raise Unavailable("ingest.unavailable") from error

    async def _allowed(self, sender: Actor, keys: Iterable[str]) -> Set[int] | None:
        """The handles among these keys that the sender may write to, and others; None: all. Asks the row filters."""
        scope = sender.scope("reading.write")
        if scope.everywhere:
            return None
        known = self._senders.get(sender.name)
        if known is None or known.scope != scope or known.until < time.monotonic():
            known = self._senders[sender.name] = _Sender(scope, time.monotonic() + ALLOWED_S, set())
        handles = {self.registry.handles.get(key, 0) for key in keys} - known.handles - {0}
        if handles:
            try:
                async with limited_to(self._db, sender, scope) as conn:
                    found = await rows(conn, "SELECT handle FROM point WHERE handle = ANY(%s)", (list(handles),))
            except psycopg.OperationalError as error:
                raise Unavailable("ingest.unavailable") from error
            known.handles.update(each["handle"] for each in found)
        return known.handles

    async def _store_forever(self) -> None:
        while self._line or self._history or not self._closing:
            if not self._line and not self._history:
                self._wake.clear()
                await self._wake.wait()
                continue
            jobs = self._take()
            try:
                await self._store(jobs)
            finally:
                self._waiting -= sum(job.rows for job in jobs)

    def _take(self) -> list[Job]:
        """What is stored next: live data, or one piece of history when that has its turn."""
        if self._history and (not self._line or self._turns >= LIVE_TURNS):
            self._turns = 0
            return [self._history.popleft()]
        self._turns += 1
        jobs = [self._line.popleft()]
        count = jobs[0].rows
        while self._line and count + self._line[0].rows <= MAX_ROWS:
            jobs.append(self._line.popleft())
            count += jobs[-1].rows
        return jobs

    async def _store(self, jobs: list[Job]) -> None:
        """Store jobs in one transaction and answer them; where it fails for one of them, each in its own."""
        try:
            settled, batch = await self._transaction(jobs)
        except (psycopg.OperationalError, Unavailable) as error:
            self.trouble = "ingest.disk_full" if isinstance(error, DISK_FULL) else "ingest.unavailable"
            log.error(self.trouble, reason=str(error).strip(), readings=sum(job.rows for job in jobs))
            fail(jobs, Unavailable(self.trouble))
        except psycopg.errors.ForeignKeyViolation:
            # A point is gone with its building. Sent again, its readings are refused and the others stored.
            self.registry.clear()
            self._sources.clear()
            fail(jobs, Unavailable("ingest.points_changed"))
        except Exception as error:
            if len(jobs) > 1:
                for job in jobs:
                    await self._store([job])
                return
            log.exception("ingest.failed", source=jobs[0].source.name, readings=jobs[0].rows)
            fail(jobs, error)
        else:
            self.trouble = None
            for each in settled:
                if not each.job.done.done():  # the client may be gone
                    each.job.done.set_result(each.receipt())
            if batch is not None:
                await self._batches.put(batch)

    async def _transaction(self, jobs: list[Job]) -> tuple[list[Settled], AcceptedBatch | None]:
        for attempt in range(1, TRIES + 1):
            try:
                async with self._db.transaction() as conn:
                    readings = joined(jobs)
                    outcome = await write_readings(conn, readings)
                    await mark_late(conn, readings.take(outcome == ACCEPTED))
                    settled = settle(jobs, outcome)
                    new = [each for each in settled if not each.job.again]
                    refused = [(each.job.source.id, refusal) for each in new for refusal in each.refused]
                    await write_refusals(conn, refused)
                    await count_sources(conn, counts_of(new))
                    for each in settled:
                        if each.job.together is not None:
                            await each.job.together(conn, Outcome(each.accepted, each.duplicate, each.refused))
                    told = readings.take(outcome == ACCEPTED)
                    if not jobs[0].live:
                        told = await newest_of(conn, told)
                return settled, self._batch(told)
            except psycopg.errors.DeadlockDetected:
                if attempt == TRIES:
                    raise
        raise AssertionError("unreachable")

    def _batch(self, fresh: Readings) -> AcceptedBatch | None:
        if not len(fresh):
            return None
        fresh = fresh.take(np.lexsort((fresh.ts, fresh.handle)))
        infos = self.registry.infos
        points = {handle: infos[handle] for handle in np.unique(fresh.handle).tolist() if handle in infos}
        return AcceptedBatch(fresh.handle, fresh.ts, fresh.num, fresh.quality, fresh.txt, points)

    async def _feed_forever(self) -> None:
        while True:
            batch = await self._batches.get()
            for sink in self.sinks:
                try:
                    await sink(batch)
                except Exception:
                    # The readings are stored; what a sink missed it makes up from the database.
                    log.exception("ingest.sink_failed", sink=getattr(sink, "__qualname__", repr(sink)))
            self._batches.task_done()
