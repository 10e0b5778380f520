"""Log lines: on stderr (stdout is for results), readable or as JSON, ours and those of the libraries alike."""

import logging
import sys

import structlog
from structlog.typing import Processor

from twin.settings import Settings

QUIET = ("httpx", "httpcore", "procrastinate", "alembic", "asyncio")  # they tell at info what we tell ourselves


SECRETIVE = ("uvicorn",)  # they tell at debug what must not be told: heads of requests with cookies and keys


def configure_logs(settings: Settings) -> None:
    """Set up structlog and the standard library's logging. Called once, by the process's entry point."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    as_json = settings.log_format == "json"
    # No local variables in tracebacks: they hold passwords, keys and cookies.
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    renderer: Processor = structlog.processors.JSONRenderer() if as_json else console
    tracebacks: list[Processor] = [structlog.processors.format_exc_info] if as_json else []
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*shared, *tracebacks, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tracebacks, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    for name in SECRETIVE:
        logging.getLogger(name).setLevel(max(level, logging.INFO))
