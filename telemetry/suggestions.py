"""Suggested bindings of a building's points: read, shown with reasons, confirmed in bulk, turned down for good."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from identity import Actor, audit
from telemetry.point_words import Meaning, equipment_of, meaning_of, measure_of, words
from telemetry.points import get_point, update_point
from telemetry.suggest import Choice, Loose, Thing, suggest
from twin.db import Conn, row, rows
from twin.errors import Conflict, FieldError, Invalid, Language, NotFound, TwinError, text_of

DAYS: Final = 14  # of values that are compared
SERIES: Final = 2_000  # points whose values are compared; of more, none
MOST: Final = 5_000  # bindings that are confirmed at once


@dataclass(frozen=True, slots=True)
class SuggestedPoint:
    """A point that has no element."""

    id: UUID
    key: str
    name: str
    unit: str | None
    brick_class: str | None


@dataclass(frozen=True, slots=True)
class SuggestedElement:
    """An element that a point may belong to."""

    id: UUID
    global_id: str
    name: str | None
    ifc_class: str
    space: str | None
    storey: str | None


@dataclass(frozen=True, slots=True)
class SuggestionReason:
    """Why, in the caller's language."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An element with its score, 0…1. `assigned`: the one that the point gets when all are decided together."""

    element: SuggestedElement
    score: float
    reasons: list[SuggestionReason]
    assigned: bool


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A point and what it may belong to, likeliest first."""

    point: SuggestedPoint
    candidates: list[Candidate]


@dataclass(frozen=True, slots=True)
class BindingProblem:
    """A binding that was not made."""

    point: str
    element: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Bindings:
    """What became of confirmed bindings."""

    bound: int
    problems: list[BindingProblem]


_POINTS: LiteralString = """
    SELECT p.id, p.handle, p.key, p.name, p.unit, p.brick_class, p.quantity, p.tags, p.kind, p.element_id
    FROM point p WHERE p.building_id = %(building)s AND p.retired_at IS NULL ORDER BY p.key
"""
_ELEMENTS: LiteralString = """
    SELECT e.id, e.global_id, e.ifc_class, e.name, e.long_name, e.tag, e.object_type,
           coalesce(nullif(e.predefined_type, 'NOTDEFINED'), t.attributes->'PredefinedType'->>'value') AS predefined,
           replace(coalesce(t.ifc_class, ''), 'Type', '') AS type_class,
           room.name AS room, room.long_name AS room_name, st.name AS storey,
           ARRAY(SELECT coalesce(g.long_name, g.name) FROM element_group_member m
                 JOIN element_group g ON g.id = m.group_id
                 WHERE m.element_id = e.id AND g.ifc_class <> 'IfcGroup' LIMIT 4) AS systems,
           (SELECT b.brick_class FROM brick_entity b WHERE b.element_id = e.id AND b.brick_class IS NOT NULL LIMIT 1)
             AS brick_class
    FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
    LEFT JOIN element_type t ON t.id = e.type_id LEFT JOIN element room ON room.id = e.space_id
    LEFT JOIN storey st ON st.id = e.storey_id
    WHERE e.building_id = %(building)s AND EXISTS (
        SELECT FROM ifc_class c WHERE c.name = e.ifc_class
          AND c.ancestor IN ('IfcDistributionElement', 'IfcTransportElement', 'IfcElectricalElement', 'IfcSpace',
                             'IfcBuilding'))
      AND NOT EXISTS (SELECT FROM ifc_class c WHERE c.name = e.ifc_class
                      AND c.ancestor IN ('IfcFlowSegment', 'IfcFlowFitting', 'IfcDistributionPort'))
    ORDER BY e.id
"""


async def list_suggestions(
    conn: Conn, building_id: UUID, *, now: datetime, lang: Language, point: str | None = None, limit: int = 100
) -> list[Suggestion]:
    """Points without an element and what they may belong to, surest first. `point`: of one, by id or key."""
    wanted = (await get_point(conn, point)).id if point else None
    found = await rows(conn, _POINTS, {"building": building_id})
    elements = {each["id"]: each for each in await rows(conn, _ELEMENTS, {"building": building_id})}
    series = await _series(conn, [each["handle"] for each in found], now) if len(found) <= SERIES else {}
    refused = await rows(
        conn,
        """SELECT p.id AS point, d.element_id AS element FROM binding_dismissed d
           JOIN point p ON p.handle = d.point_id WHERE p.building_id = %s""",
        (building_id,),
    )
    dismissed = frozenset((each["point"], each["element"]) for each in refused)
    chosen = await asyncio.to_thread(_decide, found, list(elements.values()), series, dismissed)
    by_id = {each["id"]: each for each in found}
    ranked = sorted(
        ((id, choices) for id, choices in chosen.items() if choices and wanted in (None, id)),
        key=lambda each: (-each[1][0].score, by_id[each[0]]["key"]),
    )
    return [_shown(by_id[id], choices[:5], elements, lang) for id, choices in ranked[:limit]]


def _decide(
    points: Sequence[Mapping[str, Any]],
    elements: Sequence[Mapping[str, Any]],
    series: Mapping[int, NDArray[np.float64]],
    dismissed: frozenset[tuple[UUID, UUID]],
) -> dict[UUID, list[Choice]]:
    known = [loose_point(each, series.get(each["handle"])) for each in points]
    free, bound = ([p for p in known if (p.element is None) == loose] for loose in (True, False))
    return suggest(free, bound, [thing_of(each) for each in elements], dismissed)


def loose_point(found: Mapping[str, Any], series: NDArray[np.float64] | None = None) -> Loose:
    """A row of `point` as the engine sees it: its class, tags and quantity say more than its name."""
    brick = (found["brick_class"] or "").replace("_", " ")
    meant, named = meaning_of(found["key"], found["name"], *found["tags"]), meaning_of(brick)
    keys = meaning_of(found["key"])
    meant = Meaning(
        measures=named.measures or meant.measures,
        media=named.media or keys.media or meant.media,
        roles=named.roles | meant.roles,
        equipment=meant.equipment,
        identity=meant.identity,
    )
    measure = measure_of(found["quantity"])
    if measure is None or (meant.measures and measure not in meant.measures):
        measure = next(iter(sorted(meant.measures)), measure)
    return Loose(found["id"], found["key"], meant, measure, series, found["element_id"])


def thing_of(found: Mapping[str, Any]) -> Thing:
    """A row of `element` as the engine sees it."""
    names = [found["name"], found["long_name"], found["tag"]]
    said = meaning_of(*names, found["object_type"])
    ifc_class = found["type_class"] if found["type_class"] in words().ifc else found["ifc_class"]
    equipment = equipment_of(ifc_class, found["predefined"], found["brick_class"], said)
    places = [found["room"], found["room_name"], found["storey"], *found["systems"]]
    measures = frozenset[str]()
    if equipment & {"sensor"} and found["predefined"]:
        measures = meaning_of(found["predefined"].removesuffix("SENSOR")).measures
    return Thing(
        id=found["id"],
        name=found["long_name"] or found["name"] or found["tag"] or found["ifc_class"],
        equipment=equipment,
        own=frozenset(meaning_of(*names).identity) | {f"equipment:{kind}" for kind in equipment if kind != "space"},
        place=frozenset(meaning_of(*places).identity),
        place_name=" ".join(dict.fromkeys(each for each in places if each)),
        measure=next(iter(measures), None),
    )


async def _series(conn: Conn, handles: Sequence[int], now: datetime) -> dict[int, NDArray[np.float64]]:
    """Hourly means of the last days of each point that has any: (hours,), NaN where there is none."""
    until = now.replace(minute=0, second=0, microsecond=0)
    hours = DAYS * 24
    found = await rows(
        conn,
        """SELECT r.point_id, (extract(epoch FROM r.ts - %(start)s) / 3600)::int AS hour, r.sum / r.n AS mean
           FROM rollup_1h r JOIN latest l ON l.point_id = r.point_id
           WHERE r.point_id = ANY(%(points)s) AND r.ts >= %(start)s AND r.ts < %(end)s AND r.n > 0""",
        {"points": list(handles), "start": until - timedelta(hours=hours), "end": until},
    )
    series: dict[int, NDArray[np.float64]] = {}
    for each in found:
        series.setdefault(each["point_id"], np.full(hours, np.nan))[each["hour"]] = each["mean"]
    return series


def _shown(
    point: Mapping[str, Any], choices: Sequence[Choice], elements: Mapping[UUID, Mapping[str, Any]], lang: Language
) -> Suggestion:
    return Suggestion(
        SuggestedPoint(point["id"], point["key"], point["name"], point["unit"], point["brick_class"]),
        [
            Candidate(
                _element(elements[choice.thing.id]),
                choice.score,
                [SuggestionReason(r.code, text_of(r.code, lang, r.params)) for r in choice.reasons],
                choice.assigned,
            )
            for choice in choices
        ],
    )


def _element(found: Mapping[str, Any]) -> SuggestedElement:
    name = found["name"] if found["ifc_class"] != "IfcSpace" else " ".join(
        dict.fromkeys(each for each in (found["name"], found["long_name"]) if each)
    )  # fmt: skip
    space = " ".join(dict.fromkeys(each for each in (found["room"], found["room_name"]) if each)) or None
    return SuggestedElement(
        found["id"], found["global_id"], name or found["tag"], found["ifc_class"], space, found["storey"]
    )


async def confirm_bindings(
    conn: Conn, actor: Actor, pairs: Sequence[tuple[str, UUID]], *, now: datetime, lang: Language
) -> Bindings:
    """Bind points to elements; each pair stands for itself, what cannot be is named. Raises Invalid for too many."""
    if len(pairs) > MOST:
        raise Invalid(
            "suggest.too_many", fields=[FieldError("bindings", "suggest.too_many", {"most": MOST})], most=MOST
        )
    bound, problems = 0, []
    for ref, element in pairs:
        try:
            point = await get_point(conn, ref)
            if point.retired_at is not None:
                raise Conflict("point.retired", point=point.key)
            if point.element is not None and point.element.id != element:
                raise Conflict("suggest.bound", point=point.key, element=point.element.name or point.element.global_id)
            if point.element is None:
                await update_point(conn, actor, point.id, {"element_id": element}, now=now)
                bound += 1
        except TwinError as error:
            problems.append(BindingProblem(ref, str(element), error.code, error.text(lang)))
    return Bindings(bound, problems)


async def dismiss(conn: Conn, actor: Actor, ref: str, element_id: UUID, *, now: datetime) -> None:
    """Never suggest this element for this point again. Raises NotFound."""
    point = await get_point(conn, ref)
    if (
        await row(conn, "SELECT FROM element WHERE id = %s AND building_id = %s", (element_id, point.building_id))
        is None
    ):
        raise NotFound("element.unknown", where="element", ref=str(element_id))
    await conn.execute(
        """INSERT INTO binding_dismissed (point_id, element_id, dismissed_by, dismissed_at) VALUES (%s, %s, %s, %s)
           ON CONFLICT DO NOTHING""",
        (point.handle, element_id, actor.name, now),
    )
    await audit.record(conn, actor, "point.dismiss", f"point:{point.id}", after={"element": str(element_id)})
