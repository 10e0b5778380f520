"""An IDS document, checked against an opened model by ifctester. Runs in the worker: both files are strangers' work.

The document is refused before ifctester sees it when it is too large, declares entities or a DTD, or is nested too
deep; its schema comes from ifctester's own copy, never from where the document points. Where ifctester departs from
buildingSMART's test cases, it is set right here (`tests/ifc_models/test_ids.py` names what is left).
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import ifcopenshell
from defusedxml import ElementTree, common
from elementpath.regex import translate_pattern
from ifcopenshell import entity_instance as Entity
from ifctester import facet as facets
from ifctester import ids
from xmlschema import XMLSchemaException

from ifc_models.findings import Findings
from ifc_models.ids_result import (
    MAX_OUTCOMES,
    Facet,
    Failure,
    IdsResult,
    Outcome,
    SpecificationResult,
    Value,
)
from ifc_models.text import clean_or_none
from twin.errors import Invalid, TooLarge

MAX_BYTES: Final = 16 << 20
MAX_NODES: Final = 200_000
MAX_SPECIFICATIONS: Final = 5_000
TOLERANCE: Final = 1e-6  # relative and absolute (IDS 1.0, documentation of tolerances)
ACTUAL_LENGTH: Final = 200  # characters of a wrong value that are kept


def parse_ids(path: Path) -> ids.Ids:
    """Read an IDS document. Raises TooLarge, or Invalid with what is wrong and where."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise TooLarge("ids.too_large", where=path.name, bytes=size, limit=MAX_BYTES)
    try:
        root = ElementTree.parse(path, forbid_dtd=True).getroot()
        if root is None or sum(1 for _ in root.iter()) > MAX_NODES:
            raise TooLarge("ids.too_large", where=path.name, bytes=size, limit=MAX_BYTES)
        _use_our_comparisons()
        document = ids.open(str(path))
    except (common.DefusedXmlException, ElementTree.ParseError, UnicodeError, LookupError) as error:
        reason = "it has a DTD" if isinstance(error, common.DTDForbidden) else str(error)[:300]
        raise Invalid("ids.not_xml", where=path.name, reason=reason or type(error).__name__) from error
    except (ids.IdsXmlValidationError, XMLSchemaException) as error:
        cause = getattr(error, "xml_error", error)
        where = getattr(cause, "path", None) or path.name
        raise Invalid("ids.invalid", where=where, reason=_first_line(getattr(cause, "reason", cause))) from error
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise Invalid("ids.invalid", where=path.name, reason=f"{type(error).__name__}: {error}"[:300]) from error
    if len(document.specifications) > MAX_SPECIFICATIONS:
        raise TooLarge("ids.too_large", where=path.name, bytes=size, limit=MAX_BYTES)
    return document


def _first_line(reason: object) -> str:
    return str(reason).strip().split("\n", 1)[0][:300]


def check_ids(path: Path, file: ifcopenshell.file, report: Callable[[float], None]) -> IdsResult:
    """Check the model against the document at `path`; `report` hears the share that is done."""
    document = parse_ids(path)
    facets.get_pset.cache_clear()
    facets.get_psets.cache_clear()
    known, result = _Known(file), IdsResult({k: str(v) for k, v in document.info.items()}, [])
    room = MAX_OUTCOMES
    for n, specification in enumerate(document.specifications):
        checked = _check(specification, file, known, room)
        room -= len(checked.outcomes)
        result.specifications.append(checked)
        report((n + 1) / len(document.specifications))
    return result


def _check(
    specification: ids.Specification, file: ifcopenshell.file, known: "_Known", room: int
) -> SpecificationResult:
    applicable = _applicable(specification, file)
    usage = specification.get_usage()
    tally = [[0, 0] for _ in specification.requirements]
    outcomes: list[Outcome] = []
    failed = 0
    for element in applicable:
        failures: list[Failure] = []
        if usage != "prohibited":
            for n, requirement in enumerate(specification.requirements):
                failure = _judge(n, requirement, element)
                tally[n][failure is not None] += 1
                if failure is not None:
                    failures.append(failure)
        else:
            failures.append(Failure(-1, "PROHIBITED"))
        failed += bool(failures)
        if len(outcomes) < room:
            outcomes.append(known.outcome(element, failures))
    missing = usage == "required" and not applicable
    return SpecificationResult(
        name=specification.name,
        usage=usage,
        status="fail" if failed or missing else "pass",
        applicable=len(applicable),
        passed=len(applicable) - failed,
        failed=failed,
        applicability=[_describe(each, 0, 0, "none") for each in specification.applicability],
        requirements=[
            _describe(each, passed, failing)
            for each, (passed, failing) in zip(specification.requirements, tally, strict=True)
        ],
        outcomes=outcomes,
        identifier=specification.identifier,
        description=specification.description or None,
        instructions=specification.instructions or None,
        other_schema=file.schema_identifier not in specification.ifcVersion,
    )


def _applicable(specification: ids.Specification, file: ifcopenshell.file) -> list[Entity]:
    """The elements that the specification is about, as `ifctester.ids.Specification.validate` finds them."""
    elements: Any = None
    for each in specification.applicability:
        elements = each.filter(file, elements)
    tested = [each for each in specification.applicability if not isinstance(each, facets.Entity)]
    return [element for element in elements or () if all(bool(each(element)) for each in tested)]


def _judge(n: int, requirement: facets.Facet, element: Entity) -> Failure | None:
    try:
        result = requirement(element)
    except (RuntimeError, TypeError, KeyError, AttributeError, ValueError, IndexError) as error:
        return Failure(n, "ERROR", f"{type(error).__name__}: {error}"[:ACTUAL_LENGTH])
    if result:
        return None
    reason = result.reason or {}
    if (
        isinstance(requirement, facets.Attribute)
        and requirement.cardinality == "optional"
        and reason.get("type") == "FALSEY"
        and reason.get("actual") is None
    ):
        return None  # an optional attribute passes if it is null (bS test case); ifctester fails it
    actual = reason.get("actual")
    return Failure(n, str(reason.get("type", "VALUE")), None if actual is None else _shown(actual))


def _shown(actual: object) -> str:
    if isinstance(actual, (list, tuple, set, frozenset)):
        text = ", ".join(_shown(each) for each in actual)
    elif isinstance(actual, Entity):
        text = f"{actual.is_a()} #{actual.id()}"
    else:
        text = clean_or_none(str(actual)) or ""
    return text[:ACTUAL_LENGTH]


def _describe(each: facets.Facet, passed: int, failed: int, cardinality: str | None = None) -> Facet:
    values: dict[str, Value] = {}
    for parameter in each.parameters:
        name = parameter.removeprefix("@")
        if name not in ("cardinality", "instructions", "uri"):
            values[name] = _value(getattr(each, name, None))
    instructions = getattr(each, "instructions", None)
    kind = type(each).__name__
    return Facet(
        kind=kind[0].lower() + kind[1:],
        values=values,
        cardinality=cardinality or getattr(each, "cardinality", None) or "required",
        instructions=str(instructions) if instructions else None,
        passed=passed,
        failed=failed,
    )


def _value(value: object) -> Value:
    if value is None:
        return None
    if isinstance(value, facets.Restriction):
        return {k: [str(v) for v in each] if isinstance(each, list) else str(each) for k, each in value.options.items()}
    return str(value)


class _Known:
    """By what GlobalId and occurrence the database knows an entity."""

    def __init__(self, file: ifcopenshell.file) -> None:
        from ifc_models.read import GlobalIds

        ids_of = GlobalIds(Findings())
        self._of: dict[int, tuple[str, int]] = {}
        for product in sorted(file.by_type("IfcProduct"), key=lambda entity: entity.id()):
            if product.id() not in self._of:
                self._of[product.id()] = ids_of.take(product, product.is_a(), clean_or_none(product.get_argument(2)))

    def outcome(self, element: Entity, failures: list[Failure]) -> Outcome:
        rooted = element.is_a("IfcRoot")
        global_id, occurrence = self._of.get(element.id(), (element.get_argument(0) if rooted else None, 0))
        name = getattr(element, "Name", None)
        return Outcome(
            element.id(),
            global_id,
            occurrence,
            element.is_a(),
            clean_or_none(name) if isinstance(name, str) else None,
            failures,
        )


class _Restriction(facets.Restriction):  # type: ignore[misc]  # ifctester has no types
    """ifctester's restriction with IDS's tolerance at bounds, and patterns compiled once."""

    options: dict[str, Any]

    def __eq__(self, other: object) -> bool:
        if other is None:
            return False
        options = self.options
        try:
            self.options = {k: v for k, v in options.items() if k not in _BOUNDS and k != "pattern"}
            if not super().__eq__(other):
                return False
        finally:
            self.options = options
        patterns = options.get("pattern")
        if patterns is not None and not (isinstance(other, str) and self._matches(patterns, other)):
            return False
        return all(_within(kind, float(limit), other) for kind, limit in options.items() if kind in _BOUNDS)

    __hash__ = None  # type: ignore[assignment]

    def _matches(self, patterns: Any, text: str) -> bool:
        compiled = self.__dict__.get("_compiled")
        if compiled is None:
            each = patterns if isinstance(patterns, list) else [patterns]
            compiled = self.__dict__["_compiled"] = [
                re.compile(translate_pattern(p, back_references=False, lazy_quantifiers=False, anchors=False))
                for p in each
            ]
        return all(pattern.fullmatch(text) is not None for pattern in compiled)


_BOUNDS: Final = frozenset(("minInclusive", "maxInclusive", "minExclusive", "maxExclusive"))


def _within(kind: str, limit: float, other: Any) -> bool:
    try:
        value = float(other)
    except (TypeError, ValueError):
        return False
    slack = _slack(limit)
    if kind.endswith("Exclusive"):
        return value > limit + slack if kind.startswith("min") else value < limit - slack
    return value >= limit - slack if kind.startswith("min") else value <= limit + slack


def _is_close(value: float, expected: float) -> bool:
    return abs(value - expected) <= _slack(expected)


def _slack(number: float) -> float:
    inexact = 4 * sys.float_info.epsilon * max(1.0, abs(number))  # decimals are no binary fractions
    return abs(number) * TOLERANCE + TOLERANCE + inexact


def _use_our_comparisons() -> None:
    """Have ifctester compare numbers as IDS 1.0 says. This process checks one document and ends."""
    facets.is_x = _is_close
    facets.Restriction = _Restriction
