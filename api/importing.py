"""The import job: an IFC file becomes elements, rooms, points and tiles, in one transaction.

Sandboxed worker (read, mesh) → finishing process (place, tiles) → blobs → one transaction with the event. Until that
transaction commits, the building shows its previous version; if anything fails, it still does.
"""

import asyncio
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import click
import structlog
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from api.finishing import Finished, finish
from identity import audit
from identity.actor import CLI, Actor
from ifc_models import models, store
from ifc_models.extract import Extract
from ifc_models.worker import WorkerPool
from telemetry import points
from twin import jobs, places
from twin.blobs import Blob, BlobStore, record_blob
from twin.db import Database
from twin.errors import Invalid, TwinError
from twin.events import emit
from twin.jobs import JobContext
from twin.settings import Settings

log = structlog.get_logger()
IFC: Final = "application/x-step"
WORKER_SHARE: Final = 0.75  # of the progress bar: reading and meshing
FINISHED_SHARE: Final = 0.9
