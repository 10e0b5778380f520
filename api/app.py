"""The application: everything long-lived in one place, and the routes on top of it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import structlog
from fastapi import FastAPI
from fastapi.responses import ORJSONResponse

from api import problems
from api.guard import BodyLimit, SecureHeaders
from api.importing import Importer
from api.live import LiveHub
from api.routes import include_all
from api.socket import live_socket
from api.web import mount_web
from ifc_models.worker import WorkerPool
from maintenance.alarms import AlarmEngine
from maintenance.plans import PlanRunner
from telemetry.commands import CommandLoop
from telemetry.history import History
from telemetry.ingest import Ingest
from twin import jobs
from twin.blobs import BlobStore
from twin.db import Database, open_database
from twin.events import EventFeed
from twin.settings import Settings

log = structlog.get_logger()
API: Final = "/api/v1"
RESTART_AFTER_S: Final = 1.0


@dataclass(slots=True)
class Twin:
    """What lives as long as the server: routes find it on `request.app.state.twin`."""

    settings: Settings
    db: Database
    blobs: BlobStore
    history: History
    ingest: Ingest
    alarms: AlarmEngine
    plans: PlanRunner
    commands: CommandLoop
    live: LiveHub
    importer: Importer
