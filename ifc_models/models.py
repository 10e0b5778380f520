"""Models and their versions: what was uploaded, which one is shown, what its report says."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from twin.db import Conn, object_or_none, objects, row
from twin.errors import Invalid, NotFound
from twin.page import Page, decode_cursor, page_of

MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Model:
    """One discipline's IFC model of a building; `current_version` is the one that is shown."""

    id: UUID
    building_id: UUID
    name: str
    discipline: str
    current_version: int | None
    created_at: datetime
    file_name: str | None  # of the current version, as are the following
    bytes: int | None
    schema: str | None
    application: str | None
    uploaded_at: datetime | None
    uploaded_by: str | None


@dataclass(frozen=True, slots=True)
class Version:
    """One upload of a model. `report` is the import report of the contract."""

    model_id: UUID
    n: int
    file_hash: str
    file_name: str
    bytes: int
    schema: str
    application: str | None
    report: dict[str, Any]
    georeference: dict[str, Any] | None
    created_by: str | None
    created_at: datetime


_MODEL = """
    SELECT m.id, m.building_id, m.name, m.discipline, m.current_version, m.created_at, v.file_name, v.bytes, v.schema,
           v.application, v.created_at AS uploaded_at, v.created_by AS uploaded_by
    FROM model m LEFT JOIN model_version v ON v.model_id = m.id AND v.n = m.current_version
"""
_VERSION = """
    SELECT model_id, n, file_hash, file_name, bytes, schema, application, report, georeference, created_by, created_at
    FROM model_version
"""


async def ensure_model(conn: Conn, building_id: UUID, name: str, discipline: str) -> Model:
    """Return the building's model of that name, made when there is none. Raises Invalid for an empty name."""
    if not 1 <= len(name.strip()) <= MAX_NAME:
        raise Invalid("model.name", where="model", limit=MAX_NAME)
    await conn.execute(
        "INSERT INTO model (building_id, name, discipline) VALUES (%s, %s, %s) ON CONFLICT (building_id, name) DO NOTHING",
        (building_id, name, discipline),
    )
    model = await object_or_none(conn, Model, _MODEL + " WHERE m.building_id = %s AND m.name = %s", (building_id, name))
    assert model is not None
    return model


async def get_model(conn: Conn, model_id: UUID) -> Model:
    """Raises NotFound."""
    model = await object_or_none(conn, Model, _MODEL + " WHERE m.id = %s", (model_id,))
    if model is None:
        raise NotFound("model.unknown", model=str(model_id))
    return model


async def list_models(
    conn: Conn, *, building: UUID | None = None, limit: int = 100, cursor: str | None = None
) -> Page[Model]:
    """Models by name."""
    after = decode_cursor(cursor, 2)
    found = await objects(
        conn,
        Model,
        _MODEL
        + """ WHERE (%(building)s::uuid IS NULL OR m.building_id = %(building)s)
              AND (%(name)s::text IS NULL OR (m.name, m.id) > (%(name)s, %(id)s::uuid))
              ORDER BY m.name, m.id LIMIT %(limit)s""",
        {"building": building, "name": after and after[0], "id": after and after[1], "limit": limit + 1},
    )
    return page_of(found, limit, lambda model: [model.name, model.id])


async def list_versions(conn: Conn, model_id: UUID, *, limit: int = 100, cursor: str | None = None) -> Page[Version]:
    """Versions of a model, newest first."""
    await get_model(conn, model_id)
    after = decode_cursor(cursor, 1)
    found = await objects(
        conn,
        Version,
        _VERSION + " WHERE model_id = %(model)s AND (%(n)s::int IS NULL OR n < %(n)s) ORDER BY n DESC LIMIT %(limit)s",
        {"model": model_id, "n": after and after[0], "limit": limit + 1},
    )
    return page_of(found, limit, lambda version: [version.n])


async def get_version(conn: Conn, model_id: UUID, n: int) -> Version:
    """Raises NotFound."""
    version = await object_or_none(conn, Version, _VERSION + " WHERE model_id = %s AND n = %s", (model_id, n))
    if version is None:
        raise NotFound("model.unknown_version", model=str(model_id), n=n)
    return version


async def lock_model(conn: Conn, model_id: UUID) -> int:
    """Hold the model until the end of the transaction and return the number of its next version."""
    await conn.execute("SELECT 1 FROM model WHERE id = %s FOR UPDATE", (model_id,))
    found = await row(conn, "SELECT coalesce(max(n), 0) + 1 AS n FROM model_version WHERE model_id = %s", (model_id,))
    assert found is not None
    return int(found["n"])
