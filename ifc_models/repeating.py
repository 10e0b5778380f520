"""Versions that need no work: the shown version's own file again, or a version that the model had before."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from twin.db import Conn, object_or_none, row
from twin.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class EqualVersion:
    """A version that can be shown again as it is."""

    model_id: UUID
    n: int
    file_hash: str
    file_name: str
    converter: str | None
    package: str | None
    meshes: str | None
    is_shown: bool


_VERSION = """
    SELECT v.model_id, v.n, v.file_hash, v.file_name, v.converter, v.package, v.meshes,
           v.n = m.current_version AS is_shown
    FROM model_version v JOIN model m ON m.id = v.model_id
"""


async def find_equal_version(conn: Conn, model_id: UUID, file_hash: str, converter: str) -> EqualVersion | None:
    """The version that an import of these bytes would give again, the shown one before others."""
    return await object_or_none(
        conn,
        EqualVersion,
        _VERSION
        + """ WHERE v.model_id = %s AND v.file_hash = %s AND v.converter = %s AND v.package IS NOT NULL
              ORDER BY v.n = m.current_version DESC, v.n DESC LIMIT 1""",
        (model_id, file_hash, converter),
    )


async def find_meshed_version(conn: Conn, model_id: UUID, converter: str) -> EqualVersion | None:
    """The newest version whose meshes were kept and would come out the same today."""
    return await object_or_none(
        conn,
        EqualVersion,
        _VERSION + """ WHERE v.model_id = %s AND v.converter = %s AND v.meshes IS NOT NULL ORDER BY v.n DESC LIMIT 1""",
        (model_id, converter),
    )


async def get_kept_version(conn: Conn, model_id: UUID, n: int) -> EqualVersion:
    """A version that can be brought back. Raises NotFound, Conflict for one whose package was never kept."""
    found = await object_or_none(conn, EqualVersion, _VERSION + " WHERE v.model_id = %s AND v.n = %s", (model_id, n))
    if found is None:
        raise NotFound("model.version_unknown", model=str(model_id), version=n)
    if found.package is None:
        raise Conflict("model.version_not_kept", version=n)
    return found


async def repeat_version(conn: Conn, shown: EqualVersion, file_name: str, actor_name: str) -> dict[str, Any]:
    """Make a new version that shares elements, tiles and files with the shown one; its report, `seconds` left out."""
    held = await row(
        conn,
        """SELECT m.name, v.report, (SELECT count(*) FROM element e
               WHERE e.model_id = m.id AND e.last_version = m.current_version) AS elements
           FROM model m JOIN model_version v ON v.model_id = m.id AND v.n = m.current_version
           WHERE m.id = %s AND m.current_version = %s FOR UPDATE OF m""",
        (shown.model_id, shown.n),
    )
    if held is None:
        raise Conflict("model.version_not_kept", version=shown.n)  # another import came in between: jobs are in order
    params = {"model": shown.model_id, "n": shown.n, "new": shown.n + 1, "file": file_name, "by": actor_name}
    await conn.execute(
        """INSERT INTO model_version (model_id, n, file_hash, file_name, bytes, schema, application, report, origin,
                                      georeference, created_by, converter, package, meshes)
           SELECT model_id, %(new)s, file_hash, %(file)s, bytes, schema, application, report, origin, georeference,
                  %(by)s, converter, package, meshes
           FROM model_version WHERE model_id = %(model)s AND n = %(n)s""",
        params,
    )
    await conn.execute(
        """INSERT INTO tile (model_id, version, storey_id, layer, part, hash, bytes, elements, triangles, bbox, key)
           SELECT model_id, %(new)s, storey_id, layer, part, hash, bytes, elements, triangles, bbox, key
           FROM tile WHERE model_id = %(model)s AND version = %(n)s""",
        params,
    )
    for statement in (
        "UPDATE element SET last_version = %(new)s WHERE model_id = %(model)s AND last_version = %(n)s",
        "UPDATE element_group SET last_version = %(new)s WHERE model_id = %(model)s AND last_version = %(n)s",
        "UPDATE model SET current_version = %(new)s WHERE id = %(model)s",
    ):
        await conn.execute(statement, params)
    unchanged = {"added": 0, "changed": 0, "removed": 0, "unchanged": held["elements"]}
    nothing = {"matched": {"certain": 0, "likely": 0, "lost": 0}, "reused": shown.n}
    report: dict[str, Any] = {**held["report"], "version": shown.n + 1, **unchanged, **nothing}
    report.pop("restored", None)
    return report
