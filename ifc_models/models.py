"""Models of a building and their versions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from twin.db import Conn, object_or_none, objects
from twin.errors import Invalid, NotFound
from twin.page import Page, decode_cursor, page_of


@dataclass(frozen=True, slots=True)
class Model:
    """An IFC model of a building, named; `current_version` is the one that is shown, null before the first."""

    id: UUID
    building_id: UUID
    building: str
    name: str
    discipline: str  # arc | str | mep | …
    current_version: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """One uploaded file of a model. `report` is the import report; lists of versions leave its long lists out."""

    model_id: UUID
    version: int
    file_hash: str
    file_name: str
    bytes: int
    schema: str
    application: str | None
    georeference: dict[str, Any] | None
    created_by: str | None
    created_at: datetime
    kind: str  # upload | rollback
    restored: int | None  # rollback: the version that this one shows again
    report: dict[str, Any]


_MODEL: Final = """
    SELECT m.id, m.building_id, b.name AS building, m.name, m.discipline, m.current_version, m.created_at
    FROM model m JOIN building b ON b.id = m.building_id
"""
_VERSION: Final = """
    SELECT model_id, n AS version, file_hash, file_name, bytes, schema, application, georeference, created_by,
           created_at, kind, restored, report
    FROM model_version
"""


async def ensure_model(conn: Conn, building_id: UUID, name: str, discipline: str = "arc") -> Model:
    """The building's model of that name, made where there is none; an existing one keeps its discipline."""
    if not 1 <= len(name) <= 200:
        raise Invalid("model.name", where="model")
    await conn.execute(
        """INSERT INTO model (building_id, name, discipline) VALUES (%s, %s, %s)
           ON CONFLICT (building_id, name) DO NOTHING""",
        (building_id, name, discipline),
    )
    found = await object_or_none(conn, Model, _MODEL + " WHERE m.building_id = %s AND m.name = %s", (building_id, name))
    assert found is not None
    return found


async def list_models(
    conn: Conn, *, building: UUID | None = None, limit: int = 100, cursor: str | None = None
) -> Page[Model]:
    """All models, or those of one building, by name."""
    after = decode_cursor(cursor, 2) or [None, None]
    found = await objects(
        conn,
        Model,
        _MODEL
        + """ WHERE (%(building)s::uuid IS NULL OR m.building_id = %(building)s)
              AND (%(name)s::text IS NULL OR (m.name, m.id) > (%(name)s, %(id)s::uuid))
              ORDER BY m.name, m.id LIMIT %(limit)s""",
        {"building": building, "name": after[0], "id": after[1], "limit": limit + 1},
    )
    return page_of(found, limit, lambda model: (model.name, model.id))


async def get_model(conn: Conn, model_id: UUID) -> Model:
    """One model. Raises NotFound."""
    found = await object_or_none(conn, Model, _MODEL + " WHERE m.id = %s", (model_id,))
    if found is None:
        raise NotFound("model.unknown", model=str(model_id))
    return found


async def list_versions(conn: Conn, model_id: UUID, *, limit: int = 100, cursor: str | None = None) -> Page[Version]:
    """The versions of a model, newest first. Raises NotFound for an unknown model."""
    await get_model(conn, model_id)
    after = decode_cursor(cursor, 1) or [None]
    found = await objects(
        conn,
        Version,
        """SELECT model_id, n AS version, file_hash, file_name, bytes, schema, application, georeference, created_by,
                  created_at, kind, restored, report - 'degraded' - 'without_geometry' - 'warnings' AS report
           FROM model_version
           WHERE model_id = %(model)s AND (%(n)s::int IS NULL OR n < %(n)s)
           ORDER BY n DESC LIMIT %(limit)s""",
        {"model": model_id, "n": after[0], "limit": limit + 1},
    )
    return page_of(found, limit, lambda version: (version.version,))


async def get_version(conn: Conn, model_id: UUID, version: int) -> Version:
    """One version with its whole report. Raises NotFound."""
    found = await object_or_none(conn, Version, _VERSION + " WHERE model_id = %s AND n = %s", (model_id, version))
    if found is None:
        raise NotFound("model.version_unknown", model=str(model_id), version=version)
    return found
