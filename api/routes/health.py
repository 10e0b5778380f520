"""Is it alive, and what does it measure."""

import time
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from api.route import Router, Tx, allow, no_transaction, twin_of
from twin.db import row

router = Router(tags=["health"])
STARTED: Final = time.time()


@dataclass(frozen=True, slots=True)
class Health:
    """`ok` when the database answers and takes readings; `degraded` when the last ones could not be stored."""

    status: str
    database: str
    readings: str  # ok, or why the last ones could not be stored: ingest.disk_full, ingest.unavailable
    seconds: float  # since the start


@router.get("/health")
@allow.public
async def health(tx: Tx, request: Request) -> Health:
    """Answers 200 when requests can be served, 503 when the database is away."""
    await row(tx, "SELECT 1")
    trouble = twin_of(request).ingest.trouble
    return Health("degraded" if trouble else "ok", "ok", trouble or "ok", round(time.time() - STARTED, 1))


@router.get("/metrics", response_class=Response)
@allow("metrics.read")
@no_transaction
async def metrics(request: Request) -> Response:
    """Prometheus text: what this process does."""
    twin = twin_of(request)
    registry = CollectorRegistry()
    for name, text, value in (
        ("twin_live_clients", "Open live sockets", twin.live.clients),
        ("twin_alarm_evaluations", "Alarm rule evaluations since the start", twin.alarms.evaluations),
        ("twin_event_seq", "Number of the newest event handed out", twin.live.seq),
        ("twin_audit_waiting", "Audit entries in memory that are not written yet", len(twin.audit.batch)),
        ("twin_audit_intact", "0 when the audit chain contradicts its last anchor: alert on it", twin.audit.intact),
        (
            "twin_readings_refused",
            "1 when the last readings could not be stored (disk full, database away): alert on it",
            twin.ingest.trouble is not None,
        ),
        ("twin_uptime_seconds", "Seconds since the start", time.time() - STARTED),
    ):
        Gauge(name, text, registry=registry).set(value)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
