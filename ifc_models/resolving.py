"""Which known row each element of a new version is: by its GlobalId, by one it once had, or recognised.

An element keeps its server id for ever, so that what is bound to it stays. Only elements that are gone from the shown
version and new ones without a row are compared (`ifc_models.matching`).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import numpy as np

from ifc_models.element_rows import Known
from ifc_models.extract import Extract
from ifc_models.matching import Candidate, Match, match
from ifc_models.version import Matched, NewVersion
from twin.db import Conn, rows

_OPENINGS: Final = "IfcFeatureElementSubtraction"


@dataclass(frozen=True, slots=True)
class Found:
    """A gone row and the new element (its index) that it may be; None: nothing resembles it."""

    row: Known
    match: Match | None

    @property
    def kind(self) -> str:
        if self.match is None:
            return "lost"
        return "certain" if self.match.certain else "likely"


@dataclass(slots=True)
class Resolved:
    """Per new element the row that it is, or None; and what came of the rows that no element's GlobalId names."""

    rows: list[Known | None]
    found: list[Found] = field(default_factory=list)

    @property
    def counts(self) -> Matched:
        kinds = [each.kind for each in self.found]
        return Matched(kinds.count("certain"), kinds.count("likely"), kinds.count("lost"))


async def known_rows(conn: Conn, model_id: UUID) -> list[Known]:
    """What comparing needs of every element that the model ever had."""
    return await rows(
        conn,
        # A room or storey that only another model knows was filled in (spatial/placed.py): it is none of this file's.
        """SELECT e.id, e.global_id, e.occurrence, e.ifc_class, e.content_hash, e.last_version, e.type_id, e.type_hash,
                  e.parent_id, e.first_version,
                  CASE WHEN p.filled_storey IS NULL THEN e.storey_id END AS storey_id,
                  CASE WHEN p.filled_space IS NULL THEN e.space_id END AS space_id,
                  e.storey_derived AND p.filled_storey IS NULL AS storey_derived,
                  e.space_derived AND p.filled_space IS NULL AS space_derived
           FROM element e LEFT JOIN element_place p ON p.element_id = e.id WHERE e.model_id = %s""",
        (model_id,),
    )


async def resolve(conn: Conn, new: NewVersion, known: Sequence[Known], previous: int) -> Resolved:
    """Find the row of each element of a new version; `previous` is the shown version's number."""
    by_key = {(k["global_id"], k["occurrence"]): k for k in known}
    elements = new.extract.elements
    resolved = Resolved([by_key.get((e.global_id, e.occurrence)) for e in elements])
    if not known:
        return resolved
    claimed = {row["id"] for row in resolved.rows if row}
    await _by_alias(conn, new, known, resolved, claimed)
    openings = {name for name, chain in new.extract.class_ancestors.items() if _OPENINGS in chain}
    gone = [k for k in known if k["last_version"] == previous and k["id"] not in claimed]
    gone.sort(key=lambda each: each["id"])  # as they came in their file: what nothing tells apart is taken in order
    fresh = [i for i, row in enumerate(resolved.rows) if row is None]
    if not gone:
        return resolved
    described = await _describe_rows(conn, [k["id"] for k in gone]) if fresh else {}
    if fresh:
        olds = [described[k["id"]] for k in gone]
        matches = await asyncio.to_thread(lambda: match(olds, _describe_elements(new, fresh)))
    else:
        matches = []
    by_old = {m.old: Match(m.old, fresh[m.new], m.certain, m.score, m.distance, m.reasons) for m in matches}
    for at, row in enumerate(gone):
        found = Found(row, by_old.get(at))
        if found.match is not None and found.match.certain:
            resolved.rows[found.match.new] = row
        elif row["ifc_class"] in openings:
            continue  # nobody binds anything to a hole
        resolved.found.append(found)
    return resolved


async def _by_alias(
    conn: Conn, new: NewVersion, known: Sequence[Known], resolved: Resolved, claimed: set[UUID]
) -> None:
    """A file with GlobalIds of former times (a restored version, an old export) names the same elements."""
    aliases = await rows(
        conn, "SELECT global_id, occurrence, element_id FROM element_alias WHERE model_id = %s", (new.model_id,)
    )
    if not aliases:
        return
    by_id = {k["id"]: k for k in known}
    once = {(a["global_id"], a["occurrence"]): by_id[a["element_id"]] for a in aliases}
    for i, element in enumerate(new.extract.elements):
        row = once.get((element.global_id, element.occurrence)) if resolved.rows[i] is None else None
        if row is not None and row["id"] not in claimed:
            resolved.rows[i] = row
            claimed.add(row["id"])


async def _describe_rows(conn: Conn, ids: list[UUID]) -> dict[UUID, Candidate]:
    found = await rows(
        conn,
        """SELECT e.id, e.ifc_class, coalesce(e.name, e.long_name) AS name, e.tag, t.name AS type_name,
                  s.name AS place, e.placement, e.bbox, e.shape_hash, e.shape_measure
           FROM element e LEFT JOIN element_type t ON t.id = e.type_id LEFT JOIN storey s ON s.id = e.storey_id
           WHERE e.id = ANY(%s)""",
        (ids,),
    )
    return {
        each["id"]: Candidate(
            ifc_class=each["ifc_class"],
            name=each["name"],
            tag=each["tag"],
            type_name=each["type_name"],
            place=each["place"],
            position=_position(each["bbox"], each["placement"]),
            shape=each["shape_hash"],
            measure=tuple(each["shape_measure"]) if each["shape_measure"] else None,
        )
        for each in found
    }


def _describe_elements(new: NewVersion, indices: list[int]) -> list[Candidate]:
    extract: Extract = new.extract
    names = {s.element: s.name for s in extract.storeys}
    storey = new.placement.storey.tolist() if new.placement is not None else [e.storey for e in extract.elements]
    described = []
    for i in indices:
        e = extract.elements[i]
        box = _row(new.boxes, i)
        measure = _row(new.measures, i)
        described.append(
            Candidate(
                ifc_class=e.ifc_class,
                name=e.name or e.long_name,
                tag=e.tag,
                type_name=extract.types[e.type].name if e.type >= 0 else None,
                place=names.get(storey[i]),
                position=_position(box, e.placement),
                shape=new.shapes.get(i),
                measure=tuple(measure) if measure else None,
            )
        )
    return described


def _row(table: Any, i: int) -> list[float] | None:
    if table is None or not np.isfinite(table[i]).all():
        return None
    values: list[float] = table[i].tolist()
    return values


def _position(box: Sequence[float] | None, placement: Sequence[float] | None) -> tuple[float, float, float] | None:
    """The middle of the box, else the origin of the placement, m."""
    if box:
        return ((box[0] + box[3]) / 2, (box[1] + box[4]) / 2, (box[2] + box[5]) / 2)
    return (placement[3], placement[7], placement[11]) if placement else None
