"""The application: everything long-lived in one place, and the routes on top of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from fastapi import FastAPI, Request, Response
from starlette.middleware.gzip import GZipMiddleware

from api import problems
from api.guard import BodyLimit, SecureHeaders
from api.importing import ImportService
from api.live import LiveHub
from api.routes import api_router
from api.socket import live_socket
from api.web import mount_web
from ifc_models.worker_pool import WorkerPool
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
