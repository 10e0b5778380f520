"""Files made from a model version, and what an enriched one adds to its elements."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from ifc_models.enrichment import PREFIX, Additions, Document, Enrichment, Scalar
from twin.blobs import Blob, record_blob
from twin.db import Conn, object_or_none, rows
from twin.errors import NotFound

BRICK: Final = "Brick"  # the classification system of points
IFC, COBIE = "ifc", "cobie"


@dataclass(frozen=True, slots=True)
class Export:
    """A file made from a version."""

    id: UUID
    model_id: UUID
    version: int
    kind: str  # ifc | cobie.xlsx | cobie.ods | cobie.csv
    hash: str
    file_name: str
    bytes: int
    content_type: str
    summary: dict[str, Any]
    created_by: str
    created_at: datetime


async def store_export(
    conn: Conn,
    *,
    version: tuple[UUID, int, UUID],
    kind: str,
    blob: Blob,
    file_name: str,
    summary: dict[str, Any],
    actor: str,
) -> None:
    """Keep a file that was made; `version` is (model, number, building)."""
    await record_blob(conn, blob)
    await conn.execute(
        """INSERT INTO model_export (model_id, version, building_id, kind, hash, file_name, summary, created_by)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
        (*version, kind, blob.hash, file_name, Jsonb(summary), actor),
    )


async def get_export(conn: Conn, model_id: UUID, version: int, kind: str) -> Export:
    """The newest file of a kind. Raises NotFound where none was made yet."""
    found = await object_or_none(
        conn,
        Export,
        """SELECT x.id, x.model_id, x.version, x.kind, x.hash, x.file_name, b.bytes, b.content_type, x.summary,
                  x.created_by, x.created_at
           FROM model_export x JOIN blob b ON b.hash = x.hash
           WHERE x.model_id = %s AND x.version = %s AND x.kind = %s ORDER BY x.created_at DESC LIMIT 1""",
        (model_id, version, kind),
    )
    if found is None:
        raise NotFound("export.none", model=str(model_id), version=version, kind=kind)
    return found


_ADDED: Final = """
    SELECT e.global_id, e.occurrence, e.own_properties,
           (SELECT jsonb_agg(jsonb_build_object('key', p.key, 'name', p.name, 'kind', p.kind, 'unit', p.unit,
                                                'writable', p.writable, 'brick', p.brick_class) ORDER BY p.key)
            FROM point p WHERE p.element_id = e.id AND p.retired_at IS NULL) AS points,
           (SELECT jsonb_build_object('Code', a.code, 'Name', a.name, 'Manufacturer', a.manufacturer,
                                      'Product', a.product, 'Serial', a.serial, 'InstalledOn', a.installed_on)
                   || a.properties
            FROM asset_binding b JOIN asset a ON a.id = b.asset_id
            WHERE b.element_id = e.id AND b.during @> now()) AS asset
    FROM element e
    WHERE e.model_id = %(model)s AND e.first_version <= %(n)s AND e.last_version >= %(n)s
      AND (e.own_properties <> '{}'
           OR EXISTS (SELECT FROM point p WHERE p.element_id = e.id AND p.retired_at IS NULL)
           OR EXISTS (SELECT FROM asset_binding b WHERE b.element_id = e.id AND b.during @> now()))
    ORDER BY e.global_id, e.occurrence
"""


async def enrichment_of(conn: Conn, model_id: UUID, version: int) -> Enrichment:
    """What the twin knows of a version's elements beyond its file: own properties, points, assets, documents."""
    found = await rows(conn, _ADDED, {"model": model_id, "n": version})
    return Enrichment(str(model_id), [_additions(each) for each in found])


def _additions(found: Mapping[str, Any]) -> Additions:
    psets: dict[str, dict[str, Scalar]] = {}
    for path, value in found["own_properties"].items():
        pset, dot, name = path.partition(".")
        into = (pset, name) if dot and pset and name else ("Own", path)
        psets.setdefault(PREFIX + into[0], {})[into[1]] = _scalar(value)
    classes: list[tuple[str, str]] = []
    for point in found["points"] or ():
        said = {"Key": point["key"], "Name": point["name"], "Kind": point["kind"], "Unit": point["unit"]}
        said |= {"Writable": point["writable"], "BrickClass": point["brick"]}
        psets[f"{PREFIX}Point_{point['key']}"] = {k: v for k, v in said.items() if v is not None}
        if point["brick"]:
            classes.append((BRICK, point["brick"]))
    if found["asset"]:
        psets[f"{PREFIX}Asset"] = {k: _scalar(v) for k, v in found["asset"].items() if v is not None}
    return Additions(found["global_id"], found["occurrence"], psets, _documents(psets), list(dict.fromkeys(classes)))


def _scalar(value: Any) -> Scalar:
    if isinstance(value, (bool, int, float, str)):
        return value
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _documents(psets: Mapping[str, Mapping[str, Scalar]]) -> list[Document]:
    """Values that are addresses are documents too: a manual, a data sheet, a certificate."""
    return [
        Document(value, None, name)
        for properties in psets.values()
        for name, value in properties.items()
        if isinstance(value, str) and value.startswith(("https://", "http://")) and " " not in value
    ]
