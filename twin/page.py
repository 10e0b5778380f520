"""Lists come in pages.

A cursor holds the sort key of the last item (keyset), so deep pages cost what the first one does.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from twin.errors import Invalid

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`next` is the cursor of the following page; null on the last one."""

    items: list[T]
    next: str | None = None


def encode_cursor(*key: str | int | float | datetime | UUID | None) -> str:
    """A URL-safe cursor of sort key values."""
    plain = [str(value) if isinstance(value, UUID) else _time(value) for value in key]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, count: int) -> list[str | None] | None:
    """The `count` values of a cursor, all as text; None for None.

    PostgreSQL takes them for what they are compared with, so that a forged one is a value it cannot read (422) and
    never a comparison it does not know.
    """
    if cursor is None:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise Invalid("cursor.invalid", where="cursor") from None
    if not isinstance(key, list) or len(key) != count or any(isinstance(value, (list, dict)) for value in key):
        raise Invalid("cursor.invalid", where="cursor")
    return [value if value is None else str(value) for value in key]


def page_of(found: Sequence[T], limit: int, key: Callable[[T], Sequence[Any]]) -> Page[T]:
    """A page of `limit` items, made from a query that asked for one more than `limit`."""
    items = list(found[:limit])
    return Page(items, encode_cursor(*key(items[-1])) if len(found) > limit else None)


def _time(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
