"""What an element was in the versions of its model: when it came, what each version changed, when it went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from ifc_models.diff_values import COMPARED, Difference, Names, differences
from twin.db import Conn, rows

LISTED: Final = 100  # contents that are given, the latest ones
_TOLERANCE: Final = 1e-4  # m, and of a rotation's cosines, as comparing versions has it
_CHANGES: Final[Mapping[str, tuple[str, ...]]] = {
    "properties": (
        "predefined_type", "name", "long_name", "description", "object_type", "tag", "elevation", "attributes",
        "psets", "quantities", "materials", "classifications", "documents",
    ),
    "type": ("ifc_class", "type_hash"),
    "containment": ("parent_id", "storey_id", "space_id"),
    "shape": ("shape_hash",),
    "global_id": ("global_id",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ElementVersion:
    """A content that an element had in the versions `since` ≤ n < `until`; the first one has no changes.

    `changes` says what differs from the content before: placement, shape, properties, type, containment, global_id.
    """

    since: int
    until: int
    current: bool
    imported_at: datetime | None
    imported_by: str | None
    file_name: str | None
    changes: list[str]
    differences: list[Difference]


async def element_versions(conn: Conn, element_id: UUID) -> list[ElementVersion]:
    """Every content of an element, the latest first."""
    found = await rows(
        conn,
        """SELECT s.*, coalesce(m.current_version >= s.since AND m.current_version < s.until, false) AS current,
                  v.created_at, regexp_replace(v.created_by, '^[a-z]+:', '') AS created_by, v.file_name
           FROM element_state s JOIN model m ON m.id = s.model_id
           LEFT JOIN model_version v ON v.model_id = s.model_id AND v.n = s.since
           WHERE s.element_id = %s ORDER BY s.since DESC LIMIT %s""",
        (element_id, LISTED),
    )
    pairs = [_pair(before, after) for after, before in zip(found, found[1:], strict=False)]
    names = await Names.of(conn, pairs)
    told = [(list(pair["changes"]), list(differences(pair, names))) for pair in pairs]
    return [
        ElementVersion(
            each["since"], each["until"], each["current"], each["created_at"], each["created_by"], each["file_name"],
            changes, values,
        )
        for each, (changes, values) in zip(found, [*told, ([], [])], strict=False)
    ]  # fmt: skip


def _pair(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    changes = [name for name, columns in _CHANGES.items() if any(before[c] != after[c] for c in columns)]
    if _apart(before["placement"], after["placement"]):
        changes.insert(0, "placement")
    columns = {f"a_{c}": before[c] for c in COMPARED} | {f"b_{c}": after[c] for c in COMPARED}
    return {**columns, "changes": changes, "old_global_id": before["global_id"], "global_id": after["global_id"]}


def _apart(a: Sequence[float] | None, b: Sequence[float] | None) -> bool:
    if a is None or b is None:
        return a is not b
    return any(abs(x - y) > _TOLERANCE for x, y in zip(a, b, strict=True))
