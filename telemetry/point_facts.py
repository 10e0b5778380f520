"""What a point says of itself, and what of it makes sense. Pure: nothing here reads the database.

A point is a role in the building ("supply temperature of AHU 3"), not a device. Its kind and unit say what its history
means; its deadband, intervals and range say how it behaves.
"""

import math
import re
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from functools import cache
from typing import Any, Final, Literal
from uuid import UUID
from zoneinfo import available_timezones

from psycopg.types.json import Jsonb

from telemetry.dimensions import convertible
from telemetry.units import get_unit, units
from twin.brick import brick_classes
from twin.errors import FieldError, Invalid

Kind = Literal["number", "bool", "enum", "text"]
Sampling = Literal["hold", "interpolate"]

KINDS: Final[tuple[Kind, ...]] = ("number", "bool", "enum", "text")
KEY_SHAPE: Final = re.compile(r"[^\s\x00-\x1f](?:[^\x00-\x1f]{0,198}[^\s\x00-\x1f])?")
LONGEST_INTERVAL: Final = 366 * 86400.0  # s
MOST_TAGS: Final = 50
MOST_LABELS: Final = 1000
_TAG: Final = re.compile(r"[^\s;,\x00-\x1f](?:[^;,\x00-\x1f]{0,58}[^\s;,\x00-\x1f])?")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPoint:
    """What is needed to define a point. Values (range, deadband) are in `unit`, times in seconds."""

    key: str  # unique on the server; what sources call it
    name: str
    kind: Kind
    unit: str | None = None  # QUDT code in which values are kept
    reading_unit: str | None = None  # in which readings come, if in another: converted when they are judged
    quantity: str | None = None  # QUDT quantity kind; the unit's first one unless given
    brick_class: str | None = None
    labels: dict[str, str] | None = None  # enum (and bool: 0, 1): code → label
    element_id: UUID | None = None
    writable: bool = False
    min_value: float | None = None  # readings and commands outside are refused
    max_value: float | None = None
    deadband: float | None = None  # smaller changes are kept, and not told to live viewers
    expected_interval: float = 300.0  # s between readings
    stale_after: float | None = None  # s of silence; None: three expected intervals
    sampling: Sampling = "hold"  # between readings: the value before holds, or a straight line
    time_zone: str | None = None  # IANA; None: the site's
    tags: tuple[str, ...] = ()
    policy_id: UUID | None = None  # how long its history is kept; None: as its class says
    properties: dict[str, Any] | None = None


def check_point(point: NewPoint) -> None:
    """Raise Invalid `point.invalid` that names every field that is wrong and how to put it right."""
    wrong = wrong_fields(point)
    if wrong:
        raise Invalid("point.invalid", fields=wrong, where=point.key)


def wrong_fields(point: NewPoint) -> list[FieldError]:
    """Every field that makes no sense, and why."""
    wrong: list[FieldError] = []
    if not KEY_SHAPE.fullmatch(point.key):
        wrong.append(FieldError("key", "point.key"))
    if not 1 <= len(point.name.strip()) <= 200 or "\0" in point.name:
        wrong.append(FieldError("name", "point.name"))
    if point.kind not in KINDS:
        wrong.append(FieldError("kind", "point.kind", {"kind": point.kind, "kinds": ", ".join(KINDS)}))
    wrong += _wrong_unit(point) + _wrong_reading_unit(point) + _wrong_quantity(point)
    wrong += _wrong_class(point) + _wrong_numbers(point) + _wrong_labels(point)
    if point.sampling == "interpolate" and point.kind != "number":
        wrong.append(FieldError("sampling", "point.sampling", {"kind": point.kind}))
    elif point.sampling not in ("hold", "interpolate"):
        wrong.append(FieldError("sampling", "point.sampling_kind", {"sampling": str(point.sampling)[:60]}))
    if point.time_zone is not None and point.time_zone not in _zones():
        wrong.append(FieldError("time_zone", "point.time_zone", {"zone": point.time_zone[:60]}))
    if len(point.tags) > MOST_TAGS or not all(_TAG.fullmatch(tag) for tag in point.tags):
        wrong.append(FieldError("tags", "point.tags", {"most": MOST_TAGS}))
    return wrong


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _is_code(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]{1,9}", text) is not None


def _wrong_unit(point: NewPoint) -> list[FieldError]:
    if point.unit is None:
        return []
    if point.kind != "number" and point.unit != "UNITLESS":
        return [FieldError("unit", "point.unit_kind", {"kind": point.kind})]
    return _unknown_unit("unit", point.unit)


def _unknown_unit(field: str, code: str) -> list[FieldError]:
    try:
        get_unit(code)
    except Invalid as error:
        return [FieldError(field, error.code, error.params)]
    return []


def _wrong_reading_unit(point: NewPoint) -> list[FieldError]:
    if point.reading_unit is None:
        return []
    unknown = _unknown_unit("reading_unit", point.reading_unit)
    if unknown or _wrong_unit(point):
        return unknown
    if point.unit is None or not convertible(point.reading_unit, point.unit):
        params = {"reading_unit": point.reading_unit, "unit": point.unit or "…"}
        return [FieldError("reading_unit", "point.reading_unit", params)]
    return []


@cache
def _quantities() -> dict[str, frozenset[str]]:
    """For every quantity kind of the table, the units that measure it."""
    found: dict[str, set[str]] = {}
    for code, unit in units().items():
        for quantity in unit.quantities:
            found.setdefault(quantity, set()).add(code)
    return {quantity: frozenset(codes) for quantity, codes in found.items()}


def _wrong_quantity(point: NewPoint) -> list[FieldError]:
    """A quantity kind is any name of QUDT's shape; one of our table must be one that the unit measures."""
    if point.quantity is None:
        return []
    if not _NAME.fullmatch(point.quantity):
        return [FieldError("quantity", "point.quantity", {"quantity": point.quantity[:60]})]
    measured = _quantities().get(point.quantity)
    if point.unit is None or measured is None or _wrong_unit(point):
        return []
    if any(convertible(point.unit, code) for code in measured):
        return []
    return [FieldError("quantity", "point.quantity_unit", {"quantity": point.quantity, "unit": point.unit})]


def _wrong_class(point: NewPoint) -> list[FieldError]:
    if point.brick_class is None or brick_classes().get(point.brick_class) == "point" or point.brick_class == "Point":
        return []
    names = [name for name, kind in brick_classes().items() if kind == "point"]
    near = get_close_matches(point.brick_class, names, n=3, cutoff=0.6)
    params = {"brick_class": point.brick_class[:100], "near": ", ".join(near) or "Temperature_Sensor, On_Off_Status"}
    return [FieldError("brick_class", "point.brick_class", params)]


def _wrong_numbers(point: NewPoint) -> list[FieldError]:
    wrong: list[FieldError] = []
    numbers = ("min_value", "max_value", "deadband", "expected_interval", "stale_after")
    for name in numbers:
        value = getattr(point, name)
        if value is not None and not math.isfinite(value):
            wrong.append(FieldError(name, "point.not_finite"))
    if point.min_value is not None and point.max_value is not None and point.min_value > point.max_value:
        wrong.append(FieldError("min_value", "point.range", {"min": point.min_value, "max": point.max_value}))
    if point.deadband is not None and (point.deadband < 0 or point.kind != "number"):
        wrong.append(FieldError("deadband", "point.deadband", {"kind": point.kind}))
    if not 0 < point.expected_interval <= LONGEST_INTERVAL:
        wrong.append(FieldError("expected_interval", "point.expected_interval"))
    if point.stale_after is not None and not point.expected_interval <= point.stale_after <= 10 * LONGEST_INTERVAL:
        wrong.append(FieldError("stale_after", "point.stale_after", {"interval": point.expected_interval}))
    return wrong


def _wrong_labels(point: NewPoint) -> list[FieldError]:
    labels = point.labels
    if labels is None:
        return []
    fits = {"enum": all(map(_is_code, labels)), "bool": labels.keys() <= {"0", "1"}}.get(point.kind, False)
    texts = list(labels.values())
    if not fits or len(labels) > MOST_LABELS:
        return [FieldError("labels", "point.labels")]
    if any(not text.strip() or len(text) > 200 or "\0" in text for text in texts) or len(set(texts)) < len(texts):
        return [FieldError("labels", "point.label_texts")]
    return []


def columns_of_point(new: NewPoint) -> dict[str, Any]:
    """The columns of table `point` that say this, but `key` and `building_id`."""
    quantity = new.quantity or (get_unit(new.unit).quantities[0] if new.unit else None)
    return {
        "name": new.name.strip(),
        "kind": new.kind,
        "unit": new.unit,
        "reading_unit": None if new.reading_unit == new.unit else new.reading_unit,
        "quantity": quantity,
        "brick_class": new.brick_class,
        "labels": None if new.labels is None else Jsonb(new.labels),
        "element_id": new.element_id,
        "writable": new.writable,
        "min_value": new.min_value,
        "max_value": new.max_value,
        "deadband": new.deadband,
        "expected_interval": timedelta(seconds=new.expected_interval),
        "stale_after": None if new.stale_after is None else timedelta(seconds=new.stale_after),
        "sampling": new.sampling,
        "time_zone": new.time_zone,
        "tags": list(dict.fromkeys(new.tags)),
        "policy_id": new.policy_id,
        "properties": Jsonb(new.properties or {}),
    }


COLUMNS: Final = (
    "name", "kind", "unit", "reading_unit", "quantity", "brick_class", "labels", "element_id", "writable", "min_value",
    "max_value", "deadband", "expected_interval", "stale_after", "sampling", "time_zone", "tags", "policy_id",
    "properties",
)  # fmt: skip
"""The keys of `columns_of_point`."""
