"""The application: everything long-lived in one place, and the routes on top of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from fastapi import FastAPI
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp

from api import problems
from api.audit_commands import VERIFY, verify_job
from api.auditing import RequestIds
from api.callers import Callers
from api.clients import ClientGuard, Clients
from api.gateway import ingest_socket
from api.graphs import Graphs
from api.guard import HostNames, RequestLimits, SameOrigin, SecureHeaders, TakenAnswers
from api.importing import Importer
from api.live import LiveHub, until_done
from api.out_again import OutAgain
from api.reading_files import KIND as READINGS
from api.reading_files import ReadingFiles
from api.report_making import Reports
from api.report_runs import KIND as REPORT
from api.routes import ROUTERS
from api.socket import live_socket
from api.source_notices import tell_people
from api.web import mount_web
from identity import sessions, throttle
from identity.audit_trail import AuditTrail
from identity.clock import SteadyClock, open_clock
from identity.login import Gate
from identity.sealing import Sealer, open_sealer
from identity.usage import prune_usage
from ifc_models.bcf_zip import MAX_BYTES as BCF_UPLOAD
from ifc_models.sandbox import WorkerLimits
from ifc_models.worker import WorkerPool
from maintenance.alarms import AlarmEngine
from maintenance.plans import PlanRunner
from spatial.network import Networks
from telemetry import source_watch, upkeep
from telemetry.commands import CommandLoop
from telemetry.derived_work import Derivations
from telemetry.history import History
from telemetry.ingest import Ingest
from telemetry.mqtt import Brokers
from telemetry.rollups import Rollups
from telemetry.statistics_pool import Statistician
from twin import blob_upkeep, jobs
from twin.blobs import BlobStore
from twin.db import Database, open_database
from twin.events import Event, EventFeed, prune_events
from twin.settings import Settings
from viewer.plan_cut import Sections

log = structlog.get_logger()
API: Final = "/api/v1"
RESTART_AFTER_S: Final = 1.0
UPKEEP_S: Final = 3600.0


@dataclass(slots=True)
class Twin:
    """What lives as long as the server: routes find it on `request.app.state.twin`."""

    settings: Settings
    db: Database
    clock: SteadyClock
    sealer: Sealer
    audit: AuditTrail
    blobs: BlobStore
    history: History
    ingest: Ingest
    alarms: AlarmEngine
    plans: PlanRunner
    commands: CommandLoop
    derivations: Derivations
    statistics: Statistician
    live: LiveHub
    callers: Callers
    importer: Importer
    out_again: OutAgain
    reading_files: ReadingFiles
    reports: Reports
    graphs: Graphs
    clients: Clients
    networks: Networks
    sections: Sections

    @property
    def gate(self) -> Gate:
        """What signing in needs."""
        return Gate(self.db, self.settings, self.sealer, self.clock)

    def handlers(self) -> dict[str, jobs.Handler]:
        """Who does which kind of job."""
        return {
            "import": self.importer.run,
            "rollback": self.importer.roll_back,
            **self.out_again.handlers(),
            READINGS: self.reading_files.run,
            REPORT: self.reports.make,
            VERIFY: lambda job: verify_job(job, self.audit),
            upkeep.UPKEEP: upkeep.Upkeep(self.settings.quarantine_keep, self.settings.quarantine_keep_settled),
        }


@asynccontextmanager
async def open_twin(settings: Settings, *, serving: bool = True) -> AsyncIterator[Twin]:
    """Open the database and everything on it; with `serving`, run what a server runs beside its routes."""
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_database(settings))
        async with db.transaction() as conn:
            clock, sealer = await open_clock(conn), await open_sealer(conn, settings)
        blobs = BlobStore(settings.blobs)
        history = History(db)
        await history.start()
        alarms = AlarmEngine(db, settings)
        live = LiveHub(db, ticks_per_second=settings.live_rate)
        commands = CommandLoop(db)
        ingest = Ingest(db, settings, [live.on_readings, alarms, commands.on_readings])
        workers = await stack.enter_async_context(WorkerPool(limits=worker_limits(settings)))
        importer = Importer(db, blobs, settings, workers)
        stack.callback(importer.close)
        clients = Clients(db, settings)
        trail = AuditTrail(db, settings, sealer)
        sections = Sections(db, blobs)
        networks = Networks(
            db, keep=settings.network_buildings, tolerance=settings.network_contact, climbs=sections.climbs
        )
        statistics = Statistician()
        stack.callback(statistics.close)
        twin = Twin(
            settings,
            db,
            clock,
            sealer,
            trail,
            blobs,
            history,
            ingest,
            alarms,
            PlanRunner(db),
            commands,
            Derivations(db, ingest),
            statistics,
            live,
            Callers(db),
            importer,
            OutAgain(db, blobs, settings, workers),
            ReadingFiles(db, blobs, settings, workers, ingest, history),
            Reports(db, settings, networks),
            Graphs(settings, workers),
            clients,
            networks,
            sections,
        )
        if serving:
            await stack.enter_async_context(ingest)
            await live.load()
            await stack.enter_async_context(_beside(twin))
        yield twin


def worker_limits(settings: Settings) -> WorkerLimits:
    """Return what one IFC file may cost."""
    return WorkerLimits(
        memory=settings.import_memory,
        seconds=settings.import_time.total_seconds(),
        exact_seconds=settings.import_exact_time.total_seconds(),
        input_bytes=settings.upload_limit,
    )


@asynccontextmanager
async def _beside(twin: Twin) -> AsyncIterator[None]:
    """Run the loops of a server until the block ends."""
    feed = EventFeed(twin.db, after=twin.live.seq)
    loops: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
        "live": lambda: twin.live.run(_shared(feed, twin)),
        "alarms": twin.alarms.run,
        "plans": twin.plans.run,
        "reports": twin.reports.run,
        "commands": twin.commands.run,
        "history": twin.history.run,
        "sources": lambda: source_watch.run(twin.db, tell_people),
        "rollups": Rollups(twin.db).run,
        "history upkeep": lambda: upkeep.run(twin.db),
        "derived": twin.derivations.run,
        "brokers": Brokers(twin.db, twin.ingest, twin.sealer.open).run,
        "callers": twin.callers.run,
        "clients": twin.clients.run,
        "upkeep": lambda: _upkeep(twin),
        "blobs": lambda: blob_upkeep.run(twin.db, twin.blobs),
        **twin.audit.loops(),
    }
    if twin.settings.worker:
        loops["jobs"] = lambda: jobs.run_worker(twin.db, twin.handlers(), settings=twin.settings)
    tasks = [asyncio.create_task(_keep_running(name, loop), name=name) for name, loop in loops.items()]
    try:
        yield
    finally:
        await _end(tasks)
        await twin.audit.close()


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel until they end: whoever fails while it is cancelled is started again by `_keep_running`."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=2)
    await asyncio.gather(*tasks, return_exceptions=True)


async def _shared(feed: EventFeed, twin: Twin) -> AsyncIterator[Sequence[Event]]:
    """One feed for all who follow events: ingest forgets changed points before the sockets hear of them."""
    async for events in feed:
        await until_done("ingest", twin.ingest.on_events, events)
        await until_done("commands", twin.commands.on_events, events)
        await until_done("derived", twin.derivations.on_events, events)
        yield events


async def _keep_running(name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a loop for ever; one that fails is logged and started again."""
    while True:
        try:
            await loop()
        except Exception:
            log.exception("loop.failed", loop=name)
        await asyncio.sleep(RESTART_AFTER_S)


async def _upkeep(twin: Twin) -> None:
    while True:
        async with twin.db.transaction() as conn:
            await prune_events(conn, datetime.now(UTC) - twin.settings.event_keep)
            await prune_usage(conn, datetime.now(UTC) - twin.settings.usage_keep)
            await conn.execute("DELETE FROM idempotency WHERE created_at < now() - interval '2 days'")
            await sessions.prune(conn, twin.clock.now())
            kept = {"lock": twin.settings.login_lock, "keep": twin.settings.login_place_keep}
            await throttle.prune(conn, **kept, now=twin.clock.now())
        await asyncio.sleep(UPKEEP_S)


class App(FastAPI):
    """FastAPI with secure headers and an id on all answers, those of its outermost layer to unexpected errors too."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            problems.describe(super().openapi())
        return super().openapi()

    def build_middleware_stack(self) -> ASGIApp:
        return RequestIds(SecureHeaders(super().build_middleware_stack()))


def create_app(twin: Twin | None, *, hosts: frozenset[str] | None = None) -> FastAPI:
    """Return the application; without a `Twin` it can only describe itself (OpenAPI). `hosts`: its names, None any."""
    app = App(
        title="Twin",
        version="0.1.0",
        description="A BIM-centred digital twin operations server (GB/T 20299.3).",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.state.twin = twin
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router, prefix=API)
    app.router.routes.append(WebSocketRoute(f"{API}/live", live_socket))
    app.router.routes.append(WebSocketRoute(f"{API}/ingest", ingest_socket))
    mount_web(app)
    if twin is not None:
        _guard(app, twin, hosts)
    return app


def _guard(app: FastAPI, twin: Twin, hosts: frozenset[str] | None) -> None:
    """What stands before the routes; the last one added is passed first."""
    settings = twin.settings
    app.add_middleware(TakenAnswers, stall=settings.request_stall.total_seconds())
    app.add_middleware(
        RequestLimits,
        default=settings.request_limit,
        limits={f"{API}/models": settings.upload_limit, f"{API}/bcf": BCF_UPLOAD}
        | dict.fromkeys((f"{API}/readings/import", f"{API}/readings/import/preview"), settings.upload_limit),
        head=settings.header_limit,
        stall=settings.request_stall.total_seconds(),
    )
    app.add_middleware(SameOrigin)
    app.add_middleware(ClientGuard, clients=twin.clients)
    app.add_middleware(HostNames, allowed=hosts)
