"""Points in Brick graphs: what Turtle says of them, as drafts, and what is written of ours.

A point is whatever is of one of Brick's point classes, has a timeseries, or is a point of something. Its key is its
timeseries id; its element the thing it is a point of, by `ref:ifcGlobalID`, our own name, or what it is called. What
Brick has no word for is said under `urn:twin:`, so that our own graphs come back unchanged.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from telemetry.point_import import Draft
from telemetry.point_values import field_names, unguarded
from twin.brick import BRICK, QUANTITY, QUDT, RDFS, REF, UNIT, brick_classes

OWN: Final = "urn:twin:"
_PLAIN: Final = ("key", "name", "unit", "quantity", "brick_class", "element")
_OURS: Final = tuple(name for name in field_names() if name not in _PLAIN)
WANTED: Final = (
    "type", "label", "hasUnit", "hasQuantityKind", "hasQuantity", "isPointOf", "hasPoint", "hasLocation",
    "isLocationOf", "hasExternalReference", "hasTimeseriesId", "timeseries", "ifcGlobalID", "ifcName", *_OURS,
)  # fmt: skip
"""Local names of the predicates that are read."""
_FACTS: Final[Mapping[str, str]] = {"hasUnit": "unit", "hasQuantityKind": "quantity", "hasQuantity": "quantity"}


class Triple(Protocol):
    """`ifc_models.turtle.Statement`."""

    @property
    def subject(self) -> str: ...
    @property
    def predicate(self) -> str: ...
    @property
    def object(self) -> str: ...
    @property
    def literal(self) -> bool: ...


def local(iri: str) -> str:
    """The part of an IRI after its last `#`, `/` or `:`."""
    return iri[max(iri.rfind("#"), iri.rfind("/"), iri.rfind(":")) + 1 :]


def drafts_of_triples(triples: Iterable[Triple]) -> list[Draft]:
    """The points that a graph speaks of, in its order."""
    return list(_Graph(triples).drafts())


class _Graph:
    def __init__(self, triples: Iterable[Triple]) -> None:
        self.said: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for each in triples:
            name = local(each.predicate)
            if name in _OURS and not each.predicate.startswith(OWN):
                continue
            if name in ("hasPoint", "isLocationOf"):
                inverse = "isPointOf" if name == "hasPoint" else "hasLocation"
                self.said[each.object][inverse].append(each.subject)
            else:
                self.said[each.subject][name].append(each.object)

    def drafts(self) -> Iterator[Draft]:
        kinds = brick_classes()
        number = 0
        for subject, facts in list(self.said.items()):
            classes = [local(each) for each in facts["type"]]
            point = any(kinds.get(name) == "point" for name in classes)
            other = any(kinds.get(name) not in ("point", None) for name in classes)
            key = self._series(facts)
            reference = "TimeseriesReference" in classes
            if reference or other or not (point or key or facts["isPointOf"]):
                continue
            number += 1
            yield Draft(number, self._cells(subject, facts, classes, key))

    def _cells(
        self, subject: str, facts: Mapping[str, Sequence[str]], classes: Sequence[str], key: str
    ) -> dict[str, str]:
        label = next(iter(facts["label"]), "")
        name = local(subject) if not subject.startswith("_:") else ""
        cells = {"key": key or label or name, "name": label or name or key}
        brick = [each for each in classes if each != "Point" and brick_classes().get(each) == "point"]
        if brick:
            cells["brick_class"] = max(brick, key=len)  # the most special of several
        for predicate, field in _FACTS.items():
            if facts[predicate]:
                cells[field] = facts[predicate][0]
        cells |= {field: facts[field][0] for field in _OURS if facts[field]}
        if "kind" not in cells and (kind := _kind(cells)):
            cells["kind"] = kind
        if cells.get("kind", "number") != "number":
            cells.pop("unit", None)
        element = self._element(facts)
        if element:
            cells["element"] = element
        return {field: _sheltered(value) for field, value in cells.items()}

    def _series(self, facts: Mapping[str, Sequence[str]]) -> str:
        for node in (*facts["hasExternalReference"], *facts["timeseries"]):
            if found := self.said.get(node, {}).get("hasTimeseriesId"):
                return found[0]
        return next(iter(facts["hasTimeseriesId"]), "")

    def _element(self, facts: Mapping[str, Sequence[str]]) -> str:
        """What it is a point of, else where it is: our id, its GlobalId, its IFC name, its label or name."""
        for owner in (*facts["isPointOf"], *facts["hasLocation"]):
            if owner.startswith("urn:uuid:"):
                return owner.removeprefix("urn:uuid:")
            about = self.said.get(owner, {})
            nodes = [about, *(self.said.get(node, {}) for node in about.get("hasExternalReference", ()))]
            for predicate in ("ifcGlobalID", "ifcName"):
                for node in nodes:
                    if found := node.get(predicate):
                        return found[0]
            return next(iter(about.get("label", ())), "") or ("" if owner.startswith("_:") else local(owner))
        return ""


def _kind(cells: Mapping[str, str]) -> str | None:
    """The kind that a class without a unit says."""
    name = cells.get("brick_class", "")
    if name.endswith("Alarm") or "On_Off" in name or "Enable" in name or "Occupancy_Status" in name:
        return "bool"
    return "number" if cells.get("unit") or name.endswith(("Sensor", "Setpoint")) else None


def _sheltered(value: str) -> str:
    """A text as a cell: what looks like a mark against formulas is part of it."""
    return f"'{value}" if unguarded(value) != value or value in ("-", "") else value


def _text(value: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(each, each) for each in value) + '"'


def turtle_of(points: Iterable[tuple[str, Mapping[str, str], str | None]]) -> Iterator[str]:
    """Turtle of points: `(id, cells as an export writes them, GlobalId of the element)`, a piece for each."""
    yield (
        f"@prefix brick: <{BRICK}> .\n@prefix ref: <{REF}> .\n@prefix rdfs: <{RDFS}> .\n@prefix qudt: <{QUDT}> .\n"
        f"@prefix unit: <{UNIT}> .\n@prefix quantitykind: <{QUANTITY}> .\n\n"
    )
    for id, cells, global_id in points:
        raw = {field: unguarded(cell) for field, cell in cells.items()}
        lines = [
            f"<urn:uuid:{id}> a brick:{raw['brick_class'] or 'Point'}",
            f"rdfs:label {_text(raw['name'])}",
            f"ref:hasExternalReference [ a ref:TimeseriesReference ; ref:hasTimeseriesId {_text(raw['key'])} ]",
        ]
        if raw["unit"]:
            lines.append(f"brick:hasUnit <{UNIT}{raw['unit']}>")
        if raw["quantity"]:
            lines.append(f"qudt:hasQuantityKind <{QUANTITY}{raw['quantity']}>")
        if global_id:
            reference = f"[ a ref:IFCReference ; ref:ifcGlobalID {_text(global_id)} ]"
            lines.append(f"brick:isPointOf [ ref:hasExternalReference {reference} ]")
        elif raw["element"]:
            lines.append(f"brick:isPointOf <urn:uuid:{raw['element']}>")
        lines += [f"<{OWN}{field}> {_text(raw[field])}" for field in _OURS if raw[field]]
        yield " ;\n    ".join(lines) + " .\n\n"
