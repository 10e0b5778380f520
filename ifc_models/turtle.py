"""Turtle from strangers, read in the sandbox: what is asked for is kept, the rest is counted.

A generic reader: what the statements mean is `spatial.brick_import`'s business.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, parse

from ifc_models.protocol import Request
from twin.errors import Invalid, TooLarge

STATEMENTS: Final = "statements.msgpack"
BASE: Final = "urn:x-here:"  # what relative names are relative to
LONGEST: Final = 1_000  # characters of a literal that are kept, unless told otherwise
LONGEST_NAME: Final = 2_000  # characters of an IRI
NAMED_OTHERS: Final = 100


class Statement(msgspec.Struct, frozen=True, array_like=True):
    """A triple. Blank nodes are named `_:…`; `literal`: the object is a text."""

    subject: str
    predicate: str
    object: str
    literal: bool = False


class Statements(msgspec.Struct):
    """What was kept of a file: triples with the wanted predicates; how many of which others there were."""

    triples: int
    kept: list[Statement]
    others: dict[str, int]


def run(request: Request) -> dict[str, Any]:
    """Read the Turtle file of a request into `STATEMENTS`; options: `predicates` (local names), `most` triples."""
    options = request.options
    read = read_turtle(
        Path(request.path),
        frozenset(options["predicates"]),
        int(options["most"]),
        int(options.get("longest", LONGEST)),
    )
    (Path(request.out) / STATEMENTS).write_bytes(msgspec.msgpack.encode(read))
    return {"triples": read.triples, "kept": len(read.kept)}


def load_statements(folder: Path) -> Statements:
    """What `run` wrote."""
    return msgspec.msgpack.decode((folder / STATEMENTS).read_bytes(), type=Statements)


def local_name(iri: str) -> str:
    """The part of an IRI after its last `#`, `/` or `:`."""
    return iri[max(iri.rfind("#"), iri.rfind("/"), iri.rfind(":")) + 1 :]


def read_turtle(path: Path, predicates: Iterable[str], most: int, longest: int = LONGEST) -> Statements:
    """Read a file. Raises Invalid `graph.syntax` with the line, TooLarge `graph.too_many`."""
    wanted, kept, others, count = frozenset(predicates), [], Counter[str](), 0
    known: dict[str, bool] = {}
    try:
        for triple in parse(path=path, format=RdfFormat.TURTLE, base_iri=BASE):
            count += 1
            if count > most:
                raise TooLarge("graph.too_many", limit=most)
            predicate = triple.predicate.value
            if known.setdefault(predicate, local_name(predicate) in wanted):
                made = _statement(triple.subject, predicate, triple.object, longest)
                if made is not None:
                    kept.append(made)
            else:
                others[predicate] += 1
    except SyntaxError as error:
        where = f"line {error.lineno}" if error.lineno else None
        raise Invalid("graph.syntax", where=where, reason=str(error.msg)[:300]) from None
    except (ValueError, UnicodeError) as error:
        raise Invalid("graph.syntax", reason=str(error)[:300]) from None
    return Statements(count, kept, dict(others.most_common(NAMED_OTHERS)))


def _statement(subject: object, predicate: str, object_: object, longest: int) -> Statement | None:
    """A triple as text; None for what cannot be stored: quoted triples, names without end."""
    one = _name(subject)
    if one is None:
        return None
    if isinstance(object_, Literal):
        return Statement(one, predicate, object_.value[:longest].replace("\0", ""), literal=True)
    other = _name(object_)
    return Statement(one, predicate, other) if other is not None else None


def _name(node: object) -> str | None:
    if isinstance(node, BlankNode):
        return f"_:{node.value}"
    if isinstance(node, NamedNode) and len(node.value) <= LONGEST_NAME:
        return node.value
    return None
