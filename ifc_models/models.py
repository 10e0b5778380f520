"""Models of a building and their versions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from twin.db import Conn, object_or_none, objects
from twin.errors import NotFound


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
class ModelVersion:
    """One uploaded file of a model."""

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
    report: dict[str, Any]  # the import report; elements lists left out in lists of versions


_MODEL: Final = """
    SELECT m.id, m.building_id, b.name AS building, m.name, m.discipline, m.current_version, m.created_at
    FROM model m JOIN building b ON b.id = m.building_id
"""
_VERSION: Final = """
    SELECT model_id, n AS version, file_hash, file_name, bytes, schema, application, georeference, created_by,
           created_at, report
    FROM model_version
"""


async def ensure_model(conn: Conn, building_id: UUID, name: str, discipline: str = "arc") -> Model:
    """The building's model of that name, made where there is none; an existing one keeps its discipline."""
    await conn.execute(
        "INSERT INTO model (building_id, name, discipline) VALUES (%s, %s, %s) ON CONFLICT (building_id, name) DO NOTHING",
        (building_id, name, discipline),
    )
    found = await object_or_none(
        conn, Model, _MODEL + " WHERE m.building_id = %s AND m.name = %s", (building_id, name)
    )
    assert found is not None
    return found


async def list_models(conn: Conn, building_id: UUID | None = None) -> list[Model]:
    """All models, or those of one building, by building and name."""
    return await objects(
        conn,
        Model,
        _MODEL + " WHERE %(building)s::uuid IS NULL OR m.building_id = %(building)s ORDER BY b.name, m.name, m.id",
        {"building": building_id},
    )


async def get_model(conn: Conn, model_id: UUID) -> Model:
    """One model. Raises NotFound."""
    found = await object_or_none(conn, Model, _MODEL + " WHERE m.id = %s", (model_id,))
    if found is None:
        raise NotFound("model.unknown", model=str(model_id))
    return found


async def list_versions(conn: Conn, model_id: UUID) -> list[ModelVersion]:
    """The versions of a model, newest first; the report's lists of single elements left out."""
    return await objects(
        conn,
        ModelVersion,
        """SELECT model_id, n AS version, file_hash, file_name, bytes, schema, application, georeference, created_by,
                  created_at, report - 'degraded' - 'without_geometry' - 'warnings' AS report
           FROM model_version WHERE model_id = %s ORDER BY n DESC""",
        (model_id,),
    )


async def get_version(conn: Conn, model_id: UUID, version: int) -> ModelVersion:
    """One version with its whole report. Raises NotFound."""
    found = await object_or_none(conn, ModelVersion, _VERSION + " WHERE model_id = %s AND n = %s", (model_id, version))
    if found is None:
        raise NotFound("model.version_unknown", model=str(model_id), version=version)
    return found
