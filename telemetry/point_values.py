"""A point's facts as the text of a table's cells, there and back: what is written reads as what it was.

An empty cell says nothing (of a point that exists it leaves what is there); `-` says that there is none.
"""

import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from telemetry.points import Point
from telemetry.units import units
from twin.errors import FieldError

NOTHING: Final = "-"
CLEARABLE: Final = frozenset(
    {"unit", "reading_unit", "quantity", "brick_class", "element", "labels", "stale_after", "min_value", "max_value"}
    | {"deadband", "time_zone", "policy"}
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "'")
_REMARK: Final = re.compile(r"[（(\[].*$")
_BETWEEN: Final = re.compile(r"[\s_\-./]+")
_INTERVAL: Final = re.compile(r"([0-9.eE+]+)\s*([^\d\s]*)")


def folded(text: str) -> str:
    """A heading or word as people compare them."""
    return _BETWEEN.sub("", text).casefold()


@cache
def _words() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    table = tomllib.loads(files("telemetry").joinpath("point_columns.toml").read_text("utf-8"))
    return {section: {name: tuple(words) for name, words in entries.items()} for section, entries in table.items()}


@cache
def _lookup(section: str) -> Mapping[str, str]:
    return {folded(word): name for name, words in _words()[section].items() for word in (*words, name)}


@cache
def field_names() -> tuple[str, ...]:
    """The columns of a point list, in an export's order."""
    return tuple(_words()["columns"])


def field_of(heading: str) -> str | None:
    """The fact that a column's heading names; None: none that is known.

    >>> field_of("Point Key"), field_of("单位 (QUDT)")
    ('key', 'unit')
    """
    return _lookup("columns").get(folded(_REMARK.sub("", heading.strip().lstrip("\ufeff"))))


@cache
def _unit_names() -> Mapping[str, str]:
    """Units by symbol, name and what people write; each word that means one only. Case counts first (m, M)."""
    found: dict[str, str] = {}
    for code, unit in units().items():
        for word in (unit.symbol, unit.en, unit.zh):
            if word:
                found.setdefault(word.strip(), code)
    for code, words in _words()["units"].items():
        for word in words:
            found.setdefault(word, code)
    for word, code in list(found.items()):
        found.setdefault(folded(word), code)
    return found


def unit_code(text: str) -> str:
    """The QUDT code that a text means; the text itself where none is known.

    >>> unit_code("℃"), unit_code("http://qudt.org/vocab/unit/KiloW"), unit_code("kWh")
    ('DEG_C', 'KiloW', 'KiloW-HR')
    """
    bare = text.strip().rsplit("/unit/", 1)[-1].removeprefix("unit:")
    if bare in units():
        return bare
    return _unit_names().get(bare) or _unit_names().get(folded(bare)) or bare


def read_values(cells: Mapping[str, str]) -> tuple[dict[str, Any], list[FieldError]]:
    """The facts in a row's cells, by field (`element` and `policy` stay text), and what could not be read."""
    facts: dict[str, Any] = {}
    wrong: list[FieldError] = []
    for field, cell in cells.items():
        if not cell.strip():
            continue
        if cell.strip() == NOTHING and field in ("tags", *CLEARABLE):
            facts[field] = () if field == "tags" else None
            continue
        text = unguarded(cell.strip())
        try:
            facts[field] = _READERS.get(field, str)(text)
        except ValueError:
            wrong.append(FieldError(field, f"point.cell_{_SHAPES[field]}", {"text": text[:60]}))
    return facts, wrong


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula; `unguarded` takes the mark off again."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def unguarded(text: str) -> str:
    """A cell without the mark that keeps a spreadsheet from taking it for a formula."""
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in _FORMULA else text


def write_values(point: Point, element: str | None, policy: str | None) -> dict[str, str]:
    """The cells of a point; `read_values` gives the same facts."""
    return {
        "key": guarded(point.key),
        "name": guarded(point.name),
        "kind": point.kind,
        "unit": point.unit or "",
        "reading_unit": point.reading_unit or "",
        "quantity": point.quantity or "",
        "brick_class": point.brick_class or "",
        "element": guarded(element or ""),
        "labels": guarded(_labels_text(point.labels)) if point.labels is not None else "",
        "sampling": point.sampling,
        "expected_interval": _number_text(point.expected_interval),
        "stale_after": _number_text(point.stale_after),
        "min_value": _number_text(point.min_value),
        "max_value": _number_text(point.max_value),
        "deadband": _number_text(point.deadband),
        "time_zone": point.time_zone or "",
        "writable": "true" if point.writable else "false",
        "policy": guarded(policy or ""),
        "tags": guarded("; ".join(point.tags)),
        "properties": json.dumps(point.properties, ensure_ascii=False) if point.properties else "",
    }


def _number_text(value: float | None) -> str:
    return "" if value is None else str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _labels_text(labels: Mapping[str, str]) -> str:
    plain = labels and not any(re.search(r"[;=\n]|^\s|\s$", text) for text in labels.values())
    if plain:
        return "; ".join(f"{code}={text}" for code, text in labels.items())
    return json.dumps(dict(labels), ensure_ascii=False)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or "_" in text:
        raise ValueError(text)
    return value


def _interval(text: str) -> float:
    match = _INTERVAL.fullmatch(text)
    factor = match and (_lookup("seconds").get(folded(match[2])) if match[2] else "1")
    if match is None or factor is None:
        raise ValueError(text)
    return _number(match[1]) * float(factor)


def _bool(text: str) -> bool:
    for word, meaning in (("yes", True), ("no", False)):
        if folded(text) in {folded(each) for each in _words()[word]["words"]}:
            return meaning
    raise ValueError(text)


def _labels(text: str) -> dict[str, str]:
    if text.startswith("{"):
        found = json.loads(text)
        if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
            raise ValueError(text)
        return found
    pairs = [part.partition("=" if "=" in part else ":") for part in re.split(r"[;；\n]", text) if part.strip()]
    if not all(sign for _, sign, _ in pairs):
        raise ValueError(text)
    return {code.strip(): label.strip() for code, _, label in pairs}


def _properties(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(text)
    return found


def _tags(text: str) -> tuple[str, ...]:
    parts = [part.strip() for part in re.split(r"[;,；，]", text)]
    return tuple(dict.fromkeys(part for part in parts if part))


def _word(section: str) -> Callable[[str], str]:
    return lambda text: _lookup(section).get(folded(text), text)


def _brick(text: str) -> str:
    return re.split(r"[#:/]", text)[-1]


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "kind": _word("kinds"),
    "sampling": _word("samplings"),
    "unit": unit_code,
    "reading_unit": unit_code,
    "quantity": _brick,
    "brick_class": _brick,
    "labels": _labels,
    "expected_interval": _interval,
    "stale_after": _interval,
    "min_value": _number,
    "max_value": _number,
    "deadband": _number,
    "writable": _bool,
    "tags": _tags,
    "properties": _properties,
}
_SHAPES: Final[Mapping[str, str]] = {
    "labels": "labels",
    "expected_interval": "interval",
    "stale_after": "interval",
    "min_value": "number",
    "max_value": "number",
    "deadband": "number",
    "writable": "bool",
    "properties": "properties",
}
