"""Who did what: append-only rows, written in the transaction of the change they tell of (6.5.2a, 9.1.3-2).

A row that cannot be written undoes the change: `record` raises and the transaction rolls back. Rows are chained right
after the commit (`identity.audit_chain`); what is no change (reads of personal data, refusals) goes through
`identity.audit_batch`. Results: `done`; `refused`, by a missing right; `failed`, for any other reason.
"""

import getpass
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, Literal, LiteralString
from uuid import UUID

import psycopg
import structlog

from identity.actor import CLI, Actor
from twin.db import Conn, objects
from twin.errors import Unavailable
from twin.page import Page, decode_cursor, page_of

log = structlog.get_logger()

Result = Literal["done", "refused", "failed"]
REQUEST_ID: Final = "request_id"  # among structlog's context variables: log lines and entries of a request share it
_written: ContextVar[list[str] | None] = ContextVar("audit_written", default=None)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act. `actor`: account:NAME, key:NAME, cli or system; `object`: kind:id."""

    id: int
    seq: int | None  # place in the chain; null for the moment until it is sealed
    at: datetime
    actor: str
    account_id: UUID | None
    credential: str | None  # session:ID, key:ID or, on the command line, os:USER
    address: str | None
    request_id: str | None
    action: str
    object: str | None
    result: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    hash: str | None  # SM3, hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which entries: all that match everything given. Times are half-open, `[start, end)`."""

    actor: str | None = None
    object: str | None = None
    action: str | None = None  # ends in `.`: all actions that begin so
    result: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    text: str | None = None  # anywhere in object, before or after, in any case

    @property
    def given(self) -> dict[str, str]:
        """What was asked for, as the trail tells it."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: str(value) for name, value in values.items() if value is not None}


COLUMNS: Final[tuple[LiteralString, ...]] = (
    "actor",
    "account_id",
    "credential",
    "address",
    "request_id",
    "action",
    "object",
    "result",
    "before",
    "after",
)
"""What a writer gives; the rest is the database's and the sealer's."""


def columns_of(
    actor: Actor,
    action: str,
    object: str | None,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    result: Result,
) -> dict[str, Any]:
    """The values of `COLUMNS`."""
    return {
        "actor": actor.name,
        "account_id": actor.account_id,
        "credential": _credential(actor),
        "address": actor.address or None,
        "request_id": structlog.contextvars.get_contextvars().get(REQUEST_ID),
        "action": action,
        "object": object or None,
        "result": result,
        "before": json_text(before),
        "after": json_text(after),
    }


def _credential(actor: Actor) -> str | None:
    """What an actor proved itself with: a key, a session, or that the operating system let it run the command line."""
    if actor.key:
        return f"key:{actor.key.id}"
    if actor.session:
        return f"session:{actor.session}"
    return f"os:{_os_user()}" if actor.name == CLI.name else None


@cache
def _os_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return str(os.getuid())


INSERT: Final[LiteralString] = f"""INSERT INTO audit ({", ".join(COLUMNS)})
                                   VALUES ({", ".join(f"%({name})s" for name in COLUMNS)})"""


async def record(
    conn: Conn,
    actor: Actor,
    action: str,
    object: str | None = None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    result: Result = "done",
) -> None:
    """Record an act. `object` is `kind:id`; `before` and `after` hold what changed and never a secret.

    Raises Unavailable when it cannot be written: then what it tells of must not happen.
    """
    try:
        await conn.execute(
            INSERT,
            columns_of(actor, action, object, before, after, result),
        )
    except psycopg.DataError:
        raise  # the caller's input: a NUL, a NaN
    except psycopg.Error as error:
        log.error("audit.unwritable", action=action, object=object, reason=str(error).strip())
        raise Unavailable("audit.unwritable") from error
    written = _written.get()
    if written is not None:
        written.append(action)


@contextmanager
def noticing() -> Iterator[list[str]]:
    """The actions that are recorded within the block (and in the tasks begun in it), as they come."""
    written: list[str] = []
    token = _written.set(written)
    try:
        yield written
    finally:
        _written.reset(token)


async def list_entries(
    conn: Conn,
    *,
    wanted: Filter | None = None,
    actor: str | None = None,
    object: str | None = None,
    action: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[AuditEntry]:
    """The trail, newest first."""
    wanted = wanted or Filter(actor=actor, object=object, action=action)
    before = decode_cursor(cursor, 2)
    found = await objects(
        conn,
        AuditEntry,
        f"""SELECT id, seq, at, actor, account_id, credential, address, request_id, action, object, result, before,
                   after, encode(hash, 'hex') AS hash
            FROM audit WHERE {MATCHES}
              AND (%(last_at)s::timestamptz IS NULL OR (at, id) < (%(last_at)s, %(last_id)s::bigint))
            ORDER BY at DESC, id DESC LIMIT %(limit)s""",
        {
            **parameters(wanted),
            "last_at": before and before[0],
            "last_id": before and before[1],
            "limit": limit + 1,
        },
    )
    return page_of(found, limit, lambda entry: [entry.at, entry.id])


MATCHES: Final[LiteralString] = """
    (%(actor)s::text IS NULL OR actor = %(actor)s)
    AND (%(object)s::text IS NULL OR object = %(object)s)
    AND (%(action)s::text IS NULL OR action = %(action)s)
    AND (%(actions)s::text IS NULL OR starts_with(action, %(actions)s))
    AND (%(result)s::text IS NULL OR result = %(result)s)
    AND (%(start)s::timestamptz IS NULL OR at >= %(start)s)
    AND (%(end)s::timestamptz IS NULL OR at < %(end)s)
    AND (%(like)s::text IS NULL
         OR object ILIKE %(like)s OR before::text ILIKE %(like)s OR after::text ILIKE %(like)s)"""
"""The condition of a `Filter`; its values come from `parameters`."""


def parameters(wanted: Filter) -> dict[str, Any]:
    """The values for `MATCHES`."""
    family = wanted.action is not None and wanted.action.endswith(".")
    return {
        "actor": wanted.actor,
        "object": wanted.object,
        "action": None if family else wanted.action,
        "actions": wanted.action if family else None,
        "result": wanted.result,
        "start": wanted.start,
        "end": wanted.end,
        "like": wanted.text and f"%{_plain(wanted.text)}%",
    }


def _plain(text: str) -> str:
    """Nothing in it is a wildcard of LIKE."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def json_text(values: Mapping[str, Any] | None) -> str | None:
    """The text that is stored and hashed: keys sorted, no blanks, half a surrogate pair as its escape."""
    if values is None:
        return None
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
