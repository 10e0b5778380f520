"""Where readings come from: one source per API key, broker, file or simulator, with its state and counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, LiteralString
from uuid import UUID

from identity import Actor, audit
from twin.db import Conn, row, rows
from twin.errors import Conflict, FieldError, Invalid, NotFound
from twin.page import Page, decode_cursor, page_of

SourceKind = Literal["http", "mqtt", "file", "socket", "simulator", "derived"]
KINDS: Final[tuple[SourceKind, ...]] = ("http", "mqtt", "file", "socket", "simulator", "derived")
SKEWED_S: Final = 60.0  # a clock further off than this is worth a look


@dataclass(frozen=True, slots=True)
class SourceRef:
    """A source as ingest needs it: its number in `reading.source_id`."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Source:
    """A source. Online: heard of within three of its expected intervals."""

    id: UUID
    name: str
    kind: SourceKind
    building_id: UUID | None
    online: bool
    seen_at: datetime | None
    expected_interval: float  # s
    accepted: int
    duplicate: int
    rejected: int
    messages: int  # of a broker: as often as it sent them
    messages_empty: int  # of these, without a reading and nothing wrong: deaths, births without metrics, `{}`
    messages_lost: int  # of these, of QoS 0 and dropped because more came than could be stored
    clock_skew: float | None  # s, the source's clock minus ours, smoothed (telemetry/validate.py skew_of)
    clock_suspect: bool  # more than a minute off
    offline_since: datetime | None  # when it was last heard of before it fell silent
    skewed_since: datetime | None  # since when its clock has been wrong
    enabled: bool
    watched: bool  # people are told when it falls silent (telemetry/source_watch.py)
    settings: dict[str, Any] | None  # of a broker: where it is, what its messages mean (docs/telemetry.md)
    state: str | None  # of a broker: connecting, connected, waiting (another server has it), failed
    state_text: str | None  # why
    created_at: datetime


_SELECT: LiteralString = "SELECT s.*, s.seen_at > now() - 3 * s.expected_interval AS online FROM source s"


def _source(found: Mapping[str, Any]) -> Source:
    skew = None if found["clock_skew"] is None else found["clock_skew"].total_seconds()
    return Source(
        id=found["uuid"],
        name=found["name"],
        kind=found["kind"],
        building_id=found["building_id"],
        online=bool(found["online"]),
        seen_at=found["seen_at"],
        expected_interval=found["expected_interval"].total_seconds(),
        accepted=found["accepted"],
        duplicate=found["duplicate"],
        rejected=found["rejected"],
        messages=found["messages"],
        messages_empty=found["messages_empty"],
        messages_lost=found["messages_lost"],
        clock_skew=skew,
        clock_suspect=skew is not None and abs(skew) > SKEWED_S,
        offline_since=found["offline_since"],
        skewed_since=found["skewed_since"],
        enabled=found["enabled"],
        watched=found["watched"],
        settings=found["settings"],
        state=found["state"],
        state_text=found["state_text"],
        created_at=found["created_at"],
    )


async def ensure_source(
    conn: Conn, name: str, kind: SourceKind, *, building_id: UUID | None = None, interval: timedelta | None = None
) -> SourceRef:
    """The source of this name, made if there is none."""
    await conn.execute(
        """INSERT INTO source (name, kind, building_id, expected_interval)
           VALUES (%s, %s, %s, coalesce(%s, interval '5 minutes')) ON CONFLICT (name) DO NOTHING""",
        (name, kind, building_id, interval),
    )
    found = await row(conn, "SELECT id FROM source WHERE name = %s", (name,))
    assert found is not None
    return SourceRef(found["id"], name)


def is_interval(seconds: float) -> bool:
    """Whether readings can be expected so often: above 0 and at most a year."""
    return 0 < seconds <= 366 * 86400


async def create_source(
    conn: Conn,
    actor: Actor,
    name: str,
    kind: SourceKind,
    *,
    building_id: UUID | None = None,
    expected_interval: float = 300.0,
) -> Source:
    """Declare a source before it speaks. `expected_interval` in s. Raises Invalid, Conflict `source.exists`."""
    wrong: list[FieldError] = []
    if not 1 <= len(name.strip()) <= 200:
        wrong.append(FieldError("name", "source.name"))
    if kind not in KINDS:
        wrong.append(FieldError("kind", "source.kind", {"kinds": ", ".join(KINDS)}))
    if not is_interval(expected_interval):
        wrong.append(FieldError("expected_interval", "point.expected_interval"))
    if wrong:
        raise Invalid("source.invalid", fields=wrong)
    made = await row(
        conn,
        """INSERT INTO source (name, kind, building_id, expected_interval) VALUES (%s, %s, %s, %s)
           ON CONFLICT (name) DO NOTHING RETURNING uuid""",
        (name, kind, building_id, timedelta(seconds=expected_interval)),
    )
    if made is None:
        raise Conflict("source.exists", where="name", name=name)
    await audit.record(conn, actor, "source.create", f"source:{made['uuid']}", after={"name": name, "kind": kind})
    return await get_source(conn, made["uuid"])


async def list_sources(conn: Conn, *, limit: int = 100, cursor: str | None = None) -> Page[Source]:
    """Sources by name."""
    after = decode_cursor(cursor, 1)
    found = await rows(
        conn,
        _SELECT + " WHERE %(after)s::text IS NULL OR s.name > %(after)s ORDER BY s.name LIMIT %(limit)s",
        {"after": after and after[0], "limit": limit + 1},
    )
    return page_of([_source(each) for each in found], limit, lambda source: [source.name])


async def get_source(conn: Conn, ref: str | UUID) -> Source:
    """A source by id or name. Raises NotFound `source.unknown`."""
    found = await row(conn, _SELECT + " WHERE s.uuid::text = %(ref)s OR s.name = %(ref)s", {"ref": str(ref)})
    if found is None:
        raise NotFound("source.unknown", ref=str(ref))
    return _source(found)
