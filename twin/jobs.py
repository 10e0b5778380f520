"""Work that can wait: a `job` row that people watch, delivered to a worker by procrastinate's queue in PostgreSQL.

A job is created in the transaction of what asks for it. It is run at least once: when its worker dies it is run
again by the next one, three times in all. A worker holds an advisory lock for as long as it lives, so its death is
known at once and without clocks.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import AbortReason
from psycopg.types.json import Jsonb

from twin.db import Conn, Database, object_or_none, objects, row, rows
from twin.errors import Language, NotFound, TwinError, text_of
from twin.page import Page, decode_cursor, page_of
from twin.settings import Settings

log = structlog.get_logger()

WORKER_LOCK = 0x776F726B  # "work": first key of a worker's advisory lock, its number is the second
TASK = "twin.run"
ATTEMPTS = 3
RECOVER_EVERY = 5.0  # s
MEANINGFUL = 0.05  # of a job must be done before the time left is guessed
REPORT_EVERY = 0.2  # s; progress within a stage is not written more often
GRACE = 0.5  # s that running jobs get when the worker is told to stop; then they go back into the queue

_COLUMNS = """id, kind, building_id, args, state, stage, progress, detail, result, error, cancel_asked, created_by,
              created_at, started_at, finished_at"""


@dataclass(frozen=True, slots=True)
class Job:
    """What somebody asked for. `progress` 0…1 within the whole job; `error` is {code, message, where, params}."""

    id: UUID
    kind: str
    building_id: UUID | None
    args: dict[str, Any]
    state: str  # queued | running | done | failed | cancelled
    stage: str | None
    progress: float
    detail: dict[str, Any] | None  # of what runs: done and total of what its stage counts, bytes, seconds_left
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    cancel_asked: bool
    created_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "failed", "cancelled")


class JobCancelled(Exception):
    """Somebody asked for an end, or the job was given to another worker: stop, undo, let it pass."""


_app = procrastinate.App(connector=procrastinate.PsycopgConnector())  # to defer on the caller's connection


async def create_job(
    conn: Conn,
    kind: str,
    args: Mapping[str, Any],
    *,
    building_id: UUID | None,
    actor_name: str | None,
    lock: str | None = None,
) -> UUID:
    """Ask for a job in the caller's transaction. Jobs with the same `lock` run one after the other."""
    created = await row(
        conn,
        "INSERT INTO job (kind, building_id, args, created_by) VALUES (%s, %s, %s, %s) RETURNING id",
        (kind, building_id, Jsonb(dict(args)), actor_name),
    )
    assert created is not None
    job_id = UUID(str(created["id"]))
    await _enqueue(conn, job_id, lock)
    return job_id


async def _enqueue(conn: Conn, job_id: UUID, lock: str | None) -> None:
    deferrer = _app.configure_task(TASK, lock=lock, allow_unknown=True, connection=conn)
    queue_id = await deferrer.defer_async(job=str(job_id), lock=lock)
    await conn.execute("UPDATE job SET queue_id = %s WHERE id = %s", (queue_id, job_id))


async def find_job(conn: Conn, job_id: UUID) -> Job | None:
    return await object_or_none(conn, Job, f"SELECT {_COLUMNS} FROM job WHERE id = %s", (job_id,))


async def get_job(conn: Conn, job_id: UUID) -> Job:
    """Raises NotFound."""
    job = await find_job(conn, job_id)
    if job is None:
        raise NotFound("job.unknown", id=str(job_id))
    return job


async def list_jobs(
    conn: Conn,
    *,
    building: UUID | None = None,
    state: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[Job]:
    """Newest first."""
    after = decode_cursor(cursor, 2)
    found = await objects(
        conn,
        Job,
        f"""SELECT {_COLUMNS} FROM job
            WHERE (%(building)s::uuid IS NULL OR building_id = %(building)s)
              AND (%(state)s::text IS NULL OR state = %(state)s)
              AND (%(at)s::timestamptz IS NULL OR (created_at, id) < (%(at)s, %(id)s::uuid))
            ORDER BY created_at DESC, id DESC LIMIT %(limit)s""",
        {
            "building": building,
            "state": state,
            "at": after and after[0],
            "id": after and after[1],
            "limit": limit + 1,
        },
    )
    return page_of(found, limit, lambda job: [job.created_at, job.id])


async def cancel_job(conn: Conn, job_id: UUID) -> Job:
    """Ask for an end: a waiting job is cancelled at once, a running one stops soon, one that is over stays."""
    job = await get_job(conn, job_id)
    await conn.execute(
        """UPDATE job SET cancel_asked = true,
             state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
             finished_at = CASE state WHEN 'queued' THEN now() ELSE finished_at END
           WHERE id = %s AND state IN ('queued', 'running')""",
        (job.id,),
    )
    await conn.execute("SELECT procrastinate_cancel_job_v1(queue_id, true, true) FROM job WHERE id = %s", (job.id,))
    return await get_job(conn, job.id)


async def start_again(conn: Conn, job_id: UUID, *, lock: str | None = None) -> None:
    """Put a job that failed or was cancelled back into the queue, as if it had never been tried."""
    put = await conn.execute(
        """UPDATE job SET state = 'queued', worker = NULL, attempts = 0, cancel_asked = false, error = NULL,
             finished_at = NULL WHERE id = %s AND state IN ('failed', 'cancelled')""",
        (job_id,),
    )
    if put.rowcount:
        await _enqueue(conn, job_id, lock)


async def follow_job(db: Database, job_id: UUID, *, every: float = 0.2) -> AsyncIterator[Job]:
    """The job each time it has changed, the last time when it is over."""
    last: Job | None = None
    while last is None or not last.is_over:
        async with db.connection() as conn:
            job = await get_job(conn, job_id)
        if job != last:
            last = job
            yield job
        if not job.is_over:
            await asyncio.sleep(every)


def error_in(job: Job, lang: Language) -> dict[str, Any] | None:
    """A failed job's `{code, message, where}` in a language."""
    if job.error is None:
        return None
    message = text_of(job.error["code"], lang, job.error.get("params", {}))
    return {"code": job.error["code"], "message": message, "where": job.error.get("where")}


class JobContext:
    """What a handler gets. It may be run again after a crash: it should find out what it has done already."""

    def __init__(self, db: Database, job: Job, worker: int) -> None:
        self.db = db
        self.id = job.id
        self.kind = job.kind
        self.args = job.args
        self.building_id = job.building_id
        self.created_by = job.created_by
        self.is_finished = False
        self._worker = worker
        self._stage: str | None = None
        self._written = 0.0
        self._started = time.monotonic()

    async def report(self, stage: str, progress: float, **detail: int | None) -> None:
        """Tell how far it is, in a transaction of its own. Cheap to call often. Raises JobCancelled.

        `detail`: what people can see counted, e.g. `done=120, total=800, bytes=3905950`; nothing is invented for
        what is None.
        """
        now = time.monotonic()
        if stage == self._stage and now - self._written < REPORT_EVERY:
            return
        self._stage, self._written = stage, now
        async with self.db.connection() as conn:
            found = await row(
                conn,
                """UPDATE job SET stage = %s, progress = %s, detail = %s
                   FROM (SELECT set_config('synchronous_commit', 'off', true) AS disk) AS unhurried
                   WHERE id = %s AND worker = %s AND state = 'running' AND disk = 'off' RETURNING cancel_asked""",
                (stage, min(max(progress, 0.0), 1.0), self._detail(progress, detail), self.id, self._worker),
            )
        if found is None or found["cancel_asked"]:
            raise JobCancelled

    def _detail(self, progress: float, counted: Mapping[str, int | None]) -> Jsonb:
        """What is counted, and the seconds left if it goes on at the pace so far; not said before there is a pace."""
        known: dict[str, int] = {name: value for name, value in counted.items() if value is not None}
        elapsed = time.monotonic() - self._started
        if progress >= MEANINGFUL and elapsed >= 1.0:
            known["seconds_left"] = math.ceil(elapsed * (1 - progress) / progress)
        return Jsonb(known)

    async def finish(self, conn: Conn, result: Mapping[str, Any]) -> None:
        """Mark the job as done in the handler's own last transaction: then the work is not done twice."""
        done = await conn.execute(
            """UPDATE job
               SET state = 'done', progress = 1, stage = NULL, detail = NULL, result = %s, finished_at = now()
               WHERE id = %s AND worker = %s AND state = 'running'""",
            (Jsonb(dict(result)), self.id, self._worker),
        )
        if not done.rowcount:
            raise JobCancelled
        self.is_finished = True


Handler = Callable[[JobContext], Awaitable[Mapping[str, Any]]]


async def run_worker(db: Database, handlers: Mapping[str, Handler], *, settings: Settings | None = None) -> None:
    """Run jobs until cancelled. Comes back by itself when the database was away."""
    while True:
        try:
            await _Worker(db, handlers, settings.worker_jobs if settings else 2).run()
        except (psycopg.OperationalError, ConnectorException, ExceptionGroup) as error:
            if isinstance(error, ExceptionGroup) and error.split((psycopg.OperationalError, ConnectorException))[1]:
                raise
            log.warning("worker.connection_lost", reason=str(error).strip())
        await asyncio.sleep(1)


@asynccontextmanager
async def _opened(app: procrastinate.App) -> AsyncIterator[None]:
    """Opened, and closed also when opening was cancelled: what a pool keeps running does not end by being cancelled."""
    try:
        await app.open_async()
        yield
    finally:
        await app.close_async()


class _Worker:
    """One life of a worker, as long as the connection that holds its lock."""

    def __init__(self, db: Database, handlers: Mapping[str, Handler], concurrency: int) -> None:
        self.db = db
        self.handlers = handlers
        self.concurrency = concurrency
        self.number = 0

    async def run(self) -> None:
        connector = procrastinate.PsycopgConnector(
            conninfo=self.db.url, min_size=1, max_size=self.concurrency + 2, kwargs={"application_name": "twin-jobs"}
        )
        app = procrastinate.App(connector=connector)
        app.task(name=TASK, pass_context=True)(self._run)
        async with self.db.listener() as lock, _opened(app):
            found = await row(lock, "SELECT nextval('job_worker') AS n")
            self.number = int(found["n"]) if found else 0
            await lock.execute("SELECT pg_advisory_lock(%s, %s)", (WORKER_LOCK, self.number))
            await recover(self.db)
            await self._work(app, lock)

    async def _work(self, app: procrastinate.App, lock: Conn) -> None:
        """Until cancelled, or one of the three fails: the others are then stopped too."""
        worker = app.run_worker_async(
            concurrency=self.concurrency,
            delete_jobs="always",  # our own row is the record
            install_signal_handlers=False,
            fetch_job_polling_interval=0.5,  # a released lock is not notified
            shutdown_graceful_timeout=GRACE,
        )
        tasks = [asyncio.ensure_future(each) for each in (worker, self._recover_forever(lock))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _recover_forever(self, lock: Conn) -> None:
        while True:
            await asyncio.sleep(RECOVER_EVERY)
            await lock.execute("SELECT 1")  # without the connection there is no lock: then give up what runs
            await recover(self.db)

    async def _run(self, context: procrastinate.JobContext, job: str, lock: str | None = None) -> None:
        """One delivery from the queue."""
        async with self.db.connection() as conn:
            taken = await object_or_none(
                conn,
                Job,
                f"""UPDATE job SET state = 'running', worker = %s, attempts = attempts + 1, stage = NULL, progress = 0,
                      detail = NULL,
                      started_at = coalesce(started_at, now())
                    WHERE id = %s AND state = 'queued' RETURNING {_COLUMNS}""",
                (self.number, job),
            )
        if taken is None:
            return  # cancelled meanwhile
        handler = self.handlers.get(taken.kind)
        try:
            await self._handle(taken, handler)
        except asyncio.CancelledError:
            if context.abort_reason() is AbortReason.USER_REQUEST:
                await self._end(taken.id, "cancelled")
            else:  # the worker is told to stop: the next one does it from the start
                await asyncio.shield(self._put_back(taken.id, lock))
            raise

    async def _handle(self, job: Job, handler: Handler | None) -> None:
        context = JobContext(self.db, job, self.number)
        started = time.monotonic()
        try:
            if handler is None:
                raise NotFound("job.no_handler", kind=job.kind)
            result = await handler(context)
            if not context.is_finished:
                async with self.db.transaction() as conn:
                    await context.finish(conn, result)
            log.info("job.done", job=str(job.id), kind=job.kind, seconds=round(time.monotonic() - started, 2))
        except JobCancelled:
            await self._end(job.id, "cancelled")
        except TwinError as error:
            await self._end(job.id, "failed", _described(error))
            log.info("job.failed", job=str(job.id), kind=job.kind, code=error.code)
        except Exception:
            log.exception("job.crashed", job=str(job.id), kind=job.kind)
            await self._end(job.id, "failed", _described(NotFound("job.crashed", id=str(job.id))))

    async def _end(self, job_id: UUID, state: str, error: Mapping[str, Any] | None = None) -> None:
        async with self.db.connection() as conn:
            await conn.execute(
                """UPDATE job SET state = %s, error = %s, finished_at = now()
                   WHERE id = %s AND worker = %s AND state = 'running'""",
                (state, Jsonb(dict(error)) if error else None, job_id, self.number),
            )

    async def _put_back(self, job_id: UUID, lock: str | None) -> None:
        async with self.db.transaction() as conn:
            back = await conn.execute(
                """UPDATE job SET state = 'queued', worker = NULL, attempts = attempts - 1
                   WHERE id = %s AND worker = %s AND state = 'running'""",
                (job_id, self.number),
            )
            if back.rowcount:
                await _enqueue(conn, job_id, lock)


def _described(error: TwinError) -> dict[str, Any]:
    params = {
        key: value if isinstance(value, int | float) else _storable(str(value)) for key, value in error.params.items()
    }
    where = _storable(error.where) if error.where is not None else None
    return {"code": error.code, "message": _storable(error.text("en")), "where": where, "params": params}


def _storable(text: str) -> str:
    """Text as jsonb takes it: what a hostile file says is quoted in errors, and has zeros and half characters."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


async def recover(db: Database) -> int:
    """Take up the jobs whose worker has died: into the queue again, or failed after the third time. Returns how many.

    Also those that a worker took from the queue and died before it could say so.
    """
    async with db.transaction() as conn:
        dead = await rows(
            conn,
            """SELECT job.id, job.queue_id, job.attempts, job.cancel_asked, queued.args->>'lock' AS lock
               FROM job LEFT JOIN procrastinate_jobs queued ON queued.id = job.queue_id
               LEFT JOIN procrastinate_workers worker ON worker.id = queued.worker_id
               WHERE (job.state = 'running' AND NOT EXISTS (
                        SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2
                          AND classid = %(lock)s AND objid = job.worker
                          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())))
                  OR (job.state = 'queued' AND (queued.id IS NULL OR queued.status = 'doing'
                        AND (worker.id IS NULL OR worker.last_heartbeat < now() - interval '30 seconds')))
               FOR UPDATE OF job SKIP LOCKED""",
            {"lock": WORKER_LOCK},
        )
        for job in dead:
            await _take_up(conn, job)
        return len(dead)


async def _take_up(conn: Conn, job: Mapping[str, Any]) -> None:
    await conn.execute("DELETE FROM procrastinate_jobs WHERE id = %s", (job["queue_id"],))
    if job["cancel_asked"]:
        await conn.execute(
            "UPDATE job SET state = 'cancelled', worker = NULL, finished_at = now() WHERE id = %s", (job["id"],)
        )
    elif job["attempts"] >= ATTEMPTS:
        error = _described(NotFound("job.interrupted", attempts=job["attempts"]))
        await conn.execute(
            "UPDATE job SET state = 'failed', worker = NULL, error = %s, finished_at = now() WHERE id = %s",
            (Jsonb(error), job["id"]),
        )
    else:
        await conn.execute("UPDATE job SET state = 'queued', worker = NULL WHERE id = %s", (job["id"],))
        await _enqueue(conn, job["id"], job["lock"])
    log.warning("job.worker_died", job=str(job["id"]), attempts=job["attempts"])
