"""What came of checking a model against an IDS document: per specification, per requirement, per element.

The worker writes it, the server reads it; nothing here imports ifctester or ifcopenshell. Texts of requirements and
reasons are made when they are shown, in Chinese or English; what stands in the IDS document stays as it is written.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

RESULT_FILE: Final = "ids.msgpack"
MAX_OUTCOMES: Final = 500_000  # elements listed per document; beyond it they are counted only

Value = str | dict[str, Any] | None
"""A value of a facet: one text, or a restriction {kind: value}: enumeration, pattern, bounds, length."""


class Facet(msgspec.Struct, frozen=True, omit_defaults=True):
    """One condition of a specification; `kind` is entity, attribute, classification, partOf, property or material."""

    kind: str
    values: dict[str, Value]
    cardinality: str = "required"
    instructions: str | None = None
    passed: int = 0
    failed: int = 0


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why an element fails a requirement (its place in the list): `reason` as ifctester types it."""

    requirement: int
    reason: str
    actual: str | None = None


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """One applicable element; no failures means that it passed."""

    step_id: int
    global_id: str | None
    occurrence: int
    ifc_class: str
    name: str | None = None
    failures: list[Failure] = []


class SpecificationResult(msgspec.Struct, omit_defaults=True):
    """One specification. `status`: pass or fail; `other_schema`: it is written for other IFC versions."""

    name: str
    usage: str  # required | optional | prohibited
    status: str
    applicable: int
    passed: int
    failed: int
    applicability: list[Facet]
    requirements: list[Facet]
    outcomes: list[Outcome]
    identifier: str | None = None
    description: str | None = None
    instructions: str | None = None
    other_schema: bool = False


class IdsResult(msgspec.Struct):
    """A whole document. `info`: title, author, version … as written."""

    info: dict[str, str]
    specifications: list[SpecificationResult]


def write_result(folder: Path, result: IdsResult) -> None:
    """Write `ids.msgpack`."""
    (folder / RESULT_FILE).write_bytes(msgspec.msgpack.encode(result))


def load_result(folder: Path) -> IdsResult:
    """Read what `write_result` wrote."""
    return msgspec.msgpack.decode((folder / RESULT_FILE).read_bytes(), type=IdsResult)


@cache
def _texts() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(Path(__file__).with_name("ids_texts.toml").read_text(encoding="utf-8"))


def facet_text(facet: Facet, language: str) -> str:
    """The condition as a sentence in `en` or `zh`."""
    texts, values = _texts(), {key: value_text(value, language) for key, value in facet.values.items()}
    kind = texts[facet.kind]
    parts = [kind[language].format_map(_Blank(values))]
    for name in ("predefinedType", "dataType", "value", "system"):
        key = f"{facet.kind}.{name}"
        if facet.values.get(name) is not None and key in texts:
            parts.append(texts[key][language].format_map(_Blank(values)))
    text = "".join(parts)
    return texts[f"cardinality.{facet.cardinality}"][language].format(text=text)


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def value_text(value: Value, language: str) -> str:
    """A facet's value in words: alternatives, a pattern, bounds."""
    if value is None or isinstance(value, str):
        return value or ""
    parts = []
    for kind, limit in value.items():
        shown = " | ".join(map(str, limit)) if isinstance(limit, list) else str(limit)
        parts.append(_texts().get(f"restriction.{kind}", _texts()["restriction"])[language].format(value=shown))
    return _texts()["and"][language].join(parts)


def reason_text(facet: Facet, failure: Failure, language: str) -> str:
    """Why the element fails, in `en` or `zh`."""
    texts = _texts()
    key = f"reason.{failure.reason.lower()}"
    text = texts.get(f"{key}.{facet.kind}", texts.get(key, texts["reason"]))[language]
    return text.format(actual=failure.actual if failure.actual is not None else "∅", reason=failure.reason)
